/* job_request.c - what other threads want of a job: posted to the engine, waited for with a deadline. HTTP threads but for what a note runs. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

#define WAIT_SLICE_NS 250000000LL

enum job_request_kind { REQUEST_WAIT = 0, REQUEST_POLL, REQUEST_CANCEL, REQUEST_RESOLVE };

/* A request on its way to the engine; it owns itself. */
struct job_request {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	enum job_request_kind kind;
	struct waiter *waiter;
	struct resolution *resolution; /* REQUEST_RESOLVE */
};

static void job_request_answer(struct job_request *request, enum error_code code, const char *message)
{
	struct waiter *waiter = request->waiter;

	waiter->code = code;
	error_set(&waiter->error, code, NULL, "%s", message);
	atomic_store_explicit(&waiter->done, true, memory_order_release);
	sem_post(&waiter->notified);
	waiter_release(waiter);
}

static void job_request_wait_with(struct live_job *job, struct waiter *waiter)
{
	waiter->next = job->waiters;
	job->waiters = waiter;
}

/* Why this cannot be asked of the job now; NULL: it can. */
static const char *job_request_refusal(const struct job_request *request, const struct live_job *job)
{
	if (request->kind == REQUEST_CANCEL && (job->live.phase == LIVE_UNKNOWN || job->live.phase == LIVE_SENDING))
		return job->live.phase == LIVE_UNKNOWN
			       ? "its outcome is not known: POST .../resolve says what became of it"
			       : "its paid request is under way: it can be canceled when the vendor has answered";
	if (request->kind == REQUEST_RESOLVE &&
		(job->completing || (job->resolution != NULL && atomic_load(&job->resolution->waiter->stage) != WAITER_GAVE_UP)))
		return "what became of it was said already";
	if (request->kind == REQUEST_RESOLVE && job->live.phase != LIVE_UNKNOWN && job->status != TASK_UNKNOWN)
		return "its outcome is not unknown";
	return NULL;
}

/* It lasts over a restart. The write brings the job back to its schedule. */
static void job_request_cancel(struct live *live, struct live_job *job)
{
	job->want_cancel = job->live.cancel_asked = true;
	job->tries = 0;
	if (job->action == ACTION_NONE && job->live.phase == LIVE_SENT)
		record_job(live, job, true, NULL, NULL);
}

/* It begins when the job has nothing else under way; until then who asked may still give up. */
static void job_request_resolve(struct job_request *request, struct live_job *job)
{
	job_drop_resolution(job); /* one that was given up */
	job->resolution = request->resolution;
	request->resolution = NULL;
}

static void job_request_take(struct job_request *request, struct live_job *job)
{
	job_request_wait_with(job, request->waiter);
	job->want_poll |= request->kind == REQUEST_POLL;
	if (request->kind == REQUEST_CANCEL)
		job_request_cancel(request->live, job);
	if (request->kind == REQUEST_RESOLVE)
		job_request_resolve(request, job);
	schedule_job(request->live, job);
}

static void job_request_run(struct engine_note *note)
{
	struct job_request *request = (struct job_request *)(void *)note;
	struct live_job *job = job_find(request->live, &request->id);
	const char *why = job != NULL ? job_request_refusal(request, job) : NULL;

	if (job == NULL)
		job_request_answer(request, ERROR_NOT_FOUND, "there is no such open job");
	else if (why != NULL)
		job_request_answer(request, ERROR_CONFLICT, why);
	else if (request->kind != REQUEST_RESOLVE && !waiter_take(request->waiter))
		waiter_release(request->waiter);
	else
		job_request_take(request, job);
	resolution_free(request->resolution);
	free(request);
}

static struct waiter *waiter_make(enum waiting waiting)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (waiter == NULL)
		return NULL;
	sem_init(&waiter->notified, 0, 0);
	atomic_init(&waiter->holders, 2);
	waiter->waiting = waiting;
	return waiter;
}

