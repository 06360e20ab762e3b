/* pending_call.h - one provider call on its way from an HTTP thread to the engine, perhaps on to the store, and back.
 *
 * The HTTP thread waits with a deadline. If it gives up, the pending call lives on until the engine and the store are done with it: it is
 * counted by holders. Its stage decides, in one atomic step, whether the client is told no or the store is given the row: never both. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "api/incoming.h"
#include "base/limits.h"
#include "base/trace.h"
#include "engine/engine.h"
#include "registry/store.h"

enum pending_stage {
	PENDING_OPEN = 0,
	PENDING_GIVEN_UP, /* the client was told no, or has left: nothing is registered, ordered or sent, and no script is run */
	PENDING_TAKEN,	  /* the row goes to the store: the client is told its id */
	PENDING_LEFT,	  /* the store did not answer in time: the client was told the id, and that it may be registered */
	PENDING_WRITTEN,  /* the store has answered */
};

struct pending_call {
	_Atomic int holders;
	_Atomic int stage;		 /* enum pending_stage */
	struct pending_call *next_spare; /* the pool's */
	uint32_t place;			 /* where the HTTP thread waits (eventcount.h) ... */
	_Atomic bool ended;		 /* ... for this */
	struct host *host;
	int socket; /* the client's */
	struct engine_call call;
	json_t *kept[2];	   /* given up: the request's trees, which the call shares, until it is done with them ... */
	struct buffer_budget held; /* ... and what they count for among all bodies */
	struct verdict_json *verdict_json; /* held */
	enum verb verb;
	enum liveness liveness;
	const struct gate_view *view; /* held by a live call: its credentials and ways; else NULL */

	/* submit and generate: the answer and its row, made on the engine thread before the store writes them */
	struct buffer_budget texts; /* of the three buffers that are made of the call's */
	struct buffer answer;
	struct buffer row_payload;
	char job_id[ID_TEXT_BYTES];
	char vendor_id[64];
	char request_id[LIMIT_REQUEST_ID_BYTES + 1];
	char trace[TRACE_BYTES]; /* the client's traceparent, or "" */
	char idempotency_key[512];
	char *webhook_url;	   /* what a preview shows of the job's; or NULL */
	struct callback *callback; /* who is told of the job; or NULL */

	char caller_name[LIMIT_API_KEY_NAME_BYTES + 1]; /* of the API key, or "" */

	/* a submit that asks to be live */
	int64_t max_cost;
	struct buffer live_request; /* what prepare gets, as text */
	struct error refused;	    /* why a budget does not allow it; code ERROR_NONE otherwise */

	bool stored; /* `write` was handed to the store and came back */
	struct store_write write;
};

/* Calls that have ended wait here with their buffers for the next: a request on the usual path allocates almost nothing. */
struct pending_call_pool *pending_call_pool_new(void);

/* So that the store's thread wakes all at once whose rows went in with one commit. Before anything is written; the pool outlives the store. */
void pending_call_pool_attach(struct pending_call_pool *pool, struct task_store *store);
void pending_call_pool_free(struct pending_call_pool *pool);

/* Makes a pending call for the function with the script's request (or job), one more holder. NULL: out of memory. */
struct pending_call *pending_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request);
void pending_call_release(struct pending_call *pending);

/* A text more in live.missing: what it says keeps this call from being sent. */
void pending_call_add_missing(struct pending_call *pending, const char *text);

/* The same, if live execution is stopped. */
void pending_call_note_stopped(struct pending_call *pending);

/* Posts the call, waits until it was run (and, for submit and generate, its row is committed). False: an answer was sent instead (overload,
 * deadline, bad input, a script that failed or rests). Where that answer is no, there is no job. */
bool pending_call_run(struct pending_call *pending, struct incoming *incoming);
