/* envelope.h - the JSON object that every provider answer is (docs/api.md). */
#pragma once

#include <stdbool.h>

#include "api/verdict_json.h"
#include "base/buffer.h"
#include "script/call.h"

/* What an envelope takes beside the provider's own members and what its script said: a little more than it does. */
#define ENVELOPE_USUAL_BYTES 1536

/* How an answer stands to the vendor. */
enum liveness {
	LIVENESS_DRY = 0, /* a dry run, not asked to be live */
	LIVENESS_ASKED,	  /* asked with "dry_run": false, and something is missing */
	LIVENESS_LIVE,	  /* the vendor was asked, or will be */
};

/* Appends the members that every answer of a provider carries, a comma after each: ok ... pricing, dry_run. */
void envelope_write_members(
	struct buffer *out, const struct provider_kind *as, const struct verdict_json *verdict_json, enum liveness liveness);

/* Appends reason, warnings, notes and live, without a comma at the end. `call` may be NULL. */
void envelope_write_causes(
	struct buffer *out, const struct verdict_json *verdict_json, const struct script_call *call, enum liveness liveness);

/* The same without the reason, for an answer that has one of its own: an object has each member once. */
void envelope_write_lists(
	struct buffer *out, const struct verdict_json *verdict_json, const struct script_call *call, enum liveness liveness);

/* Appends all of the above for an error, without a comma at the end: "ok" is false, whatever the gate says. */
void envelope_write_refusal(
	struct buffer *out, const struct provider_kind *as, const struct verdict_json *verdict_json, enum liveness liveness);

/* A text more in live.missing: it keeps this call from being sent, or (stopped) live execution is stopped. */
void envelope_add_missing(struct script_call *call, const char *text);
void envelope_add_stopped(struct script_call *call);

/* Appends a part that was written aside. One that failed fails the whole. */
void envelope_add(struct buffer *out, const struct buffer *part);

/* Appends "\"name\":" and the JSON text of `value`, or null when it is empty, and a comma. */
void envelope_write_json(struct buffer *out, const char *name, const struct buffer *value);
