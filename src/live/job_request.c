/* job_request.c - what other threads want of a job: posted to the engine, waited for with a deadline. HTTP threads but for what a note runs. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cluster/cluster.h"

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

/* Why this cannot be done to the job now; NULL: it can. */
static const char *job_request_refusal(const struct job_request *request, const struct live_job *job)
{
	if (request->kind == REQUEST_CANCEL && (job->live.phase == LIVE_UNKNOWN || job->live.phase == LIVE_SENDING))
		return job->live.phase == LIVE_UNKNOWN
			       ? "its outcome is not known: POST .../resolve says what became of it"
			       : "its paid request is under way: it can be canceled when the vendor has answered";
	if (request->kind == REQUEST_RESOLVE &&
		(job->completion != NULL ||
			(job->resolution != NULL && atomic_load(&job->resolution->waiter->stage) != WAITER_GAVE_UP)))
		return "what became of it was said already";
	if (request->kind == REQUEST_RESOLVE && job->live.phase != LIVE_UNKNOWN && job->status != TASK_UNKNOWN)
		return "its outcome is not unknown";
	return NULL;
}

/* It lasts over a restart. The write brings the job back to its schedule. */
static void job_request_cancel(struct live_job *job)
{
	job->want_cancel = job->live.cancel_asked = true;
	job->tries = 0;
	if (job->action == ACTION_NONE && job->completion == NULL && job->live.phase == LIVE_SENT)
		record_job(job, true, NULL, schedule_job);
}

/* It begins when the job has nothing else under way; until then its client may still give up. */
static void job_request_resolve(struct job_request *request, struct live_job *job)
{
	resolution_free(job->resolution); /* one that was given up */
	job->resolution = request->resolution;
	request->resolution = NULL;
}

static void job_request_take(struct job_request *request, struct live_job *job)
{
	request->waiter->next = job->waiters;
	job->waiters = request->waiter;
	job->want_poll |= request->kind == REQUEST_POLL;
	if (request->kind == REQUEST_CANCEL)
		job_request_cancel(job);
	if (request->kind == REQUEST_RESOLVE)
		job_request_resolve(request, job);
	schedule_job(job);
}

static void job_request_refuse(const struct job_request *request, enum error_code code, const char *why)
{
	struct error error;

	error_set(&error, code, NULL, "%s", why);
	waiter_notify(request->waiter, code, &error);
}

/* Engine thread. */
static void job_request_run(struct engine_note *note)
{
	struct job_request *request = (struct job_request *)(void *)note;
	struct live_job *job = job_find(request->live, &request->id);
	const char *why = job != NULL ? job_request_refusal(request, job) : NULL;

	if (job == NULL)
		job_request_refuse(request, ERROR_NOT_FOUND, "there is no such open job");
	else if (why != NULL)
		job_request_refuse(request, ERROR_CONFLICT, why);
	else if (request->kind != REQUEST_RESOLVE && !waiter_take(request->waiter))
		waiter_release(request->waiter);
	else
		job_request_take(request, job);
	resolution_free(request->resolution);
	free(request);
}

/* { status, cost, vendor_id } of a body that resolution_text() made. */
static struct resolution *resolution_read(const char *body)
{
	json_t *said = json_read_stored(body);
	struct resolution *resolution = memory_new(sizeof *resolution);

	resolution->status = (int)json_integer_value(json_object_get(said, "status"));
	resolution->cost = json_integer_value(json_object_get(said, "cost"));
	resolution->vendor_id = memory_copy_text(json_text(said, "vendor_id"));
	json_decref(said);
	return resolution;
}

/* What is waited for: an end counts when it is written, not before. */
static enum waiting job_request_waiting(enum job_request_kind kind, const struct resolution *resolution)
{
	if (kind == REQUEST_RESOLVE)
		return resolution->vendor_id != NULL ? WAIT_STEP : WAIT_CANCEL;
	return kind == REQUEST_CANCEL ? WAIT_CANCEL : WAIT_STEP;
}

void job_request_asked(struct live *live, const struct job_ask *ask)
{
	struct job_request *request = memory_new(sizeof *request);

	request->live = live;
	request->id = ask->job;
	request->kind = ask->wish == ASK_RESOLVE ? REQUEST_RESOLVE : ask->wish == ASK_CANCEL ? REQUEST_CANCEL : REQUEST_POLL;
	if (request->kind == REQUEST_RESOLVE)
		request->resolution = resolution_read(ask->body);
	request->waiter =
		waiter_make_of_ask(live, ask->number, ask->asker, job_request_waiting(request->kind, request->resolution));
	if (request->resolution != NULL)
		request->resolution->waiter = waiter_hold(request->waiter);
	job_request_run(&request->note);
}

