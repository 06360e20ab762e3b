/* token.c - makes and checks tokens, and keeps their key in a file. Whoever loses the key loses no job: its vendor is polled all the same. */
#include "webhook_in/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"
#include "gate/key_file.h"

#define MAC_BYTES 16
#define ID_BYTES 16
#define FILE_NAME "webhook.key"

enum error_code token_key_open(const char *data, struct token_key *key, struct error *error)
{
	char *path = file_join(data, FILE_NAME);
	enum error_code code = key_file_open(path, key->bytes, error);

	free(path);
	return code;
}

/* ---- tokens ---- */

static bool make_mac(const struct token_key *key, const char *provider, const struct id *id, unsigned char mac[EVP_MAX_MD_SIZE])
{
	unsigned char text[160];
	unsigned int size = 0;
	int length = snprintf((char *)text, sizeof text - ID_BYTES, "providerd webhook|%s|", provider);

	if (length < 0 || (size_t)length >= sizeof text - ID_BYTES || !crypto_load())
		return false;
	memcpy(text + length, id->bytes, ID_BYTES);
	return HMAC(EVP_sha256(), key->bytes, KEY_FILE_BYTES, text, (size_t)length + ID_BYTES, mac, &size) != NULL;
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
