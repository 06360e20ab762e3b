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

struct job_call {
	struct engine_call call; /* first: callbacks find the rest by it */
	struct live *live;
	struct live_job *job;
	struct provider_queue *provider_queue;
	size_t bytes; /* of the request */
	enum action action;
	int cancels;		      /* requests of cancel that are no GET */
	const struct gate_view *view; /* held */
	struct job_call *next, *previous;
	/* the mark that a paid request may be out */
	struct store_write mark;
	struct task_live marked;
	struct engine_note note;
};

static void job_call_free(struct job_call *job_call)
{
	struct live *live = job_call->live;

	job_call->provider_queue->calls--;
	job_call->provider_queue->call_bytes -= job_call->bytes;
	if (job_call->previous != NULL)
		job_call->previous->next = job_call->next;
	else
		live->job_calls = job_call->next;
	if (job_call->next != NULL)
		job_call->next->previous = job_call->previous;
	script_call_free(&job_call->call.call);
	gate_release(live->gate, job_call->view);
	free(job_call);
}

void job_calls_free(struct live *live)
{
	while (live->job_calls != NULL)
		job_call_free(live->job_calls);
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
	struct vendor_webhook *vendor_webhook = job->vendor_webhooks;
	json_t *object = vendor_webhook->json;

	job->vendor_webhooks = vendor_webhook->next;
	free(vendor_webhook);
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

static bool is_there(const struct job_call *job_call)
{
	struct provider_set *set = provider_loader_acquire(job_call->live->loader);
	bool there = provider_set_find(set, job_call->job->kind, job_call->job->provider) != NULL;

	provider_set_release(set);
	return there;
}

/* One that is no GET, and not paid for by itself. */
static const char *beyond_free(struct job_call *job_call)
{
	struct live_job *job = job_call->job;

	if (job_call->action != ACTION_CANCEL)
		return ++job->free_requests > LIMIT_LIVE_JOB_FREE ? "the job has sent too many requests that are no GET" : NULL;
	return ++job_call->cancels > LIMIT_LIVE_CANCELS || ++job->cancel_requests > LIMIT_LIVE_JOB_CANCELS
		       ? "cancel has sent too many requests that are no GET"
		       : NULL;
}

static int paid_so_far(const struct job_call *job_call)
{
	return job_call->job->live.paid + job_call->call.taken;
}

/* A script that was changed since may want fewer, but not more than its job reserved. */
static bool may_pay_again(const struct job_call *job_call)
{
	int declared = job_call->call.call.provider->manifest.paid_requests, reserved = job_call->job->live.paid_most;

	return paid_so_far(job_call) < (declared < reserved ? declared : reserved);
}

/* What has turned since it was asked for. What the vendor has is followed to its end, and canceled, whatever the switches say: it is paid
 * for. A submit, and whatever may cost, is not sent against them. */
static const char *held_back(const struct job_call *job_call, bool paid)
{
	if (!is_there(job_call))
		return "the provider's script is not there";
	return paid || job_call->action == ACTION_SUBMIT
		       ? live_held_back(job_call->live, job_call->job->kind, job_call->job->provider)
		       : NULL;
}

/* Why the request must not leave; NULL: it may. Counts it. */
static const char *refusal(struct job_call *job_call, bool paid)
{
	const struct outgoing *outgoing = &job_call->call.call.outgoing;
	bool reads = strcmp(outgoing->method, "GET") == 0 || strcmp(outgoing->method, "HEAD") == 0;
	const char *why = held_back(job_call, paid);

	if (why != NULL)
		return why;
	if (!reads && !paid)
		return beyond_free(job_call);
	if (paid && !may_pay_again(job_call))
		return "the job has sent the requests that it reserved money for: a script declares more, for jobs to come, as "
		       "paid_requests";
	return NULL;
}

/* ---- the mark ---- */

/* Engine thread: the mark is written, or not. */
static void on_marked(struct engine_note *note)
{
	struct job_call *job_call = (struct job_call *)(void *)((char *)note - offsetof(struct job_call, note));
	struct live_job *job = job_call->job;
	const char *why = NULL;

	if (job_call->mark.outcome != STORE_WRITTEN) {
		engine_deny(&job_call->call, "held", "the registry could not be written, so nothing was sent");
		return;
	}
	job->live.attempts = job_call->marked.attempts;
	job->live.submitted_ms = job_call->marked.submitted_ms;
	if (job_call->action == ACTION_SUBMIT)
		job_set_phase(job_call->live, job, LIVE_SENDING);
	if (engine_is_stopping(job_call->live->engine) || (job_call->action == ACTION_SUBMIT && job->want_cancel))
		why = "stopped before anything was sent";
	else
		why = refusal(job_call, true);
	if (why != NULL)
		engine_deny(&job_call->call, "held", why);
	else
		engine_send(&job_call->call);
}

/* Store thread. */
static void marked(struct store_write *write)
{
	struct job_call *job_call = (struct job_call *)(void *)((char *)write - offsetof(struct job_call, mark));

	job_call->note.run = on_marked;
	engine_run(job_call->live->engine, &job_call->note);
}

static void mark(struct job_call *job_call)
{
	struct live_job *job = job_call->job;
	bool first = job_call->action == ACTION_SUBMIT && job->live.phase != LIVE_SENDING;

	job_call->marked = job->live;
	job_call->marked.paid = paid_so_far(job_call) + 1;
	if (first) {
		job_call->marked.phase = LIVE_SENDING;
		job_call->marked.attempts++;
		job_call->marked.submitted_ms = clock_unix_ms();
	}
	job_call->mark = (struct store_write){
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
			.live = &job_call->marked },
	};
	if (task_store_put(job_call->live->store, &job_call->mark) != ERROR_NONE)
		engine_deny(&job_call->call, "held", "too many jobs are waiting to be written");
}

