/* pending_call.c - HTTP thread -> engine -> store -> HTTP thread. Knows a call's way, and nothing of what is asked or answered.
 *
 * The engine's thread hands the row straight to the store, so a durable submit needs three wake-ups, not four. */
#include "api/pending_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_problem.h"
#include "api/pending_call_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "directory/directory.h"

static const char left_early[] = "the client closed its side of the connection before the answer was there";

static void row_written(struct store_write *write);

static struct pending_call *pending_of(const struct engine_call *call)
{
	return (struct pending_call *)(void *)((char *)(uintptr_t)call - offsetof(struct pending_call, call));
}

static bool pending_is_given_up(const struct engine_call *call)
{
	return atomic_load(&pending_of(call)->stage) == PENDING_GIVEN_UP;
}

/* ---- made and freed ---- */

static void set_trace(struct pending_call *pending, const struct http_request *http)
{
	pending->trace[0] = '\0';
	if (http->trace == NULL)
		return;
	memcpy(pending->trace, http->trace, sizeof pending->trace);
	if (http->view->config->live.trace)
		pending->call.call.outgoing.trace = pending->trace;
}

struct pending_call *pending_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request)
{
	struct host *host = incoming->host;
	struct pending_call *pending = pending_call_pool_take(host->pending_calls);
	struct engine_call *call = &pending->call;

	atomic_init(&pending->holders, 1);
	atomic_init(&pending->stage, PENDING_OPEN);
	atomic_init(&pending->ended, false);
	pending->host = host;
	pending->socket = http_socket(incoming->http);
	pending->place = eventcount_place(&host->pending_calls->eventcount);
	pending->view = gate_hold(incoming->http->view);
	pending->kept[0] = pending->kept[1] = NULL;
	pending->held = (struct buffer_budget){ 0 };
	pending->use = NULL;
	pending->owner = NULL;
	pending->write = (struct store_write){ .done = row_written };
	script_call_set(&call->call, incoming->provider, function, incoming->kind, request, true);
	call->call.large_request = incoming->http->body_length > LIMIT_SCRIPT_BLAME_BYTES;
	call->call.view = pending->view;
	call->call.models = directory_source(host->directory);
	call->call.ignore_directory = incoming->ignores_directory;
	call->call.observed = live_observed(host->live);
	call->before_sending = NULL;
	call->may_leave = NULL;
	call->answered = NULL;
	call->unwanted = pending_is_given_up;
	set_trace(pending, incoming->http);
	return pending;
}

void pending_call_open_way(struct pending_call *pending)
{
	struct engine_call *call = &pending->call;

	engine_way_open(&call->way, pending->view, call->call.provider);
	call->call.outgoing.detour = &call->way.detour;
}

void pending_call_release(struct pending_call *pending)
{
	struct host *host = pending->host;

	if (atomic_fetch_sub_explicit(&pending->holders, 1, memory_order_acq_rel) != 1)
		return;
	if (pending->use != NULL)
		pending->use->forget(pending);
	gate_release(host->gate, pending->view);
	json_decref(pending->kept[0]);
	json_decref(pending->kept[1]);
	buffer_budget_give(&pending->held, pending->held.used);
	free(pending->write.replay.text);
	pending_call_pool_keep(host->pending_calls, pending);
}

/* ---- engine and store ---- */

/* From here on the HTTP thread may go on: nothing but the holder's own share of the call is touched. */
static void pending_end(struct pending_call *pending)
{
	atomic_store(&pending->ended, true);
	pending_call_release(pending);
}

/* Store thread: the row is committed (or not, see write->outcome). */
static void row_written(struct store_write *write)
{
	struct pending_call *pending = (struct pending_call *)(void *)((char *)write - offsetof(struct pending_call, write));

	atomic_store(&pending->stage, PENDING_WRITTEN);
	eventcount_note(&pending->host->pending_calls->committed, pending->place); /* woken when the whole group is written */
	pending_end(pending);
}

/* Nothing is registered: neither a row nor the job that was ordered with it. */
static void drop_row(struct pending_call *pending)
{
	pending->write.outcome = STORE_FAILED;
	live_drop(&pending->write);
}

/* One step, after which the client is told the job's id and not no any more. False: it was told no, or has left. */
static bool take_call(struct pending_call *pending)
{
	int open = PENDING_OPEN;

	return !http_client_left(pending->socket) && atomic_compare_exchange_strong(&pending->stage, &open, PENDING_TAKEN);
}

/* False: the row is to be put. */
static bool keep_row(struct pending_call *pending)
{
	if (!task_store_keep(pending->host->store, &pending->write))
		return false;
	pending->write.outcome = STORE_WRITTEN;
	atomic_store(&pending->stage, PENDING_WRITTEN);
	return true;
}

/* False: it ends here; the write's error says why. *kept: it ends here too, and the row is safe. */
static bool put_row(struct pending_call *pending, bool *kept)
{
	if (take_call(pending)) {
		*kept = keep_row(pending);
		return *kept || task_store_put(pending->host->store, &pending->write) == ERROR_NONE;
	}
	error_set(&pending->write.error, ERROR_BUSY, NULL, "%s: nothing was done, and no job was registered", left_early);
	return false;
}

