/* orphan.c - a live create from its look for an orphan to the note of whether its client has the answer. HTTP threads; `settled` also on others.
 *
 * Whether there is a job it is told by the submit itself (submit_watcher), not by the inner answer, which may be lost for want of memory, or come before it
 * is known. Makes no answer but the one that it has to: that nothing can be said yet. */
#include "openai/orphan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "openai/orphan_hold.h"
#include "openai/problem.h"

#define FIRST_ROWS 64
#define UNSURE_RETRY_MS 1000
#define LOOK_NS INT64_C(250000000)

/* ---- what it says by itself ---- */

/* The official SDKs come again, and find what there is then. */
static void tell_unsure(struct http_request *request, const char *what)
{
	request->may_have_paid = true;
	openai_send_error(request, &(struct openai_error){ .status = 424,
					   .type = "provider_error",
					   .code = "still_running",
					   .message = what,
					   .should_retry = 1,
					   .retry_after_ms = UNSURE_RETRY_MS });
}

static void tell_unreadable(struct http_request *request, const struct error *error)
{
	openai_send_error(request, &(struct openai_error){ .status = 503,
					   .type = "server_error",
					   .code = "registry_unavailable",
					   .message = error->message,
					   .should_retry = -1,
					   .retry_after_ms = UNSURE_RETRY_MS });
}

/* ---- an earlier request's job ---- */

/* "X-Stainless-Retry-Count: 1", of the official SDKs. */
static enum attempt read_attempt(const struct http_request *request)
{
	const char *count = http_header(request, "X-Stainless-Retry-Count");

	if (count == NULL)
		return ATTEMPT_UNSAID;
	return strtol(count, NULL, 10) > 0 ? ATTEMPT_REPEAT : ATTEMPT_FIRST;
}

static enum error_code read_known(const struct openai_create *create, struct choice_rows *known, struct error *error)
{
	struct orphans *orphans = create->host->orphans;
	int64_t since_ms = orphans_now_ms(orphans) - LIMIT_ORPHAN_MS;
	bool with_answered = create->hold->attempt != ATTEMPT_UNSAID;
	enum error_code code = ERROR_NONE;

	for (size_t room = FIRST_ROWS; room <= LIMIT_ORPHAN_ROWS; room = LIMIT_ORPHAN_ROWS) {
		known->rows = memory_resize(known->rows, room * sizeof *known->rows);
		code = task_store_wishes(create->host->store, create->hold->fingerprint, since_ms, with_answered, known->rows,
			room, &known->count, error);
		if (code != ERROR_NONE || known->count < room || room == LIMIT_ORPHAN_ROWS)
			break;
	}
	choice_rows_sort(known);
	return code;
}

/* Until nothing has to be waited for, with the client's patience. CHOICE_WAIT: it was in vain. */
static enum choice choose(struct openai_create *create, const struct choice_rows *known)
{
	struct orphans *orphans = create->host->orphans;
	struct orphan_hold *hold = create->hold;
	int64_t now = clock_monotonic_ns(), until = now + LIMIT_ORPHAN_WAIT_MS * INT64_C(1000000);
	struct chosen chosen;
	enum choice choice;

	pthread_mutex_lock(&orphans->lock);
	for (;;) {
		choice = orphan_choose(orphans, hold, known, &chosen);
		if (choice != CHOICE_WAIT || now >= until || http_client_left(hold->socket) ||
			atomic_load(&create->host->draining))
			break;
		orphans_await(orphans, now + LOOK_NS);
		now = clock_monotonic_ns();
	}
	if (choice == CHOICE_JOB) {
		hold->job = create->job = chosen.job;
		hold->names_job = hold->has_job = hold->taken_over = true;
		hold->caught_up = chosen.caught_up;
	}
	hold_set_stage(hold, choice == CHOICE_JOB ? HOLD_WAITING : choice == CHOICE_NONE ? HOLD_MAKING : HOLD_OVER);
	pthread_mutex_unlock(&orphans->lock);
	return choice;
}

static void log_take_over(const struct openai_create *create)
{
	static const char *const attempts[] = { "", ", which says that it is no repeat", ", which says that it is a repeat" };
	char job_id[ID_TEXT_BYTES];

	id_format(&create->job, job_id);
	log_message(LOG_INFO, "openai.taken_over", "job %s is answered to another request that is equal to its own%s", job_id,
		attempts[create->hold->attempt]);
}

/* CHOICE_WAIT: an error was sent, and the hold is gone. */
static enum choice look(struct openai_create *create)
{
	struct choice_rows known = { 0 };
	enum choice choice = CHOICE_WAIT;
	struct error error;

	if (read_known(create, &known, &error) != ERROR_NONE) {
		hold_go_on(create->hold, HOLD_OVER);
		tell_unreadable(create->request, &error);
	} else {
		choice = choose(create, &known);
		if (choice == CHOICE_WAIT)
			tell_unsure(create->request,
				"An earlier request for the same is not finished yet; nothing was sent for this one. "
				"Ask again: you get its job.");
		else if (choice == CHOICE_JOB)
			log_take_over(create);
	}
	free(known.rows);
	return choice;
}

/* ---- its own job ---- */

/* The job is known by its id from before it is in the registry: it is no orphan, when somebody finds it there before its maker hears of it. */
static void submit_begun(void *context, const struct id *job)
{
	struct orphan_hold *hold = context;

	pthread_mutex_lock(&hold->orphans->lock);
	hold->submits++;
	hold->job = *job;
	hold->names_job = true;
	pthread_mutex_unlock(&hold->orphans->lock);
}

