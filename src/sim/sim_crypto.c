/* sim_crypto.c - require "crypto" of the vendor scripts: what signatures need, on libcrypto.
 *
 * Bytes in, bytes out; a wrong key raises. Only the simulator's state has this module: the keys here are a simulator's own. */
#include "sim/internal.h"

#include <limits.h>

#include <lauxlib.h>

#include "base/crypto.h"
#include "base/text.h"

#define ED25519_KEY 32
#define ED25519_SIGNATURE 64

static const unsigned char *check_bytes(lua_State *L, int argument, size_t *length)
{
	return (const unsigned char *)luaL_checklstring(L, argument, length);
}

static int sim_sha256(lua_State *L)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t length;
	const unsigned char *bytes = check_bytes(L, 1, &length);

	crypto_sha256(bytes, length, digest);
	lua_pushlstring(L, (const char *)digest, sizeof digest);
	return 1;
}

static int sim_hmac_sha256(lua_State *L)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	size_t key_length, length;
	const unsigned char *key = check_bytes(L, 1, &key_length), *bytes = check_bytes(L, 2, &length);

	if (key_length > INT_MAX || HMAC(EVP_sha256(), key, (int)key_length, bytes, length, digest, &size) == NULL)
		return luaL_error(L, "hmac_sha256 failed");
	lua_pushlstring(L, (const char *)digest, size);
	return 1;
}

static EVP_PKEY *private_key(lua_State *L, int argument)
{
	size_t length;
	const unsigned char *seed = check_bytes(L, argument, &length);
	EVP_PKEY *key;

	luaL_argcheck(L, length == ED25519_KEY, argument, "a seed has 32 bytes");
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, length);
	if (key == NULL)
		luaL_error(L, "no Ed25519 here");
	return key;
}

static int crypto_ed25519_public(lua_State *L)
{
	unsigned char bytes[ED25519_KEY];
	size_t size = sizeof bytes;
	EVP_PKEY *key = private_key(L, 1);
	int ok = EVP_PKEY_get_raw_public_key(key, bytes, &size);

	EVP_PKEY_free(key);
	if (ok != 1)
		return luaL_error(L, "ed25519_public failed");
	lua_pushlstring(L, (const char *)bytes, size);
	return 1;
}

static int crypto_ed25519_sign(lua_State *L)
{
	unsigned char signature[ED25519_SIGNATURE];
	size_t size = sizeof signature, length;
	const unsigned char *message = check_bytes(L, 2, &length);
	EVP_PKEY *key = private_key(L, 1);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestSign(context, signature, &size, message, length) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	if (!ok)
		return luaL_error(L, "ed25519_sign failed");
	lua_pushlstring(L, (const char *)signature, size);
	return 1;
}

static int push_encoded(lua_State *L, const unsigned char *bytes, size_t length)
{
	luaL_Buffer out;
	size_t size = (length + 2) / 3 * 4;
	char *to;

	if (length > INT_MAX / 2)
		return luaL_error(L, "base64: too long");
	to = luaL_buffinitsize(L, &out, size + 1);
	EVP_EncodeBlock((unsigned char *)to, bytes, (int)length);
	luaL_pushresultsize(&out, size);
	return 1;
}

static int crypto_base64(lua_State *L)
{
	size_t length;
	const unsigned char *bytes = check_bytes(L, 1, &length);

	return push_encoded(L, bytes, length);
}

/* nil when it is no base64. */
static int crypto_base64_decode(lua_State *L)
{
	luaL_Buffer out;
	size_t length, padding = 0;
	const unsigned char *text = check_bytes(L, 1, &length);
	char *to;
	int size;

	if (length % 4 != 0 || length > INT_MAX / 2) {
		lua_pushnil(L);
		return 1;
	}
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	to = luaL_buffinitsize(L, &out, length / 4 * 3 + 1);
	size = EVP_DecodeBlock((unsigned char *)to, text, (int)length);
	if (size < 0) {
		lua_pushnil(L);
		return 1;
	}
	luaL_pushresultsize(&out, (size_t)size - padding);
	return 1;
}

static int crypto_hex(lua_State *L)
{
	luaL_Buffer out;
	size_t length;
	const unsigned char *bytes = check_bytes(L, 1, &length);

	text_write_hex(luaL_buffinitsize(L, &out, 2 * length + 1), bytes, length);
	luaL_pushresultsize(&out, 2 * length);
	return 1;
}

void sim_crypto_push(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "sha256", sim_sha256 },
		{ "hmac_sha256", sim_hmac_sha256 },
		{ "ed25519_public", crypto_ed25519_public },
		{ "ed25519_sign", crypto_ed25519_sign },
		{ "base64", crypto_base64 },
		{ "base64_decode", crypto_base64_decode },
		{ "hex", crypto_hex },
		{ NULL, NULL },
	};

	if (!crypto_load())
		luaL_error(L, "libcrypto (libssl3) is not installed");
	luaL_newlib(L, functions);
}
