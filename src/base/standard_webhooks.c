/* standard_webhooks.c - one key, one message, one signature; who compares or sends it is the caller's affair. Any thread, no state. */
#include "base/standard_webhooks.h"

#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crypto.h"

#define PREFIX "whsec_"

size_t standard_webhooks_key(const char *secret, unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES])
{
	const char *text = strncmp(secret, PREFIX, strlen(PREFIX)) == 0 ? secret + strlen(PREFIX) : secret;
	unsigned char bytes[STANDARD_WEBHOOKS_KEY_BYTES + 4];
	size_t length = strlen(text), padding = 0;
	int size;

	if (length == 0 || length % 4 != 0 || length / 4 * 3 > sizeof bytes || !crypto_load())
		return 0;
	while (padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	if (size <= 0 || (size_t)size - padding > STANDARD_WEBHOOKS_KEY_BYTES)
		return 0;
	memcpy(key, bytes, (size_t)size - padding);
	explicit_bzero(bytes, sizeof bytes);
	return (size_t)size - padding;
}

bool standard_webhooks_sign(const struct standard_webhooks_message *message, const unsigned char *key, size_t key_length,
	char signature[STANDARD_WEBHOOKS_SIGNATURE_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	struct buffer text;
	bool made;

	buffer_init(&text, SIZE_MAX);
	buffer_text(&text, message->id);
	buffer_char(&text, '.');
	buffer_text(&text, message->timestamp);
	buffer_char(&text, '.');
	buffer_append(&text, message->body, message->body_length);
	made = !text.failed && crypto_load() &&
	       HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text.data, text.length, digest, &size) != NULL;
	buffer_free(&text);
	if (made)
		EVP_EncodeBlock((unsigned char *)signature, digest, (int)size);
	return made;
}
