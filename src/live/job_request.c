/* job_request.c - what other threads ask about a job: posted to the engine, waited for with a deadline. HTTP threads but for the functions named on_... */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define WAIT_SLICE_NS 250000000LL

enum wish { WISH_END = 0, WISH_POLL, WISH_CANCEL, WISH_RESOLVE };

/* A question on its way to the engine; it owns itself. */
struct question {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	enum wish wish;
	struct waiter *waiter;
	struct resolution *resolution; /* WISH_RESOLVE */
};

static void tell_now(struct question *question, enum error_code code, const char *message)
{
	struct waiter *waiter = question->waiter;

	waiter->code = code;
	error_set(&waiter->error, code, NULL, "%s", message);
	atomic_store_explicit(&waiter->done, true, memory_order_release);
	sem_post(&waiter->told);
	waiter_release(waiter);
}

static void wait_with(struct live_job *job, struct waiter *waiter)
{
	waiter->next = job->waiters;
	job->waiters = waiter;
}

/* Why this cannot be asked of the job now; NULL: it can. */
static const char *refusal(const struct question *question, const struct live_job *job)
{
	if (question->wish == WISH_CANCEL && (job->live.phase == LIVE_LOST || job->live.phase == LIVE_SENDING))
		return job->live.phase == LIVE_LOST
			       ? "its outcome is not known: POST .../resolve says what became of it"
			       : "its paid request is under way: it can be canceled when the vendor has answered";
	if (question->wish == WISH_RESOLVE &&
		(job->ending || (job->resolution != NULL && atomic_load(&job->resolution->waiter->stage) != WAITER_GAVE_UP)))
		return "what became of it was said already";
	if (question->wish == WISH_RESOLVE && job->live.phase != LIVE_LOST && job->status != TASK_UNKNOWN)
		return "its outcome is not unknown";
	return NULL;
}

/* It lasts over a restart. The write brings the job back to its schedule. */
static void take_cancel(struct live *live, struct live_job *job)
{
	job->want_cancel = job->live.cancel_asked = true;
	job->tries = 0;
	if (job->action == ACTION_NONE && job->live.phase == LIVE_SENT)
		record_job(live, job, true, NULL, NULL);
}

/* It begins when the job has nothing else under way; until then who asked may still give up. */
static void take_resolution(struct question *question, struct live_job *job)
{
	job_drop_resolution(job); /* one that was given up */
	job->resolution = question->resolution;
	question->resolution = NULL;
}

static void take_question(struct question *question, struct live_job *job)
{
	wait_with(job, question->waiter);
	job->want_poll |= question->wish == WISH_POLL;
	if (question->wish == WISH_CANCEL)
		take_cancel(question->live, job);
	if (question->wish == WISH_RESOLVE)
		take_resolution(question, job);
	schedule_job(question->live, job);
}

static void on_question(struct engine_note *note)
{
	struct question *question = (struct question *)(void *)note;
	struct live_job *job = job_find(question->live, &question->id);
	const char *why = job != NULL ? refusal(question, job) : NULL;

	if (job == NULL)
		tell_now(question, ERROR_NOT_FOUND, "there is no such open job");
	else if (why != NULL)
		tell_now(question, ERROR_CONFLICT, why);
	else if (question->wish != WISH_RESOLVE && !waiter_take(question->waiter))
		waiter_release(question->waiter);
	else
		take_question(question, job);
	resolution_free(question->resolution);
	free(question);
}

static struct waiter *waiter_make(enum waiting waiting)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (waiter == NULL)
		return NULL;
	sem_init(&waiter->told, 0, 0);
	atomic_init(&waiter->holders, 2);
	waiter->waiting = waiting;
	return waiter;
}

/* In slices, so that a host that stops does not wait for its clients' patience. */
static bool wait_until_told(struct live *live, struct waiter *waiter, const struct live_patience *patience)
{
	int64_t until = clock_monotonic_ns() + patience->timeout_ms * 1000000LL;
	struct timespec slice;
	int64_t now, next;

	while ((now = clock_monotonic_ns()) < until && !atomic_load_explicit(&live->leaving, memory_order_relaxed)) {
		next = now + WAIT_SLICE_NS < until ? now + WAIT_SLICE_NS : until;
		slice = (struct timespec){ .tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000) };
		if (sem_clockwait(&waiter->told, CLOCK_MONOTONIC, &slice) == 0)
			return atomic_load_explicit(&waiter->done, memory_order_acquire);
		if (patience->over != NULL && patience->over(patience->context))
			break;
	}
	return false;
}

/* The thread waits no more. */
static enum error_code leave(struct waiter *waiter, enum wish wish, struct error *error)
{
	int stage = WAITER_ASKS;

	if (atomic_compare_exchange_strong(&waiter->stage, &stage, WAITER_GAVE_UP))
		return error_set(error, ERROR_BUSY, NULL, "the host did not get to it in time: nothing was done");
	if (wish == WISH_CANCEL)
		return error_set(error, ERROR_PENDING, NULL,
			"the job is to be canceled, and the vendor has not confirmed it yet: its status will tell");
	if (wish == WISH_RESOLVE)
		return error_set(error, ERROR_PENDING, NULL, "it is being written: the job's status will tell");
	return error_set(error, ERROR_BUSY, NULL, "the vendor has not answered yet");
}

