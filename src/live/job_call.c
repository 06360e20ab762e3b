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
#include "base/memory.h"
#include "cluster/cluster.h"
#include "webhook_in/webhook_in.h"

struct job_call {
	struct engine_call call; /* first: callbacks find the rest by it */
	struct live_job *job;
	size_t bytes; /* of the request */
	enum action action;
	bool rehearsed;	 /* a submit's request is the one that was expected, as its script made it in a dry run just now */
	char *shown_url; /* the webhook's of that dry run, or NULL */
	int cancels;	 /* requests of cancel that are no GET */
	bool held;	 /* the store has no place for it now */
	int freed;	 /* the job's free requests before it */
	const struct gate_view *view; /* held */
	struct job_call *next, *previous;
	/* the mark that a paid request may be out */
	struct store_write mark;
	struct task_live marked;
	struct engine_note note;
};

static void job_call_free(struct job_call *job_call)
{
	struct provider_queue *queue = job_call->job->provider_queue;
	struct live *live = job_call->job->owner;

	lane_started(job_call->job);
	queue->calls--;
	queue->call_bytes -= job_call->bytes;
	if (job_call->previous != NULL)
		job_call->previous->next = job_call->next;
	else
		live->job_calls = job_call->next;
	if (job_call->next != NULL)
		job_call->next->previous = job_call->previous;
	script_call_free(&job_call->call.call);
	free(job_call->shown_url);
	gate_release(live->gate, job_call->view);
	free(job_call);
}

void job_calls_free(struct live *live)
{
	while (live->job_calls != NULL)
		job_call_free(live->job_calls);
}

/* ---- what the script gets ---- */

/* What is not there is empty. NULL: it cannot be read, and an empty object must not take its place. */
static json_t *job_call_read(const char *text)
{
	return text != NULL ? json_read(text, strlen(text), NULL) : json_object();
}

/* { id, state, payload, webhook_url, submitted_at, claimed }: docs/provider-scripts.md. NULL: what is kept of the job cannot be read. */
static json_t *job_call_job(const struct live_job *job, enum action action)
{
	char submitted[CLOCK_TEXT_BYTES];
	json_t *object = json_pack("{s:s*,s:o,s:o,s:s*}", "id", job->vendor_id, "state", job_call_read(job->live.state),
		"payload", job_call_read(job->payload), "webhook_url", job->webhook_url);

	if (object == NULL || action != ACTION_RECONCILE)
		return object;
	if (job->live.submitted_ms > 0) {
		clock_format(job->live.submitted_ms, submitted);
		json_object_set_new(object, "submitted_at", json_string(submitted));
	}
	json_object_set_new(object, "claimed", claim_ids(job));
	return object;
}

/* Takes the oldest webhook off the job and puts the job into it. */
static json_t *job_call_webhook(struct live_job *job)
{
	struct vendor_webhook *vendor_webhook = job->vendor_webhooks;
	json_t *object = vendor_webhook->json;

	job->vendor_webhooks = vendor_webhook->next;
	free(vendor_webhook);
	json_object_set_new(object, "job", job_call_job(job, ACTION_WEBHOOK));
	return object;
}

static json_t *job_call_request(struct live_job *job, enum action action)
{
	if (action == ACTION_SUBMIT)
		return job_call_read(job->live.request);
	if (action == ACTION_WEBHOOK)
		return job_call_webhook(job);
	return job_call_job(job, action);
}

static enum manifest_function job_call_function(enum action action)
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

static bool job_call_has_script(const struct job_call *job_call)
{
	struct provider_set *set = provider_loader_acquire(job_call->job->owner->loader);
	bool there = provider_set_find(set, job_call->job->kind, job_call->job->provider) != NULL;

	provider_set_release(set);
	return there;
}

/* One that is no GET, and not paid for by itself. */
static const char *job_call_beyond_free(struct job_call *job_call)
{
	struct live_job *job = job_call->job;

	if (job_call->action != ACTION_CANCEL)
		return ++job->free_requests > LIMIT_LIVE_JOB_FREE ? "the job has sent too many requests that are no GET" : NULL;
	return ++job_call->cancels > LIMIT_LIVE_CANCELS || ++job->cancel_requests > LIMIT_LIVE_JOB_CANCELS
		       ? "cancel has sent too many requests that are no GET"
		       : NULL;
}

static int job_call_paid(const struct job_call *job_call)
{
	return job_call->job->live.paid + job_call->call.taken;
}

/* A script that was changed since may want fewer, but not more than its job reserved. */
static bool job_call_may_pay(const struct job_call *job_call)
{
	int declared = job_call->call.call.provider->manifest.paid_requests, reserved = job_call->job->live.paid_most;

	return job_call_paid(job_call) < (declared < reserved ? declared : reserved);
}

