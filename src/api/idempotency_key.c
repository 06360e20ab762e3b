/* idempotency_key.c - reads the key, and answers for one that the store knows already, without running the script. HTTP threads; no state. */
#include "api/idempotency_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "base/text.h"
#include "gate/mask.h"

void idempotency_key_replay(struct incoming *incoming, int status, const char *answer, size_t length)
{
	http_send(incoming->http,
		&(struct http_reply){
			.status = status, .headers = "Idempotent-Replayed: true\r\n", .body = answer, .body_length = length });
}

void idempotency_key_clash(struct incoming *incoming)
{
	incoming_problem(incoming, 409, NULL, "this Idempotency-Key was used with another body: use a new key for a new request");
}

/* The key is kept as long as the answer, so of one that looks like a credential only the hash is. */
static const char *kept_key(const struct incoming *incoming, const char *key, char hashed[2 * SHA256_DIGEST_LENGTH + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (!mask_finds(incoming->http->view, key))
		return key;
	crypto_sha256(key, strlen(key), digest);
	text_write_hex(hashed, digest, sizeof digest);
	return hashed;
}

/* The key's scope is who sent it and where to, so that two clients cannot meet. */
bool idempotency_key_read(struct incoming *incoming, struct idempotency *idempotency, char text[SCOPED_KEY_BYTES])
{
	const char *key = http_header(incoming->http, "Idempotency-Key");
	const char *owner = incoming->http->api_key != NULL ? incoming->http->api_key->name : "";
	char hashed[2 * SHA256_DIGEST_LENGTH + 1];
	int length;

	if (key == NULL)
		return true;
	if (*key == '\0' || strlen(key) > LIMIT_IDEMPOTENCY_KEY_BYTES) {
		incoming_problem(incoming, 400, NULL, "Idempotency-Key must have 1 to 255 characters");
		return false;
	}
	if (!crypto_load()) {
		incoming_problem(incoming, 503, NULL,
			"Idempotency-Key needs libcrypto (libssl3), which cannot be loaded: is it installed?");
		return false;
	}
	length = snprintf(text, SCOPED_KEY_BYTES, "%.64s\n%s/%s/%d\n%s", owner, incoming->kind, incoming->provider->manifest.id,
		(int)incoming->verb, kept_key(incoming, key, hashed));
	if (length < 0 || length >= SCOPED_KEY_BYTES) {
		incoming_problem(incoming, 400, NULL, "Idempotency-Key is too long");
		return false;
	}
	http_digest_body(incoming->http, idempotency->body_sha256);
	idempotency->key = text;
	return true;
}

/* True: an answer was sent. */
static bool answer_known_key(struct incoming *incoming, const struct idempotency *idempotency)
{
	struct error error = { 0 };
	struct stored_answer answer = { 0 };

	switch (task_store_replay(incoming->host->store, idempotency, &answer, &error)) {
	case STORE_WRITTEN: return false;
	case STORE_REPLAY: idempotency_key_replay(incoming, answer.status, answer.text, answer.length); break;
	case STORE_KEY_CLASH: idempotency_key_clash(incoming); break;
	case STORE_SHORT: /* of other writes only */
	case STORE_TIE_BROKEN:
	case STORE_NOT_OURS:
	case STORE_UNCHANGED:
	case STORE_VENDOR_ID_TAKEN:
	case STORE_HELD:
	case STORE_FAILED: incoming_retry(incoming, 1, error.message); break;
	}
	free(answer.text);
	return true;
}

bool idempotency_key_begin(struct incoming *incoming, const struct idempotency *idempotency, struct key_turn *turn)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_CALL_WAIT_MS * 1000000LL;
	struct key_turns *turns = incoming->host->turns;

	while (idempotency->key != NULL) {
		switch (key_turn_take(turns, turn, idempotency->key, deadline)) {
		case KEY_TURN_TAKEN:
			if (!answer_known_key(incoming, idempotency))
				return true;
			key_turn_end(turns, turn);
			return false;
		case KEY_TURN_OVER:
			if (answer_known_key(incoming, idempotency))
				return false;
			break;
		case KEY_TURN_LATE:
			incoming_retry(incoming, 1, "a request with this Idempotency-Key is still under way");
			return false;
		}
	}
	return true;
}

void idempotency_key_end(struct incoming *incoming, const struct idempotency *idempotency, struct key_turn *turn)
{
	if (idempotency->key != NULL)
		key_turn_end(incoming->host->turns, turn);
}