/* It may be the last that touches the hold: its client was sent away, or is not waited for. */
static void submit_settled(void *context, const struct id *job, bool registered)
{
	struct orphan_hold *hold = context;
	struct orphans *orphans = hold->orphans;

	pthread_mutex_lock(&orphans->lock);
	hold->submits--;
	if (registered) {
		hold->job = *job;
		hold->names_job = hold->registered = true;
	}
	if (hold->stage == HOLD_UNSURE && hold->submits == 0) {
		hold->names_job = hold->has_job = hold->registered;
		hold_set_stage(hold, HOLD_OVER);
	}
	pthread_mutex_unlock(&orphans->lock);
}

static void tie(const struct openai_create *create, struct inner_call *submit)
{
	const struct orphan_hold *hold = create->hold;

	submit->idempotency_key = hold->listed ? NULL : http_header(create->request, "Idempotency-Key");
	submit->ties.wished = hold->listed;
	submit->ties.wished_ms = orphans_now_ms(create->host->orphans);
	submit->ties.overtook = hold->attempt == ATTEMPT_REPEAT;
	memcpy(submit->ties.wish, hold->fingerprint, sizeof submit->ties.wish);
	submit->watcher = (struct submit_watcher){ .context = create->hold, .begun = submit_begun, .settled = submit_settled };
}

/* An Idempotency-Key that is known was answered with the job that it made. */
static bool is_replayed_job(const struct inner_answer *answer, struct id *job)
{
	const char *job_id = json_text(answer->body, "job_id");

	return answer->replayed && answer->status == 202 && job_id != NULL && id_parse(job_id, job);
}

static enum openai_created judge(struct openai_create *create, const struct inner_answer *answer)
{
	struct orphan_hold *hold = create->hold;
	struct orphans *orphans = hold->orphans;
	enum openai_created created = OPENAI_CREATED_NONE;
	struct id job;
	bool replayed = is_replayed_job(answer, &job);

	pthread_mutex_lock(&orphans->lock);
	if (hold->submits > 0)
		created = OPENAI_CREATED_TOLD;
	else if (hold->registered || replayed)
		created = OPENAI_CREATED_JOB;
	if (replayed && !hold->registered)
		hold->job = job;
	hold->has_job = created == OPENAI_CREATED_JOB;
	hold->names_job = created != OPENAI_CREATED_NONE;
	create->job = hold->job;
	hold_set_stage(hold, created == OPENAI_CREATED_JOB    ? HOLD_WAITING
			     : created == OPENAI_CREATED_TOLD ? HOLD_UNSURE
							      : HOLD_OVER);
	pthread_mutex_unlock(&orphans->lock);
	return created;
}

static enum openai_created make(struct openai_create *create, struct inner_call *submit, struct inner_answer *answer)
{
	enum openai_created created;

	tie(create, submit);
	inner_call_run(create->host, create->request, submit, answer);
	created = judge(create, answer);
	if (created == OPENAI_CREATED_TOLD)
		tell_unsure(create->request, "The registry has not answered yet: the job may be registered. It is not sent "
					     "twice: ask again, and you get it.");
	return created;
}

/* ---- the door ---- */

enum openai_created openai_create_begin(struct host *host, struct http_request *request, const unsigned char fingerprint[32],
	struct inner_call *submit, struct openai_create *create, struct inner_answer *answer)
{
	bool keyed = http_header(request, "Idempotency-Key") != NULL;
	enum openai_created created = OPENAI_CREATED_JOB;

	*answer = (struct inner_answer){ .retry_after = -1 };
	*create = (struct openai_create){ .host = host, .request = request };
	create->hold = hold_new(host->orphans, keyed ? NULL : fingerprint, read_attempt(request), http_socket(request));
	switch (keyed ? CHOICE_NONE : look(create)) {
	case CHOICE_JOB: create->taken_over = true; break;
	case CHOICE_NONE: created = make(create, submit, answer); break;
	case CHOICE_WAIT: created = OPENAI_CREATED_TOLD; break;
	}
	request->may_have_paid |= created == OPENAI_CREATED_JOB;
	if (created != OPENAI_CREATED_JOB)
		create->hold = NULL;
	return created;
}

void openai_create_is_free(struct openai_create *create)
{
	create->request->may_have_paid = false;
}

void openai_create_answering(struct openai_create *create)
{
	hold_go_on(create->hold, HOLD_ANSWERING);
}

/* ---- its end ---- */

/* A job whose answer has arrived, as far as was known when its request ended. */
struct told_job {
	struct http_aftermath aftermath; /* first: told_job_end() finds the rest by it */
	struct host *host;
	unsigned char fingerprint[32];
	struct id job;
};

static void told_job_end(struct http_aftermath *aftermath, bool reset)
{
	struct told_job *told = (struct told_job *)(void *)aftermath;

	if (reset)
		hold_add_lost(told->host->orphans, told->host->store, told->fingerprint, &told->job);
	free(told);
}

static struct told_job *told_job_new(const struct openai_create *create)
{
	struct told_job *told = memory_new(sizeof *told);

	told->aftermath.end = told_job_end;
	told->host = create->host;
	memcpy(told->fingerprint, create->hold->fingerprint, sizeof told->fingerprint);
	told->job = create->job;
	return told;
}

void openai_create_end(struct openai_create *create, enum openai_told told)
{
	bool answered = told == OPENAI_TOLD_ALL && http_is_delivered(create->request);
	struct told_job *job = answered && create->hold->listed ? told_job_new(create) : NULL;

	hold_end(create->hold, create->host->store, answered, told == OPENAI_TOLD_FREE);
	create->hold = NULL;
	if (job != NULL)
		http_watch(create->request, &job->aftermath);
}
