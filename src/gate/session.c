/* session.c - makes and checks the tokens of sessions. HTTP threads, under one lock for 32 bytes, which change when an operator ends all sessions. */
#include "gate/session.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

#define EXPIRY_BYTES 8
#define KEY_MARK_BYTES 16 /* of the key's SHA-256 */
#define SIGNED_BYTES (EXPIRY_BYTES + KEY_MARK_BYTES)
#define TOKEN_BYTES (SIGNED_BYTES + SHA256_DIGEST_LENGTH)

_Static_assert(SESSION_TOKEN_BYTES == 2 * TOKEN_BYTES + 1, "a token is written in hex digits");

struct sessions {
	char cookie[SESSION_COOKIE_BYTES];
	pthread_mutex_t lock;
	bool wanted;			      /* under lock */
	unsigned char key[SESSION_KEY_BYTES]; /* under lock */
};

void session_cookie_of(const char *home, char cookie[SESSION_COOKIE_BYTES])
{
	char resolved[PATH_MAX];
	const char *name = realpath(home, resolved) != NULL ? resolved : home;

	snprintf(cookie, SESSION_COOKIE_BYTES, "providerd_%08x", (unsigned)text_digest(name, strlen(name)));
}

struct sessions *sessions_new(const unsigned char key[SESSION_KEY_BYTES], const char *cookie)
{
	struct sessions *sessions = memory_new(sizeof *sessions);

	pthread_mutex_init(&sessions->lock, NULL);
	snprintf(sessions->cookie, sizeof sessions->cookie, "%s", cookie);
	memcpy(sessions->key, key, SESSION_KEY_BYTES);
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	explicit_bzero(sessions->key, sizeof sessions->key);
	pthread_mutex_destroy(&sessions->lock);
	free(sessions);
}

const char *sessions_cookie(const struct sessions *sessions)
{
	return sessions->cookie;
}

void sessions_set_key(struct sessions *sessions, const unsigned char key[SESSION_KEY_BYTES])
{
	pthread_mutex_lock(&sessions->lock);
	memcpy(sessions->key, key, SESSION_KEY_BYTES);
	pthread_mutex_unlock(&sessions->lock);
}

void sessions_want(struct sessions *sessions, bool wanted)
{
	pthread_mutex_lock(&sessions->lock);
	sessions->wanted = wanted;
	pthread_mutex_unlock(&sessions->lock);
}

/* ---- tokens ---- */

/* HMAC-SHA256 with the key. False: none is wanted, or there is no libcrypto. */
static bool sign(struct sessions *sessions, const void *bytes, size_t length, unsigned char mark[EVP_MAX_MD_SIZE])
{
	unsigned char key[SESSION_KEY_BYTES];
	bool ready;

	pthread_mutex_lock(&sessions->lock);
	ready = sessions->wanted;
	memcpy(key, sessions->key, sizeof key);
	pthread_mutex_unlock(&sessions->lock);
	ready = ready && crypto_load() && HMAC(EVP_sha256(), key, sizeof key, bytes, length, mark, NULL) != NULL;
	explicit_bzero(key, sizeof key);
	return ready;
}

/* A token's signed bytes begin with a time, whose first byte is 0: no use is taken for one. */
bool sessions_derive(struct sessions *sessions, const char *use, unsigned char key[SHA256_DIGEST_LENGTH])
{
	unsigned char mark[EVP_MAX_MD_SIZE];
	bool made = sign(sessions, use, strlen(use), mark);

	if (made)
		memcpy(key, mark, SHA256_DIGEST_LENGTH);
	explicit_bzero(mark, sizeof mark);
	return made;
}

static void write_expiry(unsigned char bytes[EXPIRY_BYTES], int64_t expires)
{
	for (int i = EXPIRY_BYTES - 1; i >= 0; i--, expires >>= 8)
		bytes[i] = (unsigned char)(expires & 0xff);
}

static int64_t read_expiry(const unsigned char bytes[EXPIRY_BYTES])
{
	uint64_t expires = 0;

	for (int i = 0; i < EXPIRY_BYTES; i++)
		expires = expires << 8 | bytes[i];
	return (int64_t)expires;
}

bool sessions_issue(struct sessions *sessions, const struct config_api_key *key, int64_t expires, char token[SESSION_TOKEN_BYTES])
{
	unsigned char bytes[SIGNED_BYTES], mark[EVP_MAX_MD_SIZE];

	write_expiry(bytes, expires);
	memcpy(bytes + EXPIRY_BYTES, key->sha256, KEY_MARK_BYTES);
	if (!sign(sessions, bytes, SIGNED_BYTES, mark))
		return false;
	text_write_hex(text_write_hex(token, bytes, sizeof bytes), mark, SHA256_DIGEST_LENGTH);
	return true;
}

/* Is it one that sessions_issue() wrote? */
static bool read_token(struct sessions *sessions, const char *token, size_t length, unsigned char bytes[TOKEN_BYTES])
{
	unsigned char mark[EVP_MAX_MD_SIZE];
	char text[SESSION_TOKEN_BYTES];

	if (length != SESSION_TOKEN_BYTES - 1)
		return false;
	memcpy(text, token, length);
	text[length] = '\0';
	return text_read_hex(text, bytes, TOKEN_BYTES) && sign(sessions, bytes, SIGNED_BYTES, mark) &&
	       CRYPTO_memcmp(mark, bytes + SIGNED_BYTES, SHA256_DIGEST_LENGTH) == 0;
}

const struct config_api_key *sessions_find(
	struct sessions *sessions, const struct config_server *server, const char *token, size_t length, int64_t *expires)
{
	const struct config_api_key *found = NULL;
	unsigned char bytes[TOKEN_BYTES];

	if (!read_token(sessions, token, length, bytes) || read_expiry(bytes) <= clock_unix_ms() / 1000)
		return NULL;
	for (size_t i = 0; i < server->api_key_count; i++)
		if (CRYPTO_memcmp(bytes + EXPIRY_BYTES, server->api_keys[i].sha256, KEY_MARK_BYTES) == 0)
			found = &server->api_keys[i];
	if (found != NULL)
		*expires = read_expiry(bytes);
	return found;
}
