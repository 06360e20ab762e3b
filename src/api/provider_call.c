/* provider_call.c - makes calls of scripts for HTTP threads, runs them there, and keeps spare ones. */
#include "api/provider_call.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_problem.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "directory/directory.h"

#define SPARES 64
#define SPARE_BUFFER_BYTES 16384

/* A stack. */
struct spare_calls {
	pthread_mutex_t lock; /* held for a pointer */
	struct provider_call *first;
	int count;
};

/* ---- spare ones ---- */

struct spare_calls *spare_calls_new(void)
{
	struct spare_calls *spares = memory_new(sizeof *spares);

	pthread_mutex_init(&spares->lock, NULL);
	return spares;
}

static void destroy_call(struct provider_call *call)
{
	script_call_free(&call->script);
	buffer_free(&call->answer);
	buffer_free(&call->row);
	free(call);
}

void spare_calls_free(struct spare_calls *spares)
{
	struct provider_call *next;

	if (spares == NULL)
		return;
	for (; spares->first != NULL; spares->first = next) {
		next = spares->first->next_spare;
		destroy_call(spares->first);
	}
	pthread_mutex_destroy(&spares->lock);
	free(spares);
}

static struct provider_call *make_call(void)
{
	struct provider_call *call = memory_new(sizeof *call);

	call->texts = (struct buffer_budget){ .limit = SIZE_MAX, .total = script_call_total() };
	buffer_init(&call->answer, LIMIT_ANSWER_BYTES);
	buffer_init(&call->row, LIMIT_ROW_BYTES);
	call->answer.budget = call->row.budget = &call->texts;
	script_call_init(&call->script);
	return call;
}

static struct provider_call *take_call(struct spare_calls *spares)
{
	struct provider_call *call;

	pthread_mutex_lock(&spares->lock);
	call = spares->first;
	if (call != NULL) {
		spares->first = call->next_spare;
		spares->count--;
	}
	pthread_mutex_unlock(&spares->lock);
	return call != NULL ? call : make_call();
}

/* Large buffers give their memory back. */
static void keep_call(struct spare_calls *spares, struct provider_call *call)
{
	bool kept;

	script_call_clear(&call->script, SPARE_BUFFER_BYTES);
	buffer_reset(&call->answer, SPARE_BUFFER_BYTES);
	buffer_reset(&call->row, SPARE_BUFFER_BYTES);
	pthread_mutex_lock(&spares->lock);
	kept = spares->count < SPARES;
	if (kept) {
		call->next_spare = spares->first;
		spares->first = call;
		spares->count++;
	}
	pthread_mutex_unlock(&spares->lock);
	if (!kept)
		destroy_call(call);
}

/* ---- made and freed ---- */

void provider_call_fill(struct script_call *script, const struct incoming *incoming, const struct gate_view *view)
{
	struct host *host = incoming->host;

	script->large_request = incoming->http->body_length > LIMIT_SCRIPT_BLAME_BYTES;
	script->view = view;
	script->models = directory_source(host->directory);
	script->ignore_directory = incoming->ignores_directory;
	script->observed = live_observed(host->live);
}

struct provider_call *provider_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request)
{
	struct host *host = incoming->host;
	const struct http_request *http = incoming->http;
	struct provider_call *call = take_call(host->spare_calls);

	call->host = host;
	call->view = gate_hold(http->view);
	script_call_set(&call->script, incoming->provider, function, incoming->kind, request, true);
	provider_call_fill(&call->script, incoming, call->view);
	call->trace[0] = '\0';
	if (http->trace != NULL) {
		memcpy(call->trace, http->trace, sizeof call->trace);
		if (http->view->config->live.trace)
			call->script.outgoing.trace = call->trace;
	}
	return call;
}

void provider_call_detour(struct provider_call *call)
{
	call->detour = provider_detour(call->script.provider, call->view);
	call->script.outgoing.detour = &call->detour;
}

void provider_call_free(struct provider_call *call)
{
	if (call == NULL)
		return;
	gate_release(call->host->gate, call->view);
	keep_call(call->host->spare_calls, call);
}

/* ---- run ---- */

bool provider_call_has_outcome(const struct script_call *script)
{
	return script->outcome == CALL_DONE || script->outcome == CALL_PREVIEW || script->outcome == CALL_REFUSED;
}

/* Where many wait, those whose script is slow give their threads to others. */
static const char *over(void *context, bool its_turn)
{
	const struct incoming *incoming = context;

	if (http_client_left(http_socket(incoming->http)))
		return call_left_early;
	if (!its_turn && instance_watch_waiting(incoming->host->instances) > incoming->host->most_waiting)
		return "too many calls are waiting for slow scripts";
	return NULL;
}

bool provider_call_run(struct provider_call *call, struct incoming *incoming)
{
	const int64_t wait_ms = test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS);
	const struct instance_patience patience = {
		.deadline_ns = clock_monotonic_ns() + wait_ms * 1000000, .over = over, .context = incoming
	};
	struct error error = { 0 };

	if (provider_rests(incoming->provider)) {
		call_problem_resting(incoming);
		return false;
	}
	switch (instance_pool_run(&call->script, &patience, &error)) {
	case INSTANCE_RAN:
		if (provider_call_has_outcome(&call->script))
			return true;
		call_problem_failed(incoming, &call->script);
		break;
	case INSTANCE_CROWDED: call_problem_crowded(incoming, instance_pool_wait_seconds(&incoming->provider->pool)); break;
	case INSTANCE_LATE:
		call_problem_late(incoming, error.message, instance_pool_wait_seconds(&incoming->provider->pool));
		break;
	case INSTANCE_FAILED:
		call->script.error = error;
		call_problem_failed(incoming, &call->script);
		break;
	}
	return false;
}
