/* signed_url.h - URLs that show one path to whoever has them, for a while: for clients that fetch what an answer names without their key.
 *
 * Stored nowhere: the URL says until when, and has a mark (HMAC-SHA256) that only hosts of this registry can make, over the path, that time and the API key that it stands
 * for. It ends with its time, with the key's entry in server.api_keys, and when the key of sessions is renewed, from which that of these marks is derived. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/config.h"
#include "gate/session.h"

#define SIGNED_URL_BYTES 128 /* of the query */

/* Writes "expires=...&signature=..." for GETs of this path (as the guard has it: decoded) until `expires`, in seconds since 1970. `key` NULL: there are no API
 * keys. False: nothing is to be signed (sessions_want()), or there is no libcrypto. Any thread. */
bool signed_url_make(struct sessions *sessions, const struct config_api_key *key, const char *path, int64_t expires,
	char query[SIGNED_URL_BYTES]);

/* Is it one that was made here, and its time not over? *key gets the API key that it stands for, NULL where there are none. The texts are the query's
 * parameters. Compares in constant time. Any thread. */
bool signed_url_check(struct sessions *sessions, const struct config_server *server, const char *path, const char *expires,
	const char *signature, const struct config_api_key **key);