void resolution_free(struct resolution *resolution)
{
	if (resolution == NULL)
		return;
	if (resolution->waiter != NULL)
		waiter_release(resolution->waiter);
	free(resolution->vendor_id);
	free(resolution);
}

/* The thread waits no more. */
static enum error_code job_request_give_up(struct waiter *waiter, enum job_request_kind kind, struct error *error)
{
	if (waiter_give_up(waiter))
		return error_set(error, ERROR_BUSY, NULL, "the host did not get to it in time: nothing was done");
	if (kind == REQUEST_CANCEL)
		return error_set(error, ERROR_PENDING, NULL,
			"the job is to be canceled, and the vendor has not confirmed it yet: its status will tell");
	if (kind == REQUEST_RESOLVE)
		return error_set(error, ERROR_PENDING, NULL, "it is being written: the job's status will tell");
	return error_set(error, ERROR_BUSY, NULL, "the vendor has not answered yet");
}

/* Takes `resolution` (or NULL) over. */
static enum error_code job_request_post(struct live *live, const struct id *id, enum job_request_kind kind, enum waiting waiting,
	struct resolution *resolution, const struct live_patience *patience, struct error *error)
{
	struct job_request *request = memory_new(sizeof *request);
	struct waiter *waiter = waiter_make(waiting);
	enum error_code code;

	*request = (struct job_request){
		.note.run = job_request_run, .live = live, .id = *id, .kind = kind, .waiter = waiter, .resolution = resolution
	};
	if (resolution != NULL)
		resolution->waiter = waiter_hold(waiter);
	if (engine_run(live->engine, &request->note) != ERROR_NONE) {
		resolution_free(resolution);
		free(request);
		waiter_release(waiter);
		waiter_release(waiter);
		return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
	}
	if (waiter_wait(live, waiter, patience)) {
		code = waiter->code;
		if (code != ERROR_NONE && error != NULL)
			*error = waiter->error;
	} else {
		code = job_request_give_up(waiter, kind, error);
	}
	waiter_release(waiter);
	return code;
}

/* A job that is not here, or not any more, may be another host's. */
bool live_wait(struct live *live, const struct id *id, const struct live_patience *patience)
{
	int64_t until_ns = clock_monotonic_ns() + patience->timeout_ms * 1000000LL;
	struct error error;
	enum error_code code = job_request_post(live, id, REQUEST_WAIT, WAIT_END, NULL, patience, &error);

	if (code != ERROR_NONE && cluster_is_shared(live->cluster))
		return elsewhere_wait(live, id, patience, until_ns);
	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

/* A job that is not here may be another host's, whatever becomes of it meanwhile. */
static bool job_request_is_anothers(const struct live *live, enum error_code code)
{
	return code == ERROR_NOT_FOUND && cluster_is_shared(live->cluster);
}

enum error_code live_refresh(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	enum error_code code = job_request_post(live, id, REQUEST_POLL, WAIT_STEP, NULL, patience, error);

	return job_request_is_anothers(live, code) ? asking_run(live, id, ASK_REFRESH, NULL, patience, error) : code;
}

enum error_code live_cancel(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	enum error_code code = job_request_post(live, id, REQUEST_CANCEL, WAIT_CANCEL, NULL, patience, error);

	return job_request_is_anothers(live, code) ? asking_run(live, id, ASK_CANCEL, NULL, patience, error) : code;
}

static char *resolution_text(const struct live_resolution *resolution)
{
	json_t *said = json_pack("{s:i,s:I,s:s*}", "status", resolution->status, "cost", (json_int_t)resolution->cost,
		"vendor_id", resolution->vendor_id);
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	json_write(&out, said);
	json_decref(said);
	return buffer_take(&out);
}

enum error_code live_resolve(struct live *live, const struct id *id, const struct live_resolution *resolution,
	const struct live_patience *patience, struct error *error)
{
	struct resolution *copy = memory_new(sizeof *copy);
	enum error_code code;

	copy->status = resolution->status;
	copy->cost = resolution->cost;
	copy->vendor_id = memory_copy_text(resolution->vendor_id);
	code = job_request_post(live, id, REQUEST_RESOLVE, job_request_waiting(REQUEST_RESOLVE, copy), copy, patience, error);
	return job_request_is_anothers(live, code)
		       ? asking_run(live, id, ASK_RESOLVE, resolution_text(resolution), patience, error)
		       : code;
}
