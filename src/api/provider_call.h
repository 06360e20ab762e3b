/* provider_call.h - a call of a provider's script that a request makes, with what is made of it: it runs on the thread that has the request. What is asked
 * and what is answered is the business of who makes the call. */
#pragma once

#include <stdbool.h>

#include "api/incoming.h"
#include "base/trace.h"
#include "script/call.h"

struct spare_calls;

struct provider_call {
	struct host *host;
	struct script_call script;
	const struct gate_view
		*view; /* held: the one that the request was judged by, whose credentials are named and whose budgets count */
	struct destination_detour detour; /* of a call that could be live: where its request would go */
	char trace[TRACE_BYTES];	  /* the client's traceparent, or "" */
	struct buffer_budget texts;	  /* of these two: */
	struct buffer answer;
	struct buffer row; /* a long text that a row of the registry needs */
	struct provider_call *next_spare;
};

/* A dry call of the function with the script's request (or job), which gets one more holder. HTTP thread. */
struct provider_call *provider_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request);
void provider_call_free(struct provider_call *call); /* NULL: does nothing; any thread */

/* Says what the call is about, of one that the engine is to make as well. */
void provider_call_fill(struct script_call *script, const struct incoming *incoming, const struct gate_view *view);

/* Its request is shown as a live one would be sent: with live.upstream and the provider's base_url of its view. */
void provider_call_detour(struct provider_call *call);

/* Runs it. False: an answer was sent instead (its script is busy, rests, failed, or found the input bad). */
bool provider_call_run(struct provider_call *call, struct incoming *incoming);

/* Did the script come to something that can be told? */
bool provider_call_has_outcome(const struct script_call *script);

/* Calls that have ended wait here with their buffers for the next, so a request on the usual path allocates almost nothing. Any thread. */
struct spare_calls *spare_calls_new(void);
void spare_calls_free(struct spare_calls *spares); /* when no call is under way any more; NULL: does nothing */