/* What has turned since it was requested. What the vendor has is followed to its end, and canceled, whatever the switches say: it is paid
 * for. A submit, and whatever may cost, is not sent against them. */
static const char *job_call_held_back(const struct job_call *job_call, bool paid)
{
	if (job_call->job->forgotten)
		return "the job is another host's";
	if (!cluster_trusts(job_call->job->owner->cluster, false))
		return "this host has not reached the registry for a while, so others may have its jobs";
	if (!job_call_has_script(job_call))
		return "the provider's script is not there";
	return paid || job_call->action == ACTION_SUBMIT
		       ? live_held_back(job_call->job->owner, job_call->job->kind, job_call->job->provider)
		       : NULL;
}

/* Why the request must not leave; NULL: it may. Counts it. */
static const char *job_call_refusal(struct job_call *job_call, bool paid)
{
	const struct outgoing *outgoing = &job_call->call.call.outgoing;
	bool reads = strcmp(outgoing->method, "GET") == 0 || strcmp(outgoing->method, "HEAD") == 0;
	const char *why = job_call_held_back(job_call, paid);

	if (why != NULL)
		return why;
	if (paid && !cluster_trusts(job_call->job->owner->cluster, true))
		return "this host has not reached the registry for a while";
	if (!reads && !paid)
		return job_call_beyond_free(job_call);
	if (paid && !job_call_may_pay(job_call))
		return "the job has sent the requests that it reserved money for: a script declares more, for jobs to come, as "
		       "paid_requests";
	return NULL;
}

/* ---- the mark ---- */

/* The store has decided; what it said of the lane is noted. True: the request may leave, for all that the registry says. */
static bool job_call_may_mark(struct job_call *job_call)
{
	static const char *const refusals[] = { [PLACE_STOPPED] = "live execution is stopped",
		[PLACE_BLOCKED] = "the vendor asked to come later",
		[PLACE_FULL] = "all places at the provider are taken",
		[PLACE_RATE] = "the provider's rate is used up" };
	struct store_write *mark = &job_call->mark;
	struct live_job *job = job_call->job;

	if ((mark->outcome != STORE_WRITTEN && mark->outcome != STORE_HELD) || job->forgotten) {
		engine_deny(&job_call->call, "held", "the registry could not be written, so nothing was sent");
		return false;
	}
	if (mark->place.wanted) {
		lane_started(job);
		lane_told(job->provider_queue, &mark->place);
	}
	job_call->held = mark->outcome == STORE_HELD;
	if (job_call->held)
		engine_deny(&job_call->call, "held", refusals[mark->place.refusal]);
	return !job_call->held;
}

/* Engine thread: the mark is written, or not. */
static void on_job_call_marked(struct engine_note *note)
{
	struct job_call *job_call = (struct job_call *)(void *)((char *)note - offsetof(struct job_call, note));
	struct live_job *job = job_call->job;
	const char *why = NULL;

	if (job_call->mark.outcome == STORE_NOT_OURS)
		job_forget(job);
	if (!job_call_may_mark(job_call))
		return;
	job->live.attempts = job_call->marked.attempts;
	job->live.submitted_ms = job_call->marked.submitted_ms;
	if (job_call->mark.place.wanted) {
		job->live.slotted = true;
		lane_has(job);
		job_set_phase(job, LIVE_SENDING);
	}
	if (engine_is_stopping(job_call->job->owner->engine) || (job_call->action == ACTION_SUBMIT && job->want_cancel))
		why = "stopped before anything was sent";
	else
		why = job_call_refusal(job_call, true);
	if (why != NULL)
		engine_deny(&job_call->call, "held", why);
	else
		engine_send(&job_call->call);
}

/* Store thread. */
static void job_call_marked(struct store_write *write)
{
	struct job_call *job_call = (struct job_call *)(void *)((char *)write - offsetof(struct job_call, mark));

	job_call->note.run = on_job_call_marked;
	engine_run(job_call->job->owner->engine, &job_call->note);
}

static struct store_place job_call_place(const struct job_call *job_call, bool first)
{
	const struct gate_view *view = gate_acquire(job_call->job->owner->gate);
	const struct config_live_provider *own = config_live_provider(view->config, job_call->job->provider);
	struct store_place place = { .wanted = first, .most = 0, .per_minute = 1 };

	if (own != NULL) { /* else it was switched off meanwhile, and has no place */
		place.most = own->max_concurrent;
		place.per_minute = own->rate_per_minute;
	}
	gate_release(job_call->job->owner->gate, view);
	return place;
}