/* In slices, so that a host that stops does not wait for its clients' patience. */
static bool wait_until_notified(struct live *live, struct waiter *waiter, const struct live_patience *patience)
{
	int64_t until = clock_monotonic_ns() + patience->timeout_ms * 1000000LL;
	struct timespec slice;
	int64_t now, next;

	while ((now = clock_monotonic_ns()) < until && !atomic_load_explicit(&live->leaving, memory_order_relaxed)) {
		next = now + WAIT_SLICE_NS < until ? now + WAIT_SLICE_NS : until;
		slice = (struct timespec){ .tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000) };
		if (sem_clockwait(&waiter->notified, CLOCK_MONOTONIC, &slice) == 0)
			return atomic_load_explicit(&waiter->done, memory_order_acquire);
		if (patience->over != NULL && patience->over(patience->context))
			break;
	}
	return false;
}

/* The thread waits no more. */
static enum error_code job_request_give_up(struct waiter *waiter, enum job_request_kind kind, struct error *error)
{
	int stage = WAITER_WAITS;

	if (atomic_compare_exchange_strong(&waiter->stage, &stage, WAITER_GAVE_UP))
		return error_set(error, ERROR_BUSY, NULL, "the host did not get to it in time: nothing was done");
	if (kind == REQUEST_CANCEL)
		return error_set(error, ERROR_PENDING, NULL,
			"the job is to be canceled, and the vendor has not confirmed it yet: its status will tell");
	if (kind == REQUEST_RESOLVE)
		return error_set(error, ERROR_PENDING, NULL, "it is being written: the job's status will tell");
	return error_set(error, ERROR_BUSY, NULL, "the vendor has not answered yet");
}

/* Takes `resolution` over. */
static struct job_request *job_request_make(
	struct live *live, const struct id *id, enum job_request_kind kind, struct waiter *waiter, struct resolution *resolution)
{
	struct job_request *request = waiter != NULL ? calloc(1, sizeof *request) : NULL;

	if (request == NULL) {
		resolution_free(resolution);
		free(waiter);
		return NULL;
	}
	*request = (struct job_request){
		.note.run = job_request_run, .live = live, .id = *id, .kind = kind, .waiter = waiter, .resolution = resolution
	};
	if (resolution != NULL) {
		atomic_fetch_add(&waiter->holders, 1);
		resolution->waiter = waiter;
	}
	return request;
}

/* Takes `resolution` over. */
static enum error_code job_request_post(struct live *live, const struct id *id, enum job_request_kind kind, enum waiting waiting,
	struct resolution *resolution, const struct live_patience *patience, struct error *error)
{
	struct waiter *waiter = waiter_make(waiting);
	struct job_request *request = job_request_make(live, id, kind, waiter, resolution);
	enum error_code code;

	if (request == NULL)
		return error_memory(error);
	if (engine_run(live->engine, &request->note) != ERROR_NONE) {
		resolution_free(request->resolution);
		free(request);
		waiter_release(waiter);
		waiter_release(waiter);
		return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
	}
	if (wait_until_notified(live, waiter, patience)) {
		code = waiter->code;
		if (code != ERROR_NONE && error != NULL)
			*error = waiter->error;
	} else {
		code = job_request_give_up(waiter, kind, error);
	}
	waiter_release(waiter);
	return code;
}

