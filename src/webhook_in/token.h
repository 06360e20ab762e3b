/* token.h - the part of a webhook's URL that nobody can guess, and that names a job without being stored.
 *
 * 64 hex digits: the job's id, then the first half of HMAC-SHA256 over provider and id. A wrong one costs one HMAC, no look into the registry. */
#pragma once

#include <stdbool.h>

#include "base/id.h"

#define TOKEN_TEXT_BYTES 65
#define TOKEN_KEY_BYTES 32

struct token_key {
	unsigned char bytes[TOKEN_KEY_BYTES];
};

/* Writes the token of a provider's job. False: libcrypto is not installed. Any thread. */
bool token_make(const struct token_key *key, const char *provider, const struct id *id, char text[TOKEN_TEXT_BYTES]);

/* The job of a token that was made with this key for this provider; compared in constant time. False for any other text. Any thread. */
bool token_read(const struct token_key *key, const char *provider, const char *text, struct id *id);
