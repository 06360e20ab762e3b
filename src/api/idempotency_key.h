/* idempotency_key.h - Idempotency-Key: requests with the same key and body get one answer. HTTP threads. */
#pragma once

#include "api/incoming.h"
#include "api/key_turn.h"
#include "registry/store.h"

#define SCOPED_KEY_BYTES 512

/* Reads the header, if there is one, into `idempotency`; `text` gets the key with its scope, which `idempotency` borrows. False: an answer was
 * sent. */
bool idempotency_key_read(struct incoming *incoming, struct idempotency *idempotency, char text[SCOPED_KEY_BYTES]);

/* Equal requests take turns: the first runs, the others are answered with what it left in the store. True: it is this one's turn, until
 * idempotency_key_end(); at once without a key. False: an answer was sent. */
bool idempotency_key_begin(struct incoming *incoming, const struct idempotency *idempotency, struct key_turn *turn);

/* The row is written, or none will be. */
void idempotency_key_end(struct incoming *incoming, const struct idempotency *idempotency, struct key_turn *turn);

/* Sends the answer that the key's first request got, or that the key was used with another body. */
void idempotency_key_replay(struct incoming *incoming, int status, const char *answer, size_t length);
void idempotency_key_clash(struct incoming *incoming);
