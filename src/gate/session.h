/* session.h - logins of browsers: a cookie that stands for an API key, because pictures, videos and downloads cannot send a header.
 *
 * A session is its token, and stored nowhere: when it ends, which key it stands for, and a mark (HMAC-SHA256) that only this home can
 * make. It ends with its time, with the key's entry in server.api_keys, and with data/session.key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file_problem.h"
#include "gate/config.h"

struct sessions;

#define SESSION_SECONDS 604800
#define SESSION_TOKEN_BYTES 113 /* 112 hex digits and a NUL */

/* `data` is the folder of session.key; the home gives the cookie its name. No key is read yet: sessions_reload() does. */
struct sessions *sessions_new(const char *data, const char *home);
void sessions_free(struct sessions *sessions); /* NULL: does nothing */

/* Reads the key of the tokens anew, or makes it. Not `wanted` (there are no API keys, and no public URL): nothing is read, and no session counts. Loader
 * thread; blocks on the disk. */
void sessions_reload(struct sessions *sessions, bool wanted);

/* Why nobody can log in, to be released; NULL: nothing is wrong. Any thread. */
struct file_problem *sessions_problem(struct sessions *sessions);

/* "providerd_1a2b3c4d": another one for each home, because a browser's cookies do not know ports. */
const char *sessions_cookie(const struct sessions *sessions);

/* Writes the token of a session with this key until `expires` (seconds since 1970). False: there is no key to sign it with, or no libcrypto. Any
 * thread. */
bool sessions_issue(
	struct sessions *sessions, const struct config_api_key *key, int64_t expires, char token[SESSION_TOKEN_BYTES]);

/* The key that a token stands for, *expires gets when it ends; NULL: it is none of ours, its time is over, or there is no such key any more. Compares in
 * constant time. Any thread. */
const struct config_api_key *sessions_find(
	struct sessions *sessions, const struct config_server *server, const char *token, size_t length, int64_t *expires);

/* A key for another use than sessions, derived from theirs: it ends with data/session.key, and tells nothing of it. `use` is a plain text. False: as
 * sessions_issue(). Any thread. */
bool sessions_derive(struct sessions *sessions, const char *use, unsigned char key[32]);