static bool has_outcome(const struct script_call *call)
{
	return call->outcome == CALL_DONE || call->outcome == CALL_PREVIEW || call->outcome == CALL_REFUSED;
}

/* Engine thread: the script has run, or was not run at all. */
static void call_ran(struct engine_call *call)
{
	struct pending_call *pending = pending_of(call);
	struct pending_call_pool *pool = pending->host->pending_calls;
	struct eventcount_places places = { 0 };
	bool kept = false;

	if (pending->use != NULL && has_outcome(&call->call) && !pending_is_given_up(call)) {
		if (!pending->use->compose(pending) || !put_row(pending, &kept))
			drop_row(pending);
		else if (!kept)
			return; /* the store goes on */
	}
	eventcount_note(&places, pending->place);
	pending_end(pending);
	eventcount_wake(&pool->eventcount, &places);
}

/* ---- the HTTP thread waits ---- */

static bool await_end(struct pending_call *pending, int64_t deadline_ns)
{
	return eventcount_wait(&pending->host->pending_calls->eventcount, pending->place, &pending->ended, deadline_ns);
}

/* Before its script was begun. */
static bool withdraw_call(struct pending_call *pending)
{
	if (!engine_withdraw(pending->host->engine, &pending->call))
		return false;
	pending_call_release(pending); /* the engine's share */
	return true;
}

static bool give_call_up(struct pending_call *pending)
{
	int open = PENDING_OPEN;

	return withdraw_call(pending) || atomic_compare_exchange_strong(&pending->stage, &open, PENDING_GIVEN_UP);
}

/* The store has the row; what it has not begun to write is taken back. */
static bool withdraw_row(struct pending_call *pending)
{
	if (!task_store_withdraw(pending->host->store, &pending->write))
		return false;
	drop_row(pending);
	pending_call_release(pending); /* the store's share */
	return true;
}

/* The engine may be at work on them. Who lets go last frees them. */
static void keep_trees(struct pending_call *pending, struct incoming *incoming)
{
	pending->kept[0] = incoming->body;
	pending->kept[1] = incoming->script_request;
	http_keep_json(incoming->http, &pending->held);
	incoming->body = incoming->script_request = NULL;
	incoming->config = NULL; /* a part of the body */
}

/* Looks whether it should go on waiting. Why the client is told no, or NULL. */
static const char *try_to_leave(struct pending_call *pending, int64_t now_ns, int64_t deadline_ns)
{
	if (http_client_left(pending->socket) && give_call_up(pending))
		return left_early;
	if (now_ns >= deadline_ns && give_call_up(pending))
		return "the host did not get to this call in time";
	/* where many wait, those whose script is slow give their threads to others */
	if (engine_backlog(pending->host->engine) > pending->host->most_waiting && withdraw_call(pending))
		return "too many calls are waiting for slow scripts";
	return NULL;
}

/* False: an answer was sent. */
static bool await_store(struct pending_call *pending, struct incoming *incoming)
{
	int64_t wait_ms = test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS);
	int taken = PENDING_TAKEN;

	if (withdraw_row(pending)) {
		call_problem_late(incoming, "the registry did not get to this job in time");
		return false;
	}
	if (await_end(pending, clock_monotonic_ns() + wait_ms * 1000000) ||
		!atomic_compare_exchange_strong(&pending->stage, &taken, PENDING_LEFT))
		return await_end(pending, INT64_MAX); /* it is being told */
	call_problem_unsure(incoming, &pending->write.task.id);
	return false;
}

/* While the registry is away a row that it has not begun to write is taken back. */
static bool leaves_store(struct pending_call *pending)
{
	return task_store_is_away(pending->host->store) && withdraw_row(pending);
}

/* False: it was given up, and an answer was sent. */
static bool await_call(struct pending_call *pending, struct incoming *incoming)
{
	int64_t now = clock_monotonic_ns(), deadline = now + test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS) * 1000000, look;
	const char *why;

	for (;;) {
		look = now + LIMIT_CALL_LOOK_MS * 1000000LL;
		if (await_end(pending, look < deadline ? look : deadline))
			return true;
		now = clock_monotonic_ns();
		why = leaves_store(pending) ? "the registry cannot be reached" : try_to_leave(pending, now, deadline);
		if (why != NULL) {
			keep_trees(pending, incoming);
			call_problem_late(incoming, why);
			return false;
		}
		if (now >= deadline)
			return await_store(pending, incoming);
	}
}

bool pending_call_run(struct pending_call *pending, struct incoming *incoming)
{
	enum error_code code;

	if (provider_rests(incoming->provider)) {
		call_problem_resting(incoming);
		return false;
	}
	pending->call.done = call_ran;
	atomic_fetch_add_explicit(&pending->holders, 1, memory_order_relaxed);
	code = engine_post(incoming->host->engine, &pending->call);
	if (code != ERROR_NONE) {
		pending_call_release(pending);
		call_problem_busy(incoming, code);
		return false;
	}
	if (!await_call(pending, incoming))
		return false;
	if (has_outcome(&pending->call.call))
		return true;
	call_problem_failed(incoming, &pending->call.call);
	return false;
}
