/* pending_call.c - HTTP thread -> engine -> store -> HTTP thread.
 *
 * The engine thread makes answer and row and hands them straight to the store, so a durable submit needs three wake-ups, not four. */
#include "api/pending_call.h"
#include "api/callback.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/submission.h"
#include "base/eventcount.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "webhook_in/webhook_in.h"

#define SPARES 64
#define SPARE_BUFFER_BYTES 16384

static const char left_early[] = "the client closed its side of the connection before the answer was there";

struct pending_call_pool {
	struct eventcount eventcount;
	struct eventcount_places committed; /* store thread: whose rows are in, and who is not told yet */
	pthread_mutex_t lock;
	struct pending_call *first; /* under lock */
	int count;		    /* under lock */
};

static void pending_call_free(struct pending_call *pending)
{
	script_call_free(&pending->call.call);
	buffer_free(&pending->answer);
	buffer_free(&pending->row_payload);
	buffer_free(&pending->live_request);
	free(pending);
}

struct pending_call_pool *pending_call_pool_new(void)
{
	struct pending_call_pool *pool = aligned_alloc(_Alignof(struct pending_call_pool), sizeof *pool);

	if (pool == NULL)
		return NULL;
	memset(pool, 0, sizeof *pool);
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

static void wake_group(void *context)
{
	struct pending_call_pool *pool = context;

	eventcount_wake(&pool->eventcount, &pool->committed);
}

void pending_call_pool_attach(struct pending_call_pool *pool, struct task_store *store)
{
	task_store_on_group(store, wake_group, pool);
}

void pending_call_pool_free(struct pending_call_pool *pool)
{
	struct pending_call *next;

	if (pool == NULL)
		return;
	for (; pool->first != NULL; pool->first = next) {
		next = pool->first->next_spare;
		pending_call_free(pool->first);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct pending_call *take_spare(struct pending_call_pool *pool)
{
	struct pending_call *pending;

	pthread_mutex_lock(&pool->lock);
	pending = pool->first;
	if (pending != NULL) {
		pool->first = pending->next_spare;
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return pending;
}

static bool keep_spare(struct pending_call_pool *pool, struct pending_call *pending)
{
	bool kept;

	pthread_mutex_lock(&pool->lock);
	kept = pool->count < SPARES;
	if (kept) {
		pending->next_spare = pool->first;
		pool->first = pending;
		pool->count++;
	}
	pthread_mutex_unlock(&pool->lock);
	return kept;
}

static struct pending_call *make_pending(void)
{
	struct pending_call *pending = malloc(sizeof *pending);

	if (pending == NULL)
		return NULL;
	pending->texts = (struct buffer_budget){ .limit = SIZE_MAX, .total = script_call_total() };
	buffer_init(&pending->answer, LIMIT_ANSWER_BYTES);
	buffer_init(&pending->row_payload, LIMIT_ROW_BYTES);
	buffer_init(&pending->live_request, LIMIT_BODY_BYTES_MAX);
	pending->answer.budget = pending->row_payload.budget = pending->live_request.budget = &pending->texts;
	script_call_init(&pending->call.call);
	return pending;
}

static void go_live(struct pending_call *pending, const struct incoming *incoming)
{
	engine_way_open(&pending->call.way, pending->view, incoming->provider);
	pending->call.call.outgoing.detour = &pending->call.way.detour;
	pending->max_cost = incoming->max_cost;
	if (incoming->script_request != NULL)
		json_write(&pending->live_request, incoming->script_request);
}

static bool is_given_up(const struct engine_call *call)
{
	const struct pending_call *pending =
		(const struct pending_call *)(const void *)((const char *)call - offsetof(struct pending_call, call));

	return atomic_load(&pending->stage) == PENDING_GIVEN_UP;
}

static const char *probe_held_back(const struct engine_call *call)
{
	const struct pending_call *pending =
		(const struct pending_call *)(const void *)((const char *)call - offsetof(struct pending_call, call));
	const struct manifest *manifest = &call->call.provider->manifest;

	return live_held_back(pending->host->live, manifest->kind, manifest->id);
}

static bool probe_may_leave(const struct engine_call *call)
{
	return probe_held_back(call) == NULL;
}

/* Of a live health check: the switches are looked at before each request, and nothing is paid. */
static void before_probing(struct engine_call *call)
{
	const char *why = probe_held_back(call);

	if (why == NULL && outgoing_may_cost(&call->call.outgoing))
		why = "only a job may send what may cost something";
	if (why != NULL)
		engine_deny(call, "held", why);
	else
		engine_send(call);
}

struct pending_call *pending_call_new(const struct incoming *incoming, enum manifest_function function, json_t *request)
{
	struct pending_call *pending = take_spare(incoming->host->pending_calls);

	if (pending == NULL && (pending = make_pending()) == NULL)
		return NULL;
	atomic_init(&pending->holders, 1);
	atomic_init(&pending->stage, PENDING_OPEN);
	atomic_init(&pending->ended, false);
	pending->socket = http_socket(incoming->http);
	pending->kept[0] = pending->kept[1] = NULL;
	pending->held = (struct buffer_budget){ 0 };
	pending->host = incoming->host;
	pending->place = eventcount_place(&pending->host->pending_calls->eventcount);
	pending->verdict_json = verdict_json_hold(incoming->verdict_json);
	pending->verb = incoming->verb;
	pending->liveness = incoming->liveness;
	pending->view = gate_hold(
		incoming->http->view); /* the one that it was judged by: whose credentials are sent, whose budgets count */
	pending->stored = false;
	pending->write = (struct store_write){ 0 };
	pending->idempotency_key[0] = '\0';
	pending->webhook_url = NULL;
	pending->callback = NULL;
	pending->refused.code = ERROR_NONE;
	snprintf(pending->caller_name, sizeof pending->caller_name, "%s",
		incoming->http->api_key != NULL ? incoming->http->api_key->name : "");
	snprintf(pending->request_id, sizeof pending->request_id, "%s", incoming->http->request_id);
	/* a submit is a dry run first, whatever becomes of it: the preview is what will be sent */
	script_call_set(&pending->call.call, incoming->provider, function, request,
		function != FUNCTION_HEALTH || incoming->liveness != LIVENESS_LIVE);
	pending->call.call.large_request = incoming->http->body_length > LIMIT_SCRIPT_BLAME_BYTES;
	if (function == FUNCTION_SUBMIT)
		pending->webhook_url =
			webhooks_in_url(incoming->host->webhooks_in, incoming->http->view, incoming->provider, NULL);
	pending->call.call.webhook_url = pending->webhook_url;
	pending->call.call.view = pending->view;
	pending->call.before_sending = before_probing;
	pending->call.may_leave = probe_may_leave;
	pending->call.unwanted = is_given_up;
	pending->trace[0] = '\0';
	if (incoming->http->trace != NULL)
		memcpy(pending->trace, incoming->http->trace, sizeof pending->trace);
	if (incoming->http->trace != NULL && incoming->http->view->config->live.trace)
		pending->call.call.outgoing.trace = pending->trace;
	if (incoming->liveness == LIVENESS_LIVE)
		go_live(pending, incoming);
	return pending;
}

void pending_call_release(struct pending_call *pending)
{
	struct host *host;

	if (pending == NULL || atomic_fetch_sub_explicit(&pending->holders, 1, memory_order_acq_rel) != 1)
		return;
	host = pending->host;
	verdict_json_release(pending->verdict_json);
	gate_release(host->gate, pending->view);
	json_decref(pending->kept[0]);
	json_decref(pending->kept[1]);
	buffer_budget_give(&pending->held, pending->held.used);
	free(pending->write.replay);
	free(pending->webhook_url);
	callback_free(pending->callback);
	script_call_clear(&pending->call.call, SPARE_BUFFER_BYTES);
	buffer_reset(&pending->answer, SPARE_BUFFER_BYTES);
	buffer_reset(&pending->row_payload, SPARE_BUFFER_BYTES);
	buffer_reset(&pending->live_request, SPARE_BUFFER_BYTES);
	if (!keep_spare(host->pending_calls, pending))
		pending_call_free(pending);
}

/* From here on the HTTP thread may go on: nothing but the holder's own share of the pending call is touched. */
static void end(struct pending_call *pending)
{
	atomic_store(&pending->ended, true);
	pending_call_release(pending);
}

static void finish(struct pending_call *pending)
{
	struct pending_call_pool *pool = pending->host->pending_calls;
	struct eventcount_places places = { 0 };

	eventcount_note(&places, pending->place);
	end(pending);
	eventcount_wake(&pool->eventcount, &places);
}

/* Store thread: the row is committed (or not, see write->outcome). */
static void row_written(struct store_write *write)
{
	struct pending_call *pending = (struct pending_call *)(void *)((char *)write - offsetof(struct pending_call, write));

	pending->stored = true;
	if (atomic_exchange(&pending->stage, PENDING_WRITTEN) == PENDING_LEFT && write->outcome == STORE_WRITTEN)
		submission_emit(pending);
	eventcount_note(&pending->host->pending_calls->committed, pending->place); /* woken when the whole group is written */
	end(pending);
}

/* One step, after which the client is told the job's id and not no any more. False: it was told no, or has left. */
static bool take(struct pending_call *pending)
{
	int open = PENDING_OPEN;

	return !http_client_left(pending->socket) && atomic_compare_exchange_strong(&pending->stage, &open, PENDING_TAKEN);
}

/* The submit's way to the store. False: it ends here, and nothing is registered. */
static bool submit(struct pending_call *pending)
{
	pending->write.done = row_written;
	submission_compose(pending);
	if (pending->refused.code == ERROR_NONE && !take(pending))
		error_set(&pending->write.error, ERROR_BUSY, NULL, "%s: nothing was done, and no job was registered", left_early);
	else if (pending->refused.code == ERROR_NONE && task_store_put(pending->host->store, &pending->write) == ERROR_NONE)
		return true;
	pending->write.outcome = STORE_FAILED;
	live_drop(&pending->write);
	return false;
}

/* Engine thread: the script has run, or was not run at all. */
static void call_ran(struct engine_call *call)
{
	struct pending_call *pending = (struct pending_call *)(void *)((char *)call - offsetof(struct pending_call, call));
	enum call_outcome outcome = call->call.outcome;
	bool submits = pending->verb == VERB_SUBMIT || pending->verb == VERB_GENERATE;

	if (submits && (outcome == CALL_DONE || outcome == CALL_PREVIEW || outcome == CALL_REFUSED) && !is_given_up(call) &&
		submit(pending))
		return;
	finish(pending);
}

/* ---- waiting ---- */

static bool wait_until(struct pending_call *pending, int64_t deadline_ns)
{
	return eventcount_wait(&pending->host->pending_calls->eventcount, pending->place, &pending->ended, deadline_ns);
}

/* Before its script was begun. */
static bool withdraw(struct pending_call *pending)
{
	if (!engine_withdraw(pending->host->engine, &pending->call))
		return false;
	pending_call_release(pending); /* the engine's share */
	return true;
}

static bool give_up(struct pending_call *pending)
{
	int open = PENDING_OPEN;

	return withdraw(pending) || atomic_compare_exchange_strong(&pending->stage, &open, PENDING_GIVEN_UP);
}

/* The store has the row: what it has not begun to write is taken back, else its answer is waited for, for a while more. False: no job came of it. */
static bool take_back(struct pending_call *pending)
{
	if (!task_store_withdraw(pending->host->store, &pending->write))
		return false;
	pending->write.outcome = STORE_FAILED;
	live_drop(&pending->write);
	pending_call_release(pending); /* the store's share */
	return true;
}

/* The commit has begun and does not end: the truth is that nobody knows yet. Whatever becomes of it, the registry will say. */
static void send_may_be_registered(struct pending_call *pending, struct incoming *incoming)
{
	char headers[160], members[80];

	snprintf(headers, sizeof headers, "Location: /api/jobs/status/%s\r\n", pending->job_id);
	snprintf(members, sizeof members, "\"job_id\":\"%s\",", pending->job_id);
	incoming_problem_with(incoming, 504,
		"the registry has not answered yet: the job may be registered. Look at its status before you send it again (404: "
		"it was not)",
		headers, members);
}

static void send_late(struct pending_call *pending, struct incoming *incoming, const char *why)
{
	char headers[48], detail[320];

	snprintf(headers, sizeof headers, "Retry-After: %d\r\n", engine_wait_seconds(pending->host->engine, incoming->provider));
	snprintf(detail, sizeof detail, "%s: nothing was done, and no job was registered", why);
	incoming_problem(incoming, 503, NULL, detail, headers);
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
	if (http_client_left(pending->socket) && give_up(pending))
		return left_early;
	if (now_ns >= deadline_ns && give_up(pending))
		return "the host did not get to this call in time";
	/* where many wait, those whose script is slow give their threads to others */
	if (engine_backlog(pending->host->engine) > pending->host->most_waiting && withdraw(pending))
		return "too many calls are waiting for slow scripts";
	return NULL;
}

/* False: an answer was sent. */
static bool await_store(struct pending_call *pending, struct incoming *incoming)
{
	int64_t wait_ms = test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS);
	int taken = PENDING_TAKEN;

	if (take_back(pending)) {
		send_late(pending, incoming, "the registry did not get to this job in time");
		return false;
	}
	if (wait_until(pending, clock_monotonic_ns() + wait_ms * 1000000) ||
		!atomic_compare_exchange_strong(&pending->stage, &taken, PENDING_LEFT))
		return wait_until(pending, INT64_MAX); /* it is being told */
	send_may_be_registered(pending, incoming);
	return false;
}

/* False: it was given up, and an answer was sent. */
static bool wait_until_finished(struct pending_call *pending, struct incoming *incoming)
{
	int64_t now = clock_monotonic_ns(), deadline = now + test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS) * 1000000, look;
	const char *why;

	for (;;) {
		look = now + LIMIT_CALL_LOOK_MS * 1000000LL;
		if (wait_until(pending, look < deadline ? look : deadline))
			return true;
		now = clock_monotonic_ns();
		why = try_to_leave(pending, now, deadline);
		if (why != NULL) {
			keep_trees(pending, incoming);
			send_late(pending, incoming, why);
			return false;
		}
		if (now >= deadline)
			return await_store(pending, incoming);
	}
}

/* It rests, or did when its turn came. */
static void send_resting(struct incoming *incoming)
{
	long long seconds = (long long)(provider_resting_ms(incoming->provider) / 1000 + 1);
	char detail[320], headers[48];

	if (incoming->provider->stood_still) { /* waiting does not help */
		provider_rest_reason(incoming->provider, detail, sizeof detail);
		incoming_problem(incoming, 503, NULL, detail, NULL);
		return;
	}
	snprintf(detail, sizeof detail,
		"%s rests for another %lld s: it was stopped %d times within %d s for going over its limits; a saved change "
		"wakes it",
		incoming->provider->file, seconds, LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000);
	snprintf(headers, sizeof headers, "Retry-After: %lld\r\n", seconds);
	incoming_problem(incoming, 503, NULL, detail, headers);
}

static void send_busy(struct pending_call *pending, struct incoming *incoming, enum error_code code)
{
	char detail[320], headers[48];

	if (code == ERROR_LIMIT)
		snprintf(detail, sizeof detail, "%s is busy: %d calls are waiting for it, the maximum", incoming->provider->file,
			LIMIT_SCRIPT_QUEUE);
	else
		snprintf(detail, sizeof detail, "the host is busy: too many calls are waiting");
	snprintf(headers, sizeof headers, "Retry-After: %d\r\n", engine_wait_seconds(pending->host->engine, incoming->provider));
	incoming_problem(incoming, 503, NULL, detail, headers);
}

/* Answers for a call whose outcome is not an answer of the script. */
static bool call_is_good(struct pending_call *pending, struct incoming *incoming)
{
	const struct script_call *call = &pending->call.call;
	char path[sizeof call->error.path + 8];

	if (call->outcome == CALL_INVALID) {
		const char *prefix = script_call_prefix(call);

		snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' && call->error.path[0] != '\0' ? "." : "",
			call->error.path);
		incoming_problem(incoming, 400, path, call->error.message, NULL);
		return false;
	}
	if (call->outcome == CALL_RESTING) {
		send_resting(incoming);
		return false;
	}
	if (call->outcome == CALL_FAILED) {
		if (call->error.code == ERROR_MEMORY) {
			incoming_no_memory(incoming);
			return false;
		}
		log_message(LOG_ERROR, "script.failed", "%s", call->error.message);
		incoming_problem(incoming, 500, NULL, call->error.message, NULL);
		return false;
	}
	return true;
}

void pending_call_add_missing(struct pending_call *pending, const char *text)
{
	json_write_text(&pending->call.call.refusals, text);
	buffer_char(&pending->call.call.refusals, ',');
}

void pending_call_note_stopped(struct pending_call *pending)
{
	if (live_is_stopped(pending->host->live))
		pending_call_add_missing(pending, "live execution was stopped: POST /api/live/start starts it again");
}

bool pending_call_run(struct pending_call *pending, struct incoming *incoming)
{
	enum error_code code;

	if (provider_rests(incoming->provider)) {
		send_resting(incoming);
		return false;
	}
	pending->call.done = call_ran;
	atomic_fetch_add_explicit(&pending->holders, 1, memory_order_relaxed);
	code = engine_post(incoming->host->engine, &pending->call);
	if (code != ERROR_NONE) {
		pending_call_release(pending);
		send_busy(pending, incoming, code);
		return false;
	}
	return wait_until_finished(pending, incoming) && call_is_good(pending, incoming);
}
