/* job_call.c - runs one of the script's functions for a job, with the newest script and the newest configuration. Engine thread.
 *
 * Before each request leaves, the switches and the script are looked at anew. Before one that may cost something, the registry says so, synced to
 * disk: after a crash such a job is not sent again. A job sends one of those, or as many as its script declares and were reserved. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "webhook_in/webhook_in.h"

struct attempt {
	struct engine_call call; /* first: callbacks find the rest by it */
	struct live *live;
	struct live_job *job;
	struct provider_queue *provider_queue;
	size_t bytes; /* of the request */
	enum action action;
	int cancels;		      /* requests of cancel that are no GET */
	const struct gate_view *view; /* held */
	struct attempt *next, *previous;
	/* the mark that a paid request may be out */
	struct store_write mark;
	struct task_live marked;
	struct engine_note note;
};

static void attempt_free(struct attempt *attempt)
{
	struct live *live = attempt->live;

	attempt->provider_queue->calls--;
	attempt->provider_queue->call_bytes -= attempt->bytes;
	if (attempt->previous != NULL)
		attempt->previous->next = attempt->next;
	else
		live->attempts = attempt->next;
	if (attempt->next != NULL)
		attempt->next->previous = attempt->previous;
	script_call_free(&attempt->call.call);
	gate_release(live->gate, attempt->view);
	free(attempt);
}

void attempts_free(struct live *live)
{
	while (live->attempts != NULL)
		attempt_free(live->attempts);
}

/* ---- what the script gets ---- */

/* What is not there is empty; NULL: out of memory, and never an empty object in its place. */
static json_t *read_text(const char *text)
{
	return text != NULL ? json_read(text, strlen(text), NULL) : json_object();
}

static json_t *claimed_ids(const struct live_job *job)
{
	json_t *ids = json_array();

	for (size_t i = 0; ids != NULL && i < KNOWN_VENDOR_IDS; i++)
		if (job->provider_queue->known_vendor_ids[i] != NULL &&
			json_array_append_new(ids, json_string(job->provider_queue->known_vendor_ids[i])) != 0) {
			json_decref(ids);
			return NULL;
		}
	return ids;
}

static bool add_lost_facts(const struct live_job *job, json_t *object)
{
	char submitted[CLOCK_TEXT_BYTES];

	if (job->live.submitted_ms > 0) {
		clock_format(job->live.submitted_ms, submitted);
		if (json_object_set_new(object, "submitted_at", json_string(submitted)) != 0)
			return false;
	}
	return json_object_set_new(object, "claimed", claimed_ids(job)) == 0;
}

