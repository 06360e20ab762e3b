/* pending_call.h - a provider's call on its way from an HTTP thread to the engine, perhaps on to the store, and back.
 *
 * The HTTP thread waits with a deadline. If it gives up, the call lives on until engine and store are done with it: it is counted by holders. Its
 * stage decides, in one atomic step, whether the client is told no or the store is given the row: never both ("Giving up" in
 * docs/architecture.md). What is asked and what is made of it is the business of who makes the call. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "api/incoming.h"
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

struct pending_call;

/* What a call that ends with a row is for, or with what a row would be made of. */
struct pending_use {
	bool rowless; /* compose() never has anything to write */
	/* The script has run, and the client waits: fills in `write` but its `done`, which a live order may have put its own before (live_order()).
	 * False: there is nothing to write. Engine thread; CPU only. */
	bool (*compose)(struct pending_call *pending);
	/* Everybody has let go of the call: frees `owner`. Any thread. */
	void (*forget)(struct pending_call *pending);
};

struct pending_call {
	_Atomic int holders;
	_Atomic int stage;		 /* enum pending_stage */
	struct pending_call *next_spare; /* the pool's */
	struct host *host;
	int socket;	    /* the client's */
	uint32_t place;	    /* where the HTTP thread waits (eventcount.h) ... */
	_Atomic bool ended; /* ... for this */
	struct engine_call call;
	const struct gate_view
		*view; /* held: the one that the request was judged by, whose credentials are sent and whose budgets count */
	char trace[TRACE_BYTES];   /* the client's traceparent, or "" */
	json_t *kept[2];	   /* given up: the request's trees, which the call shares, until it is done with them ... */
	struct buffer_budget held; /* ... and what they count for among all bodies */

	/* of a call that ends with a row */
	const struct pending_use *use; /* else NULL */
	void *owner;		       /* for `use` */
	struct store_write write;
	struct buffer_budget texts; /* of these two: */
	struct buffer answer;
	struct buffer row; /* a long text that `write` needs */
};

/* Makes a dry call of the function with the script's request (or job), one more holder. */
struct pending_call *pending_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request);
void pending_call_release(struct pending_call *pending);

/* Opens the way that a live call's requests go: with the credentials and detours of its view. */
void pending_call_open_way(struct pending_call *pending);

/* Posts the call, waits until it was run (and its row is committed: write.outcome). False: an answer was sent instead (overload, deadline, bad
 * input, a script that failed or rests). Where that answer is no, there is no job. HTTP thread. */
bool pending_call_run(struct pending_call *pending, struct incoming *incoming);
