/* standard_webhooks.h - signatures of the Standard Webhooks specification: HMAC-SHA256 over "id.timestamp.body". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STANDARD_WEBHOOKS_KEY_BYTES 64	     /* at most: the specification's range is 24 to 64 */
#define STANDARD_WEBHOOKS_SIGNATURE_BYTES 45 /* base64 text with its NUL, without "v1," */

/* The key in a secret: base64 text, usually after "whsec_". 0 when it is none, or longer than STANDARD_WEBHOOKS_KEY_BYTES. Any thread. */
size_t standard_webhooks_key(const char *secret, unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES]);

/* One message as it is signed. Everything borrowed. */
struct standard_webhooks_message {
	const char *id;
	const char *timestamp; /* seconds since 1970, as text */
	const char *body;
	size_t body_length;
};

/* Writes the base64 text of the message's signature. False: libcrypto is not installed, or out of memory. Any thread. */
bool standard_webhooks_sign(const struct standard_webhooks_message *message, const unsigned char *key, size_t key_length,
	char signature[STANDARD_WEBHOOKS_SIGNATURE_BYTES]);