/* Takes `resolution` over. */
static struct question *question_make(
	struct live *live, const struct id *id, enum wish wish, struct waiter *waiter, struct resolution *resolution)
{
	struct question *question = waiter != NULL ? calloc(1, sizeof *question) : NULL;

	if (question == NULL) {
		resolution_free(resolution);
		free(waiter);
		return NULL;
	}
	*question = (struct question){
		.note.run = on_question, .live = live, .id = *id, .wish = wish, .waiter = waiter, .resolution = resolution
	};
	if (resolution != NULL) {
		atomic_fetch_add(&waiter->holders, 1);
		resolution->waiter = waiter;
	}
	return question;
}

/* Takes `resolution` over. */
static enum error_code ask(struct live *live, const struct id *id, enum wish wish, enum waiting waiting,
	struct resolution *resolution, const struct live_patience *patience, struct error *error)
{
	struct waiter *waiter = waiter_make(waiting);
	struct question *question = question_make(live, id, wish, waiter, resolution);
	enum error_code code;

	if (question == NULL)
		return error_memory(error);
	if (engine_run(live->engine, &question->note) != ERROR_NONE) {
		resolution_free(question->resolution);
		free(question);
		waiter_release(waiter);
		waiter_release(waiter);
		return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
	}
	if (wait_until_told(live, waiter, patience)) {
		code = waiter->code;
		if (code != ERROR_NONE && error != NULL)
			*error = waiter->error;
	} else {
		code = leave(waiter, wish, error);
	}
	waiter_release(waiter);
	return code;
}

bool live_wait(struct live *live, const struct id *id, const struct live_patience *patience)
{
	struct error error;
	enum error_code code = ask(live, id, WISH_END, WAIT_END, NULL, patience, &error);

	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

enum error_code live_refresh(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	return ask(live, id, WISH_POLL, WAIT_STEP, NULL, patience, error);
}

enum error_code live_cancel(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error)
{
	return ask(live, id, WISH_CANCEL, WAIT_CANCEL, NULL, patience, error);
}

enum error_code live_resolve(struct live *live, const struct id *id, const struct live_resolution *resolution,
	const struct live_patience *patience, struct error *error)
{
	struct resolution *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		return error_memory(error);
	copy->status = resolution->status;
	copy->cost = resolution->cost;
	if (!job_set_text(&copy->vendor_id, resolution->vendor_id)) {
		free(copy);
		return error_memory(error);
	}
	/* an end that was only heard of could still be lost */
	return ask(live, id, WISH_RESOLVE, copy->vendor_id != NULL ? WAIT_STEP : WAIT_CANCEL, copy, patience, error);
}

/* ---- deliveries ---- */

struct parcel {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	struct delivery *delivery; /* NULL: only a reason to poll */
};

static int waiting_deliveries(const struct live_job *job)
{
	int count = 0;

	for (const struct delivery *delivery = job->deliveries; delivery != NULL; delivery = delivery->next)
		count++;
	return count;
}

/* Late ones and those of jobs that the vendor should not know yet are left to the next poll. */
static bool take_delivery(struct live_job *job, struct delivery *delivery)
{
	struct delivery **last = &job->deliveries;

	if (delivery == NULL || job->live.phase != LIVE_SENT || waiting_deliveries(job) >= LIMIT_LIVE_DELIVERIES)
		return false;
	while (*last != NULL)
		last = &(*last)->next;
	*last = delivery;
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

static void on_parcel(struct engine_note *note)
{
	struct parcel *parcel = (struct parcel *)(void *)note;
	struct live_job *job = job_find(parcel->live, &parcel->id);

	if (job != NULL && take_delivery(job, parcel->delivery)) {
		parcel->delivery = NULL;
	} else if (job != NULL) {
		nudge(job);
	}
	if (job != NULL)
		schedule_job(parcel->live, job);
	if (parcel->delivery != NULL)
		json_decref(parcel->delivery->json);
	free(parcel->delivery);
	free(parcel);
}

/* Shares nothing with the caller's thread. */
static struct delivery *delivery_make(json_t *headers, const char *body, size_t length)
{
	struct delivery *delivery = calloc(1, sizeof *delivery);
	json_t *json = json_read(body, length, NULL);

	if (delivery == NULL) {
		json_decref(json);
		return NULL;
	}
	delivery->json =
		json_pack("{s:o,s:s%,s:o?}", "headers", json_deep_copy_whole(headers), "body", body, length, "json", json);
	if (delivery->json == NULL) {
		free(delivery);
		return NULL;
	}
	return delivery;
}

enum error_code live_deliver(struct live *live, const struct id *id, bool verified, json_t *headers, const char *body,
	size_t length, struct error *error)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);

	if (parcel == NULL)
		return error_memory(error);
	parcel->note.run = on_parcel;
	parcel->live = live;
	parcel->id = *id;
	if (verified) /* one that cannot be read is a reason to poll like an unsigned one */
		parcel->delivery = delivery_make(headers, body, length);
	if (engine_run(live->engine, &parcel->note) == ERROR_NONE)
		return ERROR_NONE;
	if (parcel->delivery != NULL)
		json_decref(parcel->delivery->json);
	free(parcel->delivery);
	free(parcel);
	return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
}