static void job_call_mark(struct job_call *job_call)
{
	struct live_job *job = job_call->job;
	bool first = job_call->action == ACTION_SUBMIT && job->live.phase != LIVE_SENDING;

	job_call->marked = job->live;
	job_call->marked.paid = job_call_paid(job_call) + 1;
	if (first) {
		job_call->marked.phase = LIVE_SENDING;
		job_call->marked.slotted = true;
		job_call->marked.attempts++;
		job_call->marked.submitted_ms = clock_unix_ms();
	}
	job_call->mark = (struct store_write){
		.kind = STORE_PAY,
		.durable = true,
		.done = job_call_marked,
		.task = { .id = job->id,
			.kind = job->kind,
			.provider = job->provider,
			.status = job->status,
			.progress = job->progress,
			.updated_ms = clock_unix_ms(),
			.live = &job_call->marked },
		.place = job_call_place(job_call, first),
	};
	if (task_store_put(job_call->job->owner->store, &job_call->mark) != ERROR_NONE)
		engine_deny(&job_call->call, "held", "too many jobs are waiting to be written");
}

static bool job_call_is_paid(const struct job_call *job_call)
{
	return job_call->action != ACTION_CANCEL && outgoing_may_cost(&job_call->call.call.outgoing);
}

static bool job_call_may_leave(const struct engine_call *call)
{
	const struct job_call *job_call = (const struct job_call *)(const void *)call;

	return job_call_held_back(job_call, job_call_is_paid(job_call)) == NULL;
}

static void job_call_before_sending(struct engine_call *call)
{
	struct job_call *job_call = (struct job_call *)(void *)call;
	bool paid = job_call_is_paid(job_call);
	const char *why = job_call_refusal(job_call, paid);

	if (why != NULL)
		engine_deny(call, "held", why);
	else if (paid)
		job_call_mark(job_call);
	else
		engine_send(call);
}

/* ---- the call ---- */

static const char *job_call_set_up(struct job_call *job_call, struct provider *provider);

/* A job that may send one request only is run dry first, with the very script that then sends it: since it was ordered, script, helpers and what they know
 * of a model may have changed. */
static bool job_call_rehearses(const struct job_call *job_call)
{
	return job_call->action == ACTION_SUBMIT && job_call->job->live.expected != NULL && !job_call->rehearsed;
}

/* Another request than the one that was expected ends the job: nothing has left. */
static void job_call_differs(struct live_job *job, const struct script_call *call)
{
	char message[OUTCOME_FAILURE_BYTES];

	snprintf(message, sizeof message,
		"nothing was sent: the request would not be the expected one any more (upstream_sha256 %.64s now, %.64s "
		"expected)",
		call->upstream_sha256[0] != '\0' ? call->upstream_sha256 : "none", job->live.expected);
	outcome_end(job, TASK_ERROR, "invalid", message, false);
}

static void job_call_end(struct job_call *job_call)
{
	struct provider_queue *queue = job_call->job->provider_queue;

	job_call_free(job_call);
	provider_queue_calls_changed(queue);
}

/* The same script, live. */
static void job_call_go_live(struct job_call *job_call)
{
	struct script_call *call = &job_call->call.call;
	struct provider *provider = provider_hold(call->provider);
	struct live_job *job = job_call->job;
	const char *why;

	job_call->rehearsed = true;
	script_call_clear(call, 0);
	why = job_call_set_up(job_call, provider);
	provider_release(provider);
	if (why == NULL) {
		engine_post_here(job->owner->engine, &job_call->call);
		return;
	}
	job->action = ACTION_NONE;
	outcome_not_run(job, job_call->action, why);
	job_call_end(job_call);
}

/* The dry run has ended: the call goes on live, or its job ends. */
static void job_call_rehearsal_done(struct job_call *job_call)
{
	struct script_call *call = &job_call->call.call;
	struct live_job *job = job_call->job;

	if (call->outcome == CALL_PREVIEW && strcmp(call->upstream_sha256, job->live.expected) == 0) {
		job_call_go_live(job_call);
		return;
	}
	job->action = ACTION_NONE;
	if (call->outcome == CALL_PREVIEW || call->outcome == CALL_DONE)
		job_call_differs(job, call);
	else
		outcome_of_call(job, job_call->action, &job_call->call);
	job_call_end(job_call);
}

/* Nothing was sent, and nothing is written: the job stands where it stood in its queue. */
static void job_call_return(struct job_call *job_call)
{
	struct live_job *job = job_call->job;

	job->free_requests = job_call->freed;
	provider_queue_return(job);
	timer_set(job->owner, &job->timer, clock_monotonic_ns() + (job->live.deadline_ms - clock_unix_ms()) * 1000000);
	job_call_end(job_call);
	schedule_job(job);
}

