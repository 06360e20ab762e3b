/* verdict_json.h - the gate's verdict on a provider, as one of its kinds, in pieces of JSON, made once per change of flags, secrets or script. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "gate/gate.h"
#include "script/provider.h"

struct verdict_json_cache;

struct verdict_json {
	_Atomic int holders;
	bool execution_allowed;
	bool request_credential;
	bool live_allowed; /* all that a live call needs but its own "dry_run": false */
	char *head;	   /* "\"execution_allowed\":..,\"feature\":{..},\"credentials\":{..},": complete members */
	char *reason;	   /* JSON text or "null" */
	char *warnings;	   /* texts, each followed by a comma */
	char *missing;	   /* the same: what keeps a live request from being sent */
	uint32_t lacking;  /* optional credentials that are not there, by their places in the provider's list */
	struct verdict_json *with_optional; /* of a request that names one of them; NULL: none is lacking */
};

struct verdict_json_cache *verdict_json_cache_new(void);
void verdict_json_cache_free(struct verdict_json_cache *cache);

/* The verdict for a request of the kind `as` of the provider. Without `request_config` it comes from the cache. Held: verdict_json_release(). */
struct verdict_json *verdict_json_acquire(struct verdict_json_cache *cache, struct provider *provider,
	const struct provider_kind *as, const struct gate_view *view, const json_t *request_config);
struct verdict_json *verdict_json_hold(struct verdict_json *verdict_json);
void verdict_json_release(struct verdict_json *verdict_json);
