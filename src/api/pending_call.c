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

struct exchange_pool {
	struct eventcount eventcount;
	struct eventcount_places committed; /* store thread: whose rows are in, and who is not told yet */
	pthread_mutex_t lock;
	struct exchange *first; /* under lock */
	int count;		/* under lock */
};

static void exchange_free(struct exchange *exchange)
{
	script_call_free(&exchange->call.call);
	buffer_free(&exchange->answer);
	buffer_free(&exchange->row_payload);
	buffer_free(&exchange->live_request);
	free(exchange);
}

struct exchange_pool *exchange_pool_new(void)
{
	struct exchange_pool *pool = aligned_alloc(_Alignof(struct exchange_pool), sizeof *pool);

	if (pool == NULL)
		return NULL;
	memset(pool, 0, sizeof *pool);
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

static void wake_group(void *context)
{
	struct exchange_pool *pool = context;

	eventcount_wake(&pool->eventcount, &pool->committed);
}

void exchange_pool_attach(struct exchange_pool *pool, struct task_store *store)
{
	task_store_on_group(store, wake_group, pool);
}

void exchange_pool_free(struct exchange_pool *pool)
{
	struct exchange *next;

	if (pool == NULL)
		return;
	for (; pool->first != NULL; pool->first = next) {
		next = pool->first->next_spare;
		exchange_free(pool->first);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct exchange *take_spare(struct exchange_pool *pool)
{
	struct exchange *exchange;

	pthread_mutex_lock(&pool->lock);
	exchange = pool->first;
	if (exchange != NULL) {
		pool->first = exchange->next_spare;
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return exchange;
}

static bool keep_spare(struct exchange_pool *pool, struct exchange *exchange)
{
	bool kept;

	pthread_mutex_lock(&pool->lock);
	kept = pool->count < SPARES;
	if (kept) {
		exchange->next_spare = pool->first;
		pool->first = exchange;
		pool->count++;
	}
	pthread_mutex_unlock(&pool->lock);
	return kept;
}

static struct exchange *make_exchange(void)
{
	struct exchange *exchange = malloc(sizeof *exchange);

	if (exchange == NULL)
		return NULL;
	exchange->texts = (struct buffer_budget){ .limit = SIZE_MAX, .total = script_call_total() };
	buffer_init(&exchange->answer, LIMIT_ANSWER_BYTES);
	buffer_init(&exchange->row_payload, LIMIT_ROW_BYTES);
	buffer_init(&exchange->live_request, LIMIT_BODY_BYTES_MAX);
	exchange->answer.budget = exchange->row_payload.budget = exchange->live_request.budget = &exchange->texts;
	script_call_init(&exchange->call.call);
	return exchange;
}

static void go_live(struct exchange *exchange, const struct incoming *incoming)
{
	engine_way_open(&exchange->call.way, exchange->view, incoming->provider);
	exchange->call.call.outgoing.detour = &exchange->call.way.detour;
	exchange->max_cost = incoming->max_cost;
	if (incoming->script_request != NULL)
		json_write(&exchange->live_request, incoming->script_request);
}

static bool is_given_up(const struct engine_call *call)
{
	const struct exchange *exchange =
		(const struct exchange *)(const void *)((const char *)call - offsetof(struct exchange, call));

	return atomic_load(&exchange->stage) == EXCHANGE_GIVEN_UP;
}

static const char *probe_held_back(const struct engine_call *call)
{
	const struct exchange *exchange =
		(const struct exchange *)(const void *)((const char *)call - offsetof(struct exchange, call));
	const struct manifest *manifest = &call->call.provider->manifest;

	return live_held_back(exchange->host->live, manifest->kind, manifest->id);
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

struct exchange *exchange_new(const struct incoming *incoming, enum manifest_function function, json_t *request)
{
	struct exchange *exchange = take_spare(incoming->host->exchanges);

	if (exchange == NULL && (exchange = make_exchange()) == NULL)
		return NULL;
	atomic_init(&exchange->holders, 1);
	atomic_init(&exchange->stage, EXCHANGE_OPEN);
	atomic_init(&exchange->ended, false);
	exchange->socket = http_socket(incoming->http);
	exchange->kept[0] = exchange->kept[1] = NULL;
	exchange->held = (struct buffer_budget){ 0 };
	exchange->host = incoming->host;
	exchange->place = eventcount_place(&exchange->host->exchanges->eventcount);
	exchange->verdict_json = verdict_json_hold(incoming->verdict_json);
	exchange->verb = incoming->verb;
	exchange->liveness = incoming->liveness;
	exchange->view = gate_hold(
		incoming->http->view); /* the one that it was judged by: whose credentials are sent, whose budgets count */
	exchange->stored = false;
	exchange->write = (struct store_write){ 0 };
	exchange->idempotency_key[0] = '\0';
	exchange->job = NULL;
	exchange->webhook_url = NULL;
	exchange->callback = NULL;
	exchange->refused.code = ERROR_NONE;
	snprintf(exchange->caller_name, sizeof exchange->caller_name, "%s",
		incoming->http->api_key != NULL ? incoming->http->api_key->name : "");
	snprintf(exchange->request_id, sizeof exchange->request_id, "%s", incoming->http->request_id);
	/* a submit is a dry run first, whatever becomes of it: the preview is what will be sent */
	script_call_set(&exchange->call.call, incoming->provider, function, request,
		function != FUNCTION_HEALTH || incoming->liveness != LIVENESS_LIVE);
	exchange->call.call.large_request = incoming->http->body_length > LIMIT_SCRIPT_BLAME_BYTES;
	if (function == FUNCTION_SUBMIT)
		exchange->webhook_url = webhooks_url(incoming->host->webhooks, incoming->http->view, incoming->provider, NULL);
	exchange->call.call.webhook_url = exchange->webhook_url;
	exchange->call.call.view = exchange->view;
	exchange->call.before_sending = before_probing;
	exchange->call.may_leave = probe_may_leave;
	exchange->call.unwanted = is_given_up;
	exchange->trace[0] = '\0';
	if (incoming->http->trace != NULL)
		memcpy(exchange->trace, incoming->http->trace, sizeof exchange->trace);
	if (incoming->http->trace != NULL && incoming->http->view->config->live.trace)
		exchange->call.call.outgoing.trace = exchange->trace;
	if (incoming->liveness == LIVENESS_LIVE)
		go_live(exchange, incoming);
	return exchange;
}

void exchange_release(struct exchange *exchange)
{
	struct host *host;

	if (exchange == NULL || atomic_fetch_sub_explicit(&exchange->holders, 1, memory_order_acq_rel) != 1)
		return;
	host = exchange->host;
	verdict_json_release(exchange->verdict_json);
	gate_release(host->gate, exchange->view);
	json_decref(exchange->kept[0]);
	json_decref(exchange->kept[1]);
	buffer_budget_give(&exchange->held, exchange->held.used);
	free(exchange->write.replay);
	free(exchange->webhook_url);
	callback_free(exchange->callback);
	script_call_clear(&exchange->call.call, SPARE_BUFFER_BYTES);
	buffer_reset(&exchange->answer, SPARE_BUFFER_BYTES);
	buffer_reset(&exchange->row_payload, SPARE_BUFFER_BYTES);
	buffer_reset(&exchange->live_request, SPARE_BUFFER_BYTES);
	if (!keep_spare(host->exchanges, exchange))
		exchange_free(exchange);
}

/* From here on the HTTP thread may go on: nothing but the holder's own share of the exchange is touched. */
static void end(struct exchange *exchange)
{
	atomic_store(&exchange->ended, true);
	exchange_release(exchange);
}

static void finish(struct exchange *exchange)
{
	struct exchange_pool *pool = exchange->host->exchanges;
	struct eventcount_places places = { 0 };

	eventcount_note(&places, exchange->place);
	end(exchange);
	eventcount_wake(&pool->eventcount, &places);
}

/* The row of a live job is committed: the job begins. Or it is not, and its money is free again. */
static void settle_order(struct exchange *exchange)
{
	struct live *live = exchange->host->live;

	if (exchange->job == NULL)
		return;
	if (exchange->write.outcome == STORE_WRITTEN)
		live_accept(live, exchange->job);
	else
		live_drop(live, exchange->job);
	exchange->job = NULL;
}

/* Store thread: the row is committed (or not, see write->outcome). */
static void row_written(struct store_write *write)
{
	struct exchange *exchange = (struct exchange *)(void *)((char *)write - offsetof(struct exchange, write));

	exchange->stored = true;
	settle_order(exchange);
	if (atomic_exchange(&exchange->stage, EXCHANGE_WRITTEN) == EXCHANGE_LEFT && write->outcome == STORE_WRITTEN)
		submission_emit(exchange);
	eventcount_note(&exchange->host->exchanges->committed, exchange->place); /* woken when the whole group is written */
	end(exchange);
}

/* One step, after which the client is told the job's id and not no any more. False: it was told no, or has left. */
static bool take(struct exchange *exchange)
{
	int open = EXCHANGE_OPEN;

	return !http_client_left(exchange->socket) && atomic_compare_exchange_strong(&exchange->stage, &open, EXCHANGE_TAKEN);
}

/* The submit's way to the store. False: it ends here, and nothing is registered. */
static bool submit(struct exchange *exchange)
{
	submission_compose(exchange);
	exchange->write.done = row_written;
	if (exchange->refused.code == ERROR_NONE && !take(exchange))
		error_set(
			&exchange->write.error, ERROR_BUSY, NULL, "%s: nothing was done, and no job was registered", left_early);
	else if (exchange->refused.code == ERROR_NONE && task_store_put(exchange->host->store, &exchange->write) == ERROR_NONE)
		return true;
	exchange->write.outcome = STORE_FAILED;
	settle_order(exchange);
	return false;
}

/* Engine thread: the script has run, or was not run at all. */
static void call_ran(struct engine_call *call)
{
	struct exchange *exchange = (struct exchange *)(void *)((char *)call - offsetof(struct exchange, call));
	enum call_outcome outcome = call->call.outcome;
	bool submits = exchange->verb == VERB_SUBMIT || exchange->verb == VERB_GENERATE;

	if (submits && (outcome == CALL_DONE || outcome == CALL_PREVIEW || outcome == CALL_REFUSED) && !is_given_up(call) &&
		submit(exchange))
		return;
	finish(exchange);
}

/* ---- waiting ---- */

static bool wait_until(struct exchange *exchange, int64_t deadline_ns)
{
	return eventcount_wait(&exchange->host->exchanges->eventcount, exchange->place, &exchange->ended, deadline_ns);
}

/* Before its script was begun. */
static bool withdraw(struct exchange *exchange)
{
	if (!engine_withdraw(exchange->host->engine, &exchange->call))
		return false;
	exchange_release(exchange); /* the engine's share */
	return true;
}

static bool give_up(struct exchange *exchange)
{
	int open = EXCHANGE_OPEN;

	return withdraw(exchange) || atomic_compare_exchange_strong(&exchange->stage, &open, EXCHANGE_GIVEN_UP);
}

/* The store has the row: what it has not begun to write is taken back, else its answer is waited for, for a while more. False: no job came of it. */
static bool take_back(struct exchange *exchange)
{
	if (!task_store_withdraw(exchange->host->store, &exchange->write))
		return false;
	exchange->write.outcome = STORE_FAILED;
	settle_order(exchange);
	exchange_release(exchange); /* the store's share */
	return true;
}

/* The commit has begun and does not end: the truth is that nobody knows yet. Whatever becomes of it, the registry will say. */
static void send_may_be_registered(struct exchange *exchange, struct incoming *incoming)
{
	char headers[160], members[80];

	snprintf(headers, sizeof headers, "Location: /api/jobs/status/%s\r\n", exchange->job_id);
	snprintf(members, sizeof members, "\"job_id\":\"%s\",", exchange->job_id);
	incoming_problem_with(incoming, 504,
		"the registry has not answered yet: the job may be registered. Look at its status before you send it again (404: "
		"it was not)",
		headers, members);
}

static void send_late(struct exchange *exchange, struct incoming *incoming, const char *why)
{
	char headers[48], detail[320];

	snprintf(headers, sizeof headers, "Retry-After: %d\r\n", engine_wait_seconds(exchange->host->engine, incoming->provider));
	snprintf(detail, sizeof detail, "%s: nothing was done, and no job was registered", why);
	incoming_problem(incoming, 503, NULL, detail, headers);
}

/* The engine may be at work on them. Who lets go last frees them. */
static void keep_trees(struct exchange *exchange, struct incoming *incoming)
{
	exchange->kept[0] = incoming->body;
	exchange->kept[1] = incoming->script_request;
	http_keep_json(incoming->http, &exchange->held);
	incoming->body = incoming->script_request = NULL;
	incoming->config = NULL; /* a part of the body */
}

/* Looks whether it should go on waiting. Why the client is told no, or NULL. */
static const char *try_to_leave(struct exchange *exchange, int64_t now_ns, int64_t deadline_ns)
{
	if (http_client_left(exchange->socket) && give_up(exchange))
		return left_early;
	if (now_ns >= deadline_ns && give_up(exchange))
		return "the host did not get to this call in time";
	/* where many wait, those whose script is slow give their threads to others */
	if (engine_backlog(exchange->host->engine) > exchange->host->most_waiting && withdraw(exchange))
		return "too many calls are waiting for slow scripts";
	return NULL;
}

/* False: an answer was sent. */
static bool await_store(struct exchange *exchange, struct incoming *incoming)
{
	int64_t wait_ms = test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS);
	int taken = EXCHANGE_TAKEN;

	if (take_back(exchange)) {
		send_late(exchange, incoming, "the registry did not get to this job in time");
		return false;
	}
	if (wait_until(exchange, clock_monotonic_ns() + wait_ms * 1000000) ||
		!atomic_compare_exchange_strong(&exchange->stage, &taken, EXCHANGE_LEFT))
		return wait_until(exchange, INT64_MAX); /* it is being told */
	send_may_be_registered(exchange, incoming);
	return false;
}

/* False: it was given up, and an answer was sent. */
static bool wait_until_finished(struct exchange *exchange, struct incoming *incoming)
{
	int64_t now = clock_monotonic_ns(), deadline = now + test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS) * 1000000, look;
	const char *why;

	for (;;) {
		look = now + LIMIT_CALL_LOOK_MS * 1000000LL;
		if (wait_until(exchange, look < deadline ? look : deadline))
			return true;
		now = clock_monotonic_ns();
		why = try_to_leave(exchange, now, deadline);
		if (why != NULL) {
			keep_trees(exchange, incoming);
			send_late(exchange, incoming, why);
			return false;
		}
		if (now >= deadline)
			return await_store(exchange, incoming);
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

static void send_busy(struct exchange *exchange, struct incoming *incoming, enum error_code code)
{
	char detail[320], headers[48];

	if (code == ERROR_LIMIT)
		snprintf(detail, sizeof detail, "%s is busy: %d calls are waiting for it, the maximum", incoming->provider->file,
			LIMIT_SCRIPT_QUEUE);
	else
		snprintf(detail, sizeof detail, "the host is busy: too many calls are waiting");
	snprintf(headers, sizeof headers, "Retry-After: %d\r\n", engine_wait_seconds(exchange->host->engine, incoming->provider));
	incoming_problem(incoming, 503, NULL, detail, headers);
}

/* Answers for a call whose outcome is not an answer of the script. */
static bool call_is_good(struct exchange *exchange, struct incoming *incoming)
{
	const struct script_call *call = &exchange->call.call;
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

void exchange_add_missing(struct exchange *exchange, const char *text)
{
	json_write_text(&exchange->call.call.refusals, text);
	buffer_char(&exchange->call.call.refusals, ',');
}

void exchange_note_stopped(struct exchange *exchange)
{
	if (live_is_stopped(exchange->host->live))
		exchange_add_missing(exchange, "live execution was stopped: POST /api/live/start starts it again");
}

bool exchange_run(struct exchange *exchange, struct incoming *incoming)
{
	enum error_code code;

	if (provider_rests(incoming->provider)) {
		send_resting(incoming);
		return false;
	}
	exchange->call.done = call_ran;
	atomic_fetch_add_explicit(&exchange->holders, 1, memory_order_relaxed);
	code = engine_post(incoming->host->engine, &exchange->call);
	if (code != ERROR_NONE) {
		exchange_release(exchange);
		send_busy(exchange, incoming, code);
		return false;
	}
	return wait_until_finished(exchange, incoming) && call_is_good(exchange, incoming);
}