static void job_call_done(struct engine_call *call)
{
	struct job_call *job_call = (struct job_call *)(void *)call;
	struct live_job *job = job_call->job;

	if (job->forgotten) {
		if (job_call->action == ACTION_SUBMIT && !job_call_rehearses(job_call))
			late_tell_call(job, call);
		job_call_end(job_call);
		job->action = ACTION_NONE;
		job_forgotten(job);
		return;
	}
	if (job_call_rehearses(job_call)) {
		job_call_rehearsal_done(job_call);
		return;
	}
	job->action = ACTION_NONE;
	if (job_call->action != ACTION_CANCEL)
		job->live.paid += call->taken;
	job->requests += call->call.requests;
	job->rests_ns = clock_monotonic_ns() + call->call.requests * LIMIT_LIVE_REQUEST_MS * 1000000LL;
	if (job_call->held && job->live.phase == LIVE_QUEUED && call->taken == 0) {
		job_call_return(job_call);
		return;
	}
	outcome_of_call(job, job_call->action, call);
	job_call_end(job_call);
}

static struct job_call *job_call_make(struct live_job *job, enum action action)
{
	struct job_call *job_call = memory_new(sizeof *job_call);
	struct live *live = job->owner;

	script_call_init(&job_call->call.call);
	job_call->job = job;
	job_call->freed = job->free_requests;
	job_call->bytes = action == ACTION_SUBMIT && job->live.request != NULL ? strlen(job->live.request) : 0;
	job->provider_queue->calls++;
	job->provider_queue->call_bytes += job_call->bytes;
	job_call->action = action;
	job_call->view = gate_acquire(live->gate);
	job_call->call.done = job_call_done;
	job_call->call.before_sending = job_call_before_sending;
	job_call->call.may_leave = job_call_may_leave;
	job_call->next = live->job_calls;
	if (job_call->next != NULL)
		job_call->next->previous = job_call;
	live->job_calls = job_call;
	return job_call;
}

static const char *job_call_obstacle(struct provider *provider, enum manifest_function function)
{
	if (provider == NULL)
		return "the provider's script is not there";
	if (!provider->manifest.has[function])
		return "the provider's script has no such function";
	if (provider_rests(provider))
		return "the provider's script rests: it went over its limits again and again";
	return NULL;
}

/* As a preview shows it, to whom the job's own is a secret. */
static const char *job_call_shown_url(struct job_call *job_call, const struct provider *provider)
{
	free(job_call->shown_url);
	job_call->shown_url = webhooks_in_url(job_call->job->owner->webhooks_in, job_call->view, provider, NULL);
	return job_call->shown_url;
}

/* Why there is nothing to run; NULL: it is set up. */
static const char *job_call_set_up(struct job_call *job_call, struct provider *provider)
{
	enum manifest_function function = job_call_function(job_call->action);
	const char *why = job_call_obstacle(provider, function);
	struct live_job *job = job_call->job;
	struct script_call *call = &job_call->call.call;
	json_t *request;
	bool ignores_directory;

	if (why != NULL)
		return why;
	request = job_call_request(job, job_call->action);
	if (request == NULL)
		return "what is kept of the job cannot be read";
	ignores_directory = json_object_del(request, LIVE_IGNORES_DIRECTORY) == 0;
	if (job->webhook_url == NULL)
		job->webhook_url = webhooks_in_url(job->owner->webhooks_in, job_call->view, provider, &job->id);
	script_call_set(call, provider, function, job->kind, request, job_call_rehearses(job_call));
	json_decref(request);
	call->webhook_url = call->dry_run ? job_call_shown_url(job_call, provider) : job->webhook_url;
	call->view = job_call->view;
	call->models = job->owner->models;
	call->ignore_directory = ignores_directory;
	call->observed = live_observed(job->owner);
	call->outgoing.trace = job_call->view->config->live.trace ? job->live.trace : NULL;
	engine_way_open(&job_call->call.way, job_call->view, provider);
	call->outgoing.detour = &job_call->call.way.detour;
	return NULL;
}

/* With all that it is to know. */
static void job_call_begin(struct live_job *job, enum action action)
{
	struct job_call *job_call = job_call_make(job, action);
	struct provider_set *set = provider_loader_acquire(job->owner->loader);
	const char *why = job_call_set_up(job_call, provider_set_find(set, job->kind, job->provider));

	provider_set_release(set);
	timer_clear(job->owner, &job->timer);
	if (action == ACTION_POLL || action == ACTION_RECONCILE)
		job->want_poll = false;
	if (why == NULL) {
		job->action = action;
		engine_post_here(job->owner->engine, &job_call->call);
	} else {
		job_call_free(job_call);
		outcome_not_run(job, action, why);
	}
}

void job_call_start(struct live_job *job, enum action action)
{
	if (action == ACTION_RECONCILE && !claim_is_known(job))
		claim_ask(job);
	else
		job_call_begin(job, action);
}