bool live_wait(struct live *live, const struct id *id, const struct live_patience *patience)
{
	struct error error;
	enum error_code code = job_request_post(live, id, REQUEST_WAIT, WAIT_END, NULL, patience, &error);

	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

enum error_code live_refresh(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	return job_request_post(live, id, REQUEST_POLL, WAIT_STEP, NULL, patience, error);
}

enum error_code live_cancel(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	return job_request_post(live, id, REQUEST_CANCEL, WAIT_CANCEL, NULL, patience, error);
}

enum error_code live_resolve(struct live *live, const struct id *id, const struct live_resolution *resolution,
	const struct live_patience *patience, struct error *error)
{
	struct resolution *copy = memory_new(sizeof *copy);

	copy->status = resolution->status;
	copy->cost = resolution->cost;
	copy->vendor_id = memory_copy_text(resolution->vendor_id);
	/* an end that was only heard of could still be lost */
	return job_request_post(
		live, id, REQUEST_RESOLVE, copy->vendor_id != NULL ? WAIT_STEP : WAIT_CANCEL, copy, patience, error);
}

/* ---- deliveries ---- */

struct webhook_request {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	struct vendor_webhook *vendor_webhook; /* NULL: only a reason to poll */
};

static int waiting_webhooks(const struct live_job *job)
{
	int count = 0;

	for (const struct vendor_webhook *vendor_webhook = job->vendor_webhooks; vendor_webhook != NULL;
		vendor_webhook = vendor_webhook->next)
		count++;
	return count;
}

/* Late ones and those of jobs that the vendor should not know yet are left to the next poll. */
static bool job_take_webhook(struct live_job *job, struct vendor_webhook *vendor_webhook)
{
	struct vendor_webhook **last = &job->vendor_webhooks;

	if (vendor_webhook == NULL || job->live.phase != LIVE_SENT || waiting_webhooks(job) >= LIMIT_LIVE_DELIVERIES)
		return false;
	while (*last != NULL)
		last = &(*last)->next;
	*last = vendor_webhook;
	return true;
}

/* Anybody who has the token may say so as often as he likes: one poll answers all that came within a while. */
static void nudge(struct live_job *job)
{
	int64_t now = clock_monotonic_ns(), earliest = job->nudged_ns + LIMIT_LIVE_NUDGE_MS * INT64_C(1000000);

	if (job->nudged_ns != 0 && now < earliest) {
		job->nudge_due_ns = earliest;
		return;
	}
	job->nudged_ns = now;
	job->want_poll = true;
}

static void webhook_request_run(struct engine_note *note)
{
	struct webhook_request *request = (struct webhook_request *)(void *)note;
	struct live_job *job = job_find(request->live, &request->id);

	if (job != NULL && job_take_webhook(job, request->vendor_webhook)) {
		request->vendor_webhook = NULL;
	} else if (job != NULL) {
		nudge(job);
	}
	if (job != NULL)
		schedule_job(request->live, job);
	if (request->vendor_webhook != NULL)
		json_decref(request->vendor_webhook->json);
	free(request->vendor_webhook);
	free(request);
}

/* Shares nothing with the caller's thread. */
static struct vendor_webhook *vendor_webhook_make(json_t *headers, const char *body, size_t length)
{
	struct vendor_webhook *vendor_webhook = calloc(1, sizeof *vendor_webhook);
	json_t *json = json_read(body, length, NULL);

	if (vendor_webhook == NULL) {
		json_decref(json);
		return NULL;
	}
	vendor_webhook->json =
		json_pack("{s:o,s:s%,s:o?}", "headers", json_deep_copy_whole(headers), "body", body, length, "json", json);
	if (vendor_webhook->json == NULL) {
		free(vendor_webhook);
		return NULL;
	}
	return vendor_webhook;
}

enum error_code live_deliver(struct live *live, const struct id *id, bool verified, json_t *headers, const char *body,
	size_t length, struct error *error)
{
	struct webhook_request *request = calloc(1, sizeof *request);

	if (request == NULL)
		return error_memory(error);
	request->note.run = webhook_request_run;
	request->live = live;
	request->id = *id;
	if (verified) /* one that cannot be read is a reason to poll like an unsigned one */
		request->vendor_webhook = vendor_webhook_make(headers, body, length);
	if (engine_run(live->engine, &request->note) == ERROR_NONE)
		return ERROR_NONE;
	if (request->vendor_webhook != NULL)
		json_decref(request->vendor_webhook->json);
	free(request->vendor_webhook);
	free(request);
	return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
}
