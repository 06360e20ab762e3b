/* signing_keys.h - the keys with which vendors sign their webhooks: fetched by the host itself, kept in memory only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "webhook_in/signature.h"

struct signing_keys;

struct signing_key_set {
	struct signing_key keys[LIMIT_SIGNING_KEYS];
	size_t count;
	uint64_t fetch; /* which fetch brought them; 0: the secrets file did */
};

struct signing_keys *signing_keys_new(struct gate *gate, struct engine *engine);

/* After the engine was freed. */
void signing_keys_free(struct signing_keys *keys);

/* The keys of a provider whose manifest says how it signs: a credential `webhook_secret` of the secrets file (Standard Webhooks), else what was
 * fetched within LIMIT_SIGNING_KEYS_AGE_MS, else they are fetched now. With `newer_than` (an earlier set's `fetch`, when none of its keys fitted)
 * they are fetched again, unless that was done within LIMIT_SIGNING_KEYS_PAUSE_MS: then the same set comes back. Waits at most
 * LIMIT_SIGNING_KEYS_WAIT_MS. ERROR_BUSY: there are none now, or no newer ones could be fetched; ask again. The caller wipes the set. HTTP
 * threads. */
enum error_code signing_keys_get(struct signing_keys *keys, const struct gate_view *view, struct provider *provider,
	uint64_t newer_than, struct signing_key_set *set, struct error *error);
