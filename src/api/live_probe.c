/* live_probe.c - HTTP thread -> engine -> HTTP thread. What is asked before a request leaves runs on the engine's thread. A probe that its client gives up lives on until
 * the engine is done with it. */
#include "api/live_probe.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/call_problem.h"
#include "api/provider_call.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/test_setting.h"

struct live_probe {
	struct engine_call call;
	_Atomic int holders;
	_Atomic bool given_up;
	_Atomic bool ended; /* for ThreadSanitizer, which does not know sem_clockwait() */
	sem_t done;
	struct host *host;
	const struct gate_view *view; /* held */
	char trace[TRACE_BYTES];
};

static struct live_probe *probe_of(const struct engine_call *call)
{
	return (struct live_probe *)(void *)(uintptr_t)call; /* its first member */
}

struct engine_call *live_probe_call(struct live_probe *probe)
{
	return &probe->call;
}

void live_probe_release(struct live_probe *probe)
{
	if (atomic_fetch_sub_explicit(&probe->holders, 1, memory_order_acq_rel) != 1)
		return;
	script_call_free(&probe->call.call);
	gate_release(probe->host->gate, probe->view);
	sem_destroy(&probe->done);
	free(probe);
}

/* ---- engine thread ---- */

/* Why nothing may be sent to the provider now, or NULL. */
static const char *held_back(const struct engine_call *call)
{
	return live_held_back(probe_of(call)->host->live, call->call.kind->name, call->call.provider->manifest.id);
}

static bool may_leave(const struct engine_call *call)
{
	return held_back(call) == NULL;
}

/* The switches are looked at before each request, and nothing is paid. */
static void before_probing(struct engine_call *call)
{
	const char *why = held_back(call);

	if (why == NULL && outgoing_may_cost(&call->call.outgoing))
		why = "only a job may send what may cost something";
	if (why != NULL)
		engine_deny(call, "held", why);
	else
		engine_send(call);
}

static bool is_given_up(const struct engine_call *call)
{
	return atomic_load(&probe_of(call)->given_up);
}

static void on_probed(struct engine_call *call)
{
	struct live_probe *probe = probe_of(call);

	atomic_store(&probe->ended, true);
	sem_post(&probe->done);
	live_probe_release(probe);
}

/* ---- HTTP thread ---- */

static struct live_probe *probe_new(const struct incoming *incoming)
{
	const struct http_request *http = incoming->http;
	struct live_probe *probe = memory_new(sizeof *probe);
	struct engine_call *call = &probe->call;

	atomic_init(&probe->holders, 2);
	sem_init(&probe->done, 0, 0);
	probe->host = incoming->host;
	probe->view = gate_hold(http->view);
	script_call_init(&call->call);
	script_call_set(&call->call, incoming->provider, FUNCTION_HEALTH, incoming->kind, NULL, false);
	provider_call_fill(&call->call, incoming, probe->view);
	engine_way_open(&call->way, probe->view, incoming->provider);
	call->call.outgoing.detour = &call->way.detour;
	if (http->trace != NULL && http->view->config->live.trace) {
		memcpy(probe->trace, http->trace, sizeof probe->trace);
		call->call.outgoing.trace = probe->trace;
	}
	call->before_sending = before_probing;
	call->may_leave = may_leave;
	call->unwanted = is_given_up;
	call->done = on_probed;
	return probe;
}

static bool await_probe(struct live_probe *probe, int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	while (sem_clockwait(&probe->done, CLOCK_MONOTONIC, &until) == -1)
		if (errno != EINTR)
			return false;
	return atomic_load(&probe->ended);
}

/* False: an answer was sent. What it asks for costs nothing, so it may be given up at any time. */
static bool wait_for_probe(struct live_probe *probe, struct incoming *incoming)
{
	int64_t deadline_ns = clock_monotonic_ns() + test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS) * 1000000, look_ns;
	struct engine *engine = probe->host->engine;
	const char *why = NULL;

	while (why == NULL) {
		look_ns = clock_monotonic_ns() + LIMIT_CALL_LOOK_MS * 1000000LL;
		if (await_probe(probe, look_ns < deadline_ns ? look_ns : deadline_ns))
			return true;
		if (http_client_left(http_socket(incoming->http)))
			why = call_left_early;
		else if (clock_monotonic_ns() >= deadline_ns)
			why = "the host did not get to this call in time";
	}
	atomic_store(&probe->given_up, true);
	if (engine_withdraw(engine, &probe->call))
		live_probe_release(probe); /* the engine's hold */
	call_problem_late(incoming, why, engine_wait_seconds(engine, incoming->provider));
	return false;
}

/* False: an answer was sent. */
static bool run_probe(struct live_probe *probe, struct incoming *incoming)
{
	if (engine_post(probe->host->engine, &probe->call) != ERROR_NONE) {
		live_probe_release(probe); /* the engine's hold */
		call_problem_busy(incoming, engine_wait_seconds(probe->host->engine, incoming->provider));
		return false;
	}
	if (!wait_for_probe(probe, incoming))
		return false;
	if (!provider_call_has_outcome(&probe->call.call))
		call_problem_failed(incoming, &probe->call.call);
	return provider_call_has_outcome(&probe->call.call);
}

struct live_probe *live_probe_run(struct incoming *incoming)
{
	struct live_probe *probe;

	if (provider_rests(incoming->provider)) {
		call_problem_resting(incoming);
		return NULL;
	}
	probe = probe_new(incoming);
	if (run_probe(probe, incoming))
		return probe;
	live_probe_release(probe);
	return NULL;
}