static bool is_paid(const struct job_call *job_call)
{
	return job_call->action != ACTION_CANCEL && outgoing_may_cost(&job_call->call.call.outgoing);
}

static bool may_leave(const struct engine_call *call)
{
	const struct job_call *job_call = (const struct job_call *)(const void *)call;

	return held_back(job_call, is_paid(job_call)) == NULL;
}

static void before_sending(struct engine_call *call)
{
	struct job_call *job_call = (struct job_call *)(void *)call;
	bool paid = is_paid(job_call);
	const char *why = refusal(job_call, paid);

	if (why != NULL)
		engine_deny(call, "held", why);
	else if (paid)
		mark(job_call);
	else
		engine_send(call);
}

/* ---- the attempt ---- */

static void call_done(struct engine_call *call)
{
	struct job_call *job_call = (struct job_call *)(void *)call;
	struct provider_queue *queue = job_call->provider_queue;
	struct live *live = job_call->live;

	job_call->job->action = ACTION_NONE;
	if (job_call->action != ACTION_CANCEL)
		job_call->job->live.paid += call->taken;
	job_call->job->requests += call->call.requests;
	job_call->job->rests_ns = clock_monotonic_ns() + call->call.requests * LIMIT_LIVE_REQUEST_MS * 1000000LL;
	outcome_of_call(live, job_call->job, job_call->action, call); /* the job may be gone after it */
	job_call_free(job_call);
	provider_queue_calls_changed(live, queue);
}

static struct job_call *job_call_make(struct live *live, struct live_job *job, enum action action)
{
	struct job_call *job_call = calloc(1, sizeof *job_call);

	if (job_call == NULL)
		return NULL;
	script_call_init(&job_call->call.call);
	job_call->live = live;
	job_call->job = job;
	job_call->provider_queue = job->provider_queue;
	job_call->bytes = action == ACTION_SUBMIT && job->live.request != NULL ? strlen(job->live.request) : 0;
	job_call->provider_queue->calls++;
	job_call->provider_queue->call_bytes += job_call->bytes;
	job_call->action = action;
	job_call->view = gate_acquire(live->gate);
	job_call->call.done = call_done;
	job_call->call.before_sending = before_sending;
	job_call->call.may_leave = may_leave;
	job_call->next = live->job_calls;
	if (job_call->next != NULL)
		job_call->next->previous = job_call;
	live->job_calls = job_call;
	return job_call;
}

/* False: there is nothing to run; `why` says so, or is NULL: out of memory. */
static bool set_up(struct job_call *job_call, struct provider *provider, const char **why)
{
	enum manifest_function function = function_of(job_call->action);
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
	request = request_of(job_call->job, job_call->action);
	if (request == NULL)
		return false;
	if (job_call->job->webhook_url == NULL)
		job_call->job->webhook_url =
			webhooks_in_url(job_call->live->webhooks_in, job_call->view, provider, &job_call->job->id);
	script_call_set(&job_call->call.call, provider, function, request, false);
	job_call->call.call.webhook_url = job_call->job->webhook_url;
	job_call->call.call.outgoing.trace = job_call->view->config->live.trace ? job_call->job->live.trace : NULL;
	json_decref(request);
	engine_way_open(&job_call->call.way, job_call->view, provider);
	job_call->call.call.outgoing.detour = &job_call->call.way.detour;
	return true;
}

void job_call_start(struct live *live, struct live_job *job, enum action action)
{
	struct job_call *job_call = job_call_make(live, job, action);
	struct provider_set *set = provider_loader_acquire(live->loader);
	struct provider *provider = provider_set_find(set, job->kind, job->provider);
	const char *why = NULL;

	timer_clear(live, &job->timer);
	if (action == ACTION_POLL || action == ACTION_RECONCILE)
		job->want_poll = false;
	if (job_call != NULL && set_up(job_call, provider, &why)) {
		job->action = action;
		engine_post_here(live->engine, &job_call->call);
	} else {
		if (job_call != NULL)
			job_call_free(job_call);
		if (why != NULL)
			outcome_not_run(live, job, action, why);
		else
			outcome_put_off(live, job, action);
	}
	provider_set_release(set);
}
