/* session.h - logins of browsers: a cookie that stands for an API key, because pictures, videos and downloads cannot send a header.
 *
 * A session is its token, and stored nowhere: when it ends, which key it stands for, and a mark (HMAC-SHA256) that only hosts of this
 * registry can make. It ends with its time, with the key's entry in server.api_keys, and when the key of the marks is renewed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/config.h"

struct sessions;

#define SESSION_SECONDS 604800
#define SESSION_KEY_BYTES 32
#define SESSION_TOKEN_BYTES 113 /* 112 hex digits and a NUL */

#define SESSION_COOKIE_BYTES 24

/* The name of this home's cookie, "providerd_1a2b3c4d": another one for each home, because a browser's cookies do not know ports. */
void session_cookie_of(const char *home, char cookie[SESSION_COOKIE_BYTES]);

/* The key of the tokens, and the cookie's name: both are those of all hosts that answer the same browsers. Copied. */
struct sessions *sessions_new(const unsigned char key[SESSION_KEY_BYTES], const char *cookie);
void sessions_free(struct sessions *sessions); /* NULL: does nothing */

/* Another key: whoever was logged in is not any more. Any thread. */
void sessions_set_key(struct sessions *sessions, const unsigned char key[SESSION_KEY_BYTES]);

/* Not `wanted` (there are no API keys, and no public URL): no session counts, and nothing is signed; so it begins. Any thread. */
void sessions_want(struct sessions *sessions, bool wanted);

const char *sessions_cookie(const struct sessions *sessions);

/* Writes the token of a session with this key until `expires` (seconds since 1970). False: none are wanted, or there is no libcrypto. Any
 * thread. */
bool sessions_issue(
	struct sessions *sessions, const struct config_api_key *key, int64_t expires, char token[SESSION_TOKEN_BYTES]);

/* The key that a token stands for, *expires gets when it ends; NULL: it is none of ours, its time is over, or there is no such key any more. Compares in
 * constant time. Any thread. */
const struct config_api_key *sessions_find(
	struct sessions *sessions, const struct config_server *server, const char *token, size_t length, int64_t *expires);

/* A key for another use than sessions, derived from theirs: it changes with it, and tells nothing of it. `use` is a plain text. False: as
 * sessions_issue(). Any thread. */
bool sessions_derive(struct sessions *sessions, const char *use, unsigned char key[32]);
