/* token.c - makes and checks tokens. Whoever loses the key loses no job: its vendor is polled all the same. */
#include "webhook_in/token.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

#define MAC_BYTES 16
#define ID_BYTES 16

static bool make_mac(const struct token_key *key, const char *provider, const struct id *id, unsigned char mac[EVP_MAX_MD_SIZE])
{
	unsigned char text[160];
	unsigned int size = 0;
	int length = snprintf((char *)text, sizeof text - ID_BYTES, "providerd webhook|%s|", provider);

	if (length < 0 || (size_t)length >= sizeof text - ID_BYTES || !crypto_load())
		return false;
	memcpy(text + length, id->bytes, ID_BYTES);
	return HMAC(EVP_sha256(), key->bytes, TOKEN_KEY_BYTES, text, (size_t)length + ID_BYTES, mac, &size) != NULL;
}

bool token_make(const struct token_key *key, const char *provider, const struct id *id, char text[TOKEN_TEXT_BYTES])
{
	unsigned char mac[EVP_MAX_MD_SIZE];

	if (!make_mac(key, provider, id, mac))
		return false;
	text_write_hex(text_write_hex(text, id->bytes, ID_BYTES), mac, MAC_BYTES);
	return true;
}

bool token_read(const struct token_key *key, const char *provider, const char *text, struct id *id)
{
	unsigned char bytes[ID_BYTES + MAC_BYTES] = { 0 }, mac[EVP_MAX_MD_SIZE];

	if (strpbrk(text, "ABCDEF") != NULL || !text_read_hex(text, bytes, sizeof bytes))
		return false;
	memcpy(id->bytes, bytes, ID_BYTES);
	return make_mac(key, provider, id, mac) && CRYPTO_memcmp(mac, bytes + ID_BYTES, MAC_BYTES) == 0;
}