/* { id, state, payload, webhook_url }: docs/provider-scripts.md. NULL: out of memory. */
static json_t *job_object(const struct live_job *job, enum action action)
{
	json_t *object = json_pack("{s:s?,s:o,s:o,s:s?}", "id", job->vendor_id, "state", read_text(job->live.state), "payload",
		read_text(job->payload), "webhook_url", job->webhook_url);

	if (object == NULL)
		return NULL;
	if (job->vendor_id == NULL)
		json_object_del(object, "id");
	if (job->webhook_url == NULL)
		json_object_del(object, "webhook_url");
	if (action == ACTION_RECONCILE && !add_lost_facts(job, object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* Takes the oldest delivery off the job and puts the job into it. */
static json_t *delivery_object(struct live_job *job)
{
	struct delivery *delivery = job->deliveries;
	json_t *object = delivery->json;

	job->deliveries = delivery->next;
	free(delivery);
	if (json_object_set_new(object, "job", job_object(job, ACTION_WEBHOOK)) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *request_of(struct live_job *job, enum action action)
{
	if (action == ACTION_SUBMIT)
		return read_text(job->live.request);
	if (action == ACTION_WEBHOOK)
		return delivery_object(job);
	return job_object(job, action);
}

static enum manifest_function function_of(enum action action)
{
	switch (action) {
	case ACTION_SUBMIT: return FUNCTION_SUBMIT;
	case ACTION_CANCEL: return FUNCTION_CANCEL;
	case ACTION_RECONCILE: return FUNCTION_RECONCILE;
	case ACTION_WEBHOOK: return FUNCTION_WEBHOOK;
	default: return FUNCTION_POLL;
	}
}

/* ---- may it leave? ---- */

static bool is_there(const struct attempt *attempt)
{
	struct provider_set *set = provider_set_acquire(attempt->live->loader);
	bool there = provider_set_find(set, attempt->job->kind, attempt->job->provider) != NULL;

	provider_set_release(set);
	return there;
}

/* One that is no GET, and not paid for by itself. */
static const char *beyond_free(struct attempt *attempt)
{
	struct live_job *job = attempt->job;

	if (attempt->action != ACTION_CANCEL)
		return ++job->free_requests > LIMIT_LIVE_JOB_FREE ? "the job has sent too many requests that are no GET" : NULL;
	return ++attempt->cancels > LIMIT_LIVE_CANCELS || ++job->cancel_requests > LIMIT_LIVE_JOB_CANCELS
		       ? "cancel has sent too many requests that are no GET"
		       : NULL;
}

static int paid_so_far(const struct attempt *attempt)
{
	return attempt->job->live.paid + attempt->call.taken;
}

/* A script that was changed since may want fewer, but not more than its job reserved. */
static bool may_pay_again(const struct attempt *attempt)
{
	int declared = attempt->call.call.provider->manifest.paid_requests, reserved = attempt->job->live.paid_most;

	return paid_so_far(attempt) < (declared < reserved ? declared : reserved);
}

/* What has turned since it was asked for. What the vendor has is followed to its end, and canceled, whatever the switches say: it is paid
 * for. A submit, and whatever may cost, is not sent against them. */
static const char *held_back(const struct attempt *attempt, bool paid)
{
	if (!is_there(attempt))
		return "the provider's script is not there";
	return paid || attempt->action == ACTION_SUBMIT
		       ? live_held_back(attempt->live, attempt->job->kind, attempt->job->provider)
		       : NULL;
}

/* Why the request must not leave; NULL: it may. Counts it. */
static const char *refusal(struct attempt *attempt, bool paid)
{
	const struct outgoing *outgoing = &attempt->call.call.outgoing;
	bool reads = strcmp(outgoing->method, "GET") == 0 || strcmp(outgoing->method, "HEAD") == 0;
	const char *why = held_back(attempt, paid);

	if (why != NULL)
		return why;
	if (!reads && !paid)
		return beyond_free(attempt);
	if (paid && !may_pay_again(attempt))
		return "the job has sent the requests that it reserved money for: a script declares more, for jobs to come, as "
		       "paid_requests";
	return NULL;
}

/* ---- the mark ---- */

/* Engine thread: the mark is written, or not. */
static void on_marked(struct engine_note *note)
{
	struct attempt *attempt = (struct attempt *)(void *)((char *)note - offsetof(struct attempt, note));
	struct live_job *job = attempt->job;
	const char *why = NULL;

	if (attempt->mark.outcome != STORE_WRITTEN) {
		engine_deny(&attempt->call, "held", "the registry could not be written, so nothing was sent");
		return;
	}
	job->live.attempts = attempt->marked.attempts;
	job->live.submitted_ms = attempt->marked.submitted_ms;
	if (attempt->action == ACTION_SUBMIT)
		job_set_phase(attempt->live, job, LIVE_SENDING);
	if (engine_is_stopping(attempt->live->engine) || (attempt->action == ACTION_SUBMIT && job->want_cancel))
		why = "stopped before anything was sent";
	else
		why = refusal(attempt, true);
	if (why != NULL)
		engine_deny(&attempt->call, "held", why);
	else
		engine_send(&attempt->call);
}

/* Store thread. */
static void marked(struct store_write *write)
{
	struct attempt *attempt = (struct attempt *)(void *)((char *)write - offsetof(struct attempt, mark));

	attempt->note.run = on_marked;
	engine_run(attempt->live->engine, &attempt->note);
}

static void mark(struct attempt *attempt)
{
	struct live_job *job = attempt->job;
	bool first = attempt->action == ACTION_SUBMIT && job->live.phase != LIVE_SENDING;

	attempt->marked = job->live;
	attempt->marked.paid = paid_so_far(attempt) + 1;
	if (first) {
		attempt->marked.phase = LIVE_SENDING;
		attempt->marked.attempts++;
		attempt->marked.submitted_ms = clock_unix_ms();
	}
	attempt->mark = (struct store_write){
		.kind = STORE_UPDATE,
		.durable = true,
		.paying = true,
		.done = marked,
		.task = { .id = job->id,
			.kind = job->kind,
			.provider = job->provider,
			.status = job->status,
			.progress = job->progress,
			.updated_ms = clock_unix_ms(),
			.live = &attempt->marked },
	};
	if (task_store_put(attempt->live->store, &attempt->mark) != ERROR_NONE)
		engine_deny(&attempt->call, "held", "too many jobs are waiting to be written");
}

static bool is_paid(const struct attempt *attempt)
{
	return attempt->action != ACTION_CANCEL && outgoing_may_cost(&attempt->call.call.outgoing);
}

static bool may_leave(const struct engine_call *call)
{
	const struct attempt *attempt = (const struct attempt *)(const void *)call;

	return held_back(attempt, is_paid(attempt)) == NULL;
}

static void before_sending(struct engine_call *call)
{
	struct attempt *attempt = (struct attempt *)(void *)call;
	bool paid = is_paid(attempt);
	const char *why = refusal(attempt, paid);

	if (why != NULL)
		engine_deny(call, "held", why);
	else if (paid)
		mark(attempt);
	else
		engine_send(call);
}

/* ---- the attempt ---- */

static void call_done(struct engine_call *call)
{
	struct attempt *attempt = (struct attempt *)(void *)call;
	struct provider_queue *queue = attempt->provider_queue;
	struct live *live = attempt->live;

	attempt->job->action = ACTION_NONE;
	if (attempt->action != ACTION_CANCEL)
		attempt->job->live.paid += call->taken;
	attempt->job->requests += call->call.requests;
	attempt->job->rests_ns = clock_monotonic_ns() + call->call.requests * LIMIT_LIVE_REQUEST_MS * 1000000LL;
	outcome_of_call(live, attempt->job, attempt->action, call); /* the job may be gone after it */
	attempt_free(attempt);
	provider_queue_calls_changed(live, queue);
}

static struct attempt *attempt_make(struct live *live, struct live_job *job, enum action action)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);

	if (attempt == NULL)
		return NULL;
	script_call_init(&attempt->call.call);
	attempt->live = live;
	attempt->job = job;
	attempt->provider_queue = job->provider_queue;
	attempt->bytes = action == ACTION_SUBMIT && job->live.request != NULL ? strlen(job->live.request) : 0;
	attempt->provider_queue->calls++;
	attempt->provider_queue->call_bytes += attempt->bytes;
	attempt->action = action;
	attempt->view = gate_acquire(live->gate);
	attempt->call.done = call_done;
	attempt->call.before_sending = before_sending;
	attempt->call.may_leave = may_leave;
	attempt->next = live->attempts;
	if (attempt->next != NULL)
		attempt->next->previous = attempt;
	live->attempts = attempt;
	return attempt;
}

/* False: there is nothing to run; `why` says so, or is NULL: out of memory. */
static bool set_up(struct attempt *attempt, struct provider *provider, const char **why)
{
	enum manifest_function function = function_of(attempt->action);
	json_t *request;

	*why = "the provider's script is not there";
	if (provider == NULL)
		return false;
	*why = "the provider's script has no such function";
	if (!provider->manifest.has[function])
		return false;
	*why = "the provider's script rests: it went over its limits again and again";
	if (provider_rests(provider))
		return false;
	*why = NULL;
	request = request_of(attempt->job, attempt->action);
	if (request == NULL)
		return false;
	if (attempt->job->webhook_url == NULL)
		attempt->job->webhook_url =
			webhooks_in_url(attempt->live->webhooks_in, attempt->view, provider, &attempt->job->id);
	script_call_set(&attempt->call.call, provider, function, request, false);
	attempt->call.call.webhook_url = attempt->job->webhook_url;
	attempt->call.call.outgoing.trace = attempt->view->config->live.trace ? attempt->job->live.trace : NULL;
	json_decref(request);
	engine_way_open(&attempt->call.way, attempt->view, provider);
	attempt->call.call.outgoing.detour = &attempt->call.way.detour;
	return true;
}

void attempt_start(struct live *live, struct live_job *job, enum action action)
{
	struct attempt *attempt = attempt_make(live, job, action);
	struct provider_set *set = provider_set_acquire(live->loader);
	struct provider *provider = provider_set_find(set, job->kind, job->provider);
	const char *why = NULL;

	timer_clear(live, &job->timer);
	if (action == ACTION_POLL || action == ACTION_RECONCILE)
		job->want_poll = false;
	if (attempt != NULL && set_up(attempt, provider, &why)) {
		job->action = action;
		engine_post_here(live->engine, &attempt->call);
	} else {
		if (attempt != NULL)
			attempt_free(attempt);
		if (why != NULL)
			outcome_not_run(live, job, action, why);
		else
			outcome_put_off(live, job, action);
	}
	provider_set_release(set);
}
