/* submission.h - what a submit or generate comes to: its answer, and its row in the registry. */
#pragma once

#include "api/idempotency_key.h"
#include "api/pending_call.h"

/* Owned by its pending call, which lives until HTTP thread, engine and store are done with it. */
struct submission {
	struct pending_call *pending;
	struct verdict_json *verdict_json; /* held */
	enum liveness liveness;
	char job_id[ID_TEXT_BYTES];
	char vendor_id[64]; /* of a dry run */
	char request_id[LIMIT_REQUEST_ID_BYTES + 1];
	char idempotency_key[SCOPED_KEY_BYTES];
	char *webhook_url;			   /* what a preview shows of the job's; or NULL */
	struct callback *callback;		   /* who is told of the job; or NULL */
	char caller[LIMIT_API_KEY_NAME_BYTES + 1]; /* the API key's name, or "" */
	int64_t max_cost;			   /* micro-dollars; -1: not said */
	struct buffer live_request;		   /* asked to be live: what prepare gets, as text */
	struct error refused;			   /* why there is nothing to write; code ERROR_NONE: there is */
	bool told;				   /* the client, that it is registered */
};

/* The name of the API key that it came with, or NULL. */
const char *submission_caller(const struct submission *submission);

/* Composes answer and row of a call that has run: of a live job when its order has filled in the row's live half (live_order()), else of a dry run.
 * False: a text is too large, or there is no room for it; `refused` says so. Engine thread; CPU only, and nothing else is changed. */
bool submission_compose(struct submission *submission);
