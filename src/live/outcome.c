/* outcome.c - what the result of a script's function means for its job. Engine thread.
 *
 * The rule above all others: a paid request that got no answer, or an answer that leaves open whether the vendor took the job, makes the job's
 * outcome unknown. It is never sent again by itself; it is looked for where the script can, and waits for an operator elsewhere. */
#include "live/internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#define FIRST_POLL_SECONDS 1.0
#define GROWTH 1.3
#define RATE_LIMIT_SECONDS 10.0
#define CANCEL_RETRY_SECONDS 5.0
#define CANCEL_TRIES 5
#define PUT_OFF_SECONDS 1.0 /* until there may be memory again */
#define HELD_SECONDS 0.5
#define MOST_RUNTIME_SECONDS (31 * 86400.0)
#define RUNTIME_GRACE_MS 3600000 /* for a vendor to end what was to be ended */

/* ---- pauses ---- */

static double number_within(const json_t *object, const char *name, double most, double otherwise)
{
	const json_t *value = json_object_get(object, name);
	double number = json_is_number(value) ? json_number_value(value) : otherwise;

	return number >= 0 && number <= most ? number : otherwise;
}

static double number_of(const json_t *object, const char *name, double otherwise)
{
	return number_within(object, name, 86400, otherwise);
}

/* Grows from poll to poll, from what the script or the vendor asked for (and is never shorter than that), spread a little. */
static double poll_pause(struct live *live, struct live_job *job, const json_t *result)
{
	double asked = number_of(result, "retry_after", FIRST_POLL_SECONDS);
	double most = asked > LIMIT_LIVE_POLL_SECONDS ? asked : LIMIT_LIVE_POLL_SECONDS;
	double pause = asked > 0 ? asked : 0.05;

	if (clock_unix_ms() > job->live.deadline_ms || job->requests > LIMIT_LIVE_JOB_REQUESTS)
		return LIMIT_LIVE_RARE_POLL_SECONDS;
	for (int i = 0; i < job->polls && pause < most; i++)
		pause *= GROWTH;
	if (pause > most)
		pause = most;
	if (json_is_number(json_object_get(result, "retry_after")))
		return pause * (1 + 0.05 * schedule_jitter(live));
	return pause * (0.9 + 0.1 * schedule_jitter(live));
}

/* A wait that nobody named grows from try to try, and spreads: those who were refused together do not come back together. */
static double grown(struct live *live, double first, int tries, double most)
{
	double pause = first;

	for (int i = 0; i < tries && pause < most; i++)
		pause *= 2;
	if (pause > most)
		pause = most > first ? most : first;
	return pause * (1 + 0.25 * schedule_jitter(live));
}

static double backoff(struct live *live, int tries, double most)
{
	double pause = 1;

	for (int i = 0; i < tries && pause < most; i++)
		pause *= 2;
	return (pause < most ? pause : most) * (0.8 + 0.2 * schedule_jitter(live));
}

/* ---- steps ---- */

static void again(struct live *live, struct live_job *job)
{
	job_notify(job, false, ERROR_NONE, NULL);
	schedule_job(live, job);
}

/* Nothing was sent, or the vendor did not take it: the job stands in its queue again after a pause. */
void outcome_hold(struct live *live, struct live_job *job, const char *reason, double seconds)
{
	job_set_reason(live, job, reason);
	provider_queue_count(job, false);
	job_set_phase(live, job, LIVE_QUEUED);
	job->status = TASK_QUEUED;
	schedule_in(live, job, fmax(seconds, (double)(job->rests_ns - clock_monotonic_ns()) / 1e9));
	record_job(live, job, true, "queued", again);
	provider_queue_send(live, job->provider_queue);
}

/* After the submit a job of unknown outcome is looked for a while, then when somebody asks. */
static bool is_looked_for(const struct live_job *job)
{
	return job->tries < LIMIT_LIVE_RECONCILE_TRIES && clock_unix_ms() - job->live.submitted_ms < LIMIT_LIVE_RECONCILE_MS;
}

static double reconcile_pause(struct live *live, const struct live_job *job)
{
	return job->tries == 0 ? 2 : backoff(live, job->tries + 3, LIMIT_LIVE_RECONCILE_SECONDS);
}

static void unknown_written(struct live *live, struct live_job *job)
{
	provider_queue_count(job, false);
	provider_queue_send(live, job->provider_queue);
	job->tries = job->misses = 0;
	if (is_looked_for(job))
		schedule_in(live, job, reconcile_pause(live, job));
	else
		schedule_never(live, job);
	job_notify(job, false, ERROR_NONE, NULL);
	schedule_job(live, job);
}

void outcome_unknown(struct live *live, struct live_job *job, const char *reason)
{
	struct log_line line;
	char id[ID_TEXT_BYTES];

	job_set_reason(live, job, reason);
	job_set_phase(live, job, LIVE_UNKNOWN);
	job->status = TASK_UNKNOWN;
	id_format(&job->id, id);
	log_begin(&line, LOG_WARN, "live.unknown");
	log_text(&line, "provider", job->provider);
	log_text(&line, "job_id", id);
	log_text(&line, "reason", reason);
	log_end(&line);
	record_job(live, job, true, "unknown", unknown_written);
}

/* An end that the host itself makes. */
void outcome_end(
	struct live *live, struct live_job *job, enum task_status status, const char *code, const char *message, bool billed)
{
	json_t *result = json_pack("{s:{s:s,s:s,s:b}}", "error", "code", code, "message", message, "billed", billed ? 1 : 0);

	completion_begin(live, job, status, result);
}

/* What the next call needs: by these the vendor is asked. False: out of memory. */
static bool keep_state(struct live_job *job, const json_t *result, bool *changed)
{
	const json_t *state = json_object_get(result, "state");
	struct buffer text;
	bool kept = true;

	if (!json_is_object(state))
		return true;
	buffer_init(&text, LIMIT_SCRIPT_MEMORY_BYTES);
	json_write(&text, state);
	if (text.failed) {
		kept = false;
	} else if (job->live.state == NULL || strcmp(job->live.state, text.data) != 0) {
		job_set_text(&job->live.state, text.data);
		*changed = true;
	}
	buffer_free(&text);
	return kept;
}

static bool keep_id(struct live_job *job, const json_t *result, bool *changed)
{
	const char *id = json_text(result, "id");

	if (id == NULL || (job->vendor_id != NULL && strcmp(job->vendor_id, id) == 0))
		return true;
	if (job->vendor_id == NULL)
		provider_queue_note_vendor_id(job->provider_queue, id);
	*changed = true;
	job_set_text(&job->vendor_id, id);
	return true;
}

static bool keep_progress(struct live *live, struct live_job *job, const json_t *result, enum task_status status)
{
	double progress = number_of(result, "progress", job->progress);
	const char *reason = json_text(result, "reason");
	bool changed;

	if (progress > 1)
		progress = 1;
	changed = status != job->status || progress != job->progress;
	if ((reason == NULL) != (job->live.reason == NULL) || (reason != NULL && strcmp(reason, job->live.reason) != 0))
		changed = true;
	job->status = status;
	job->progress = progress;
	job_set_reason(live, job, reason);
	return changed;
}

/* ---- results ---- */

static bool is_end(const char *status)
{
	return strcmp(status, "done") == 0 || strcmp(status, "error") == 0 || strcmp(status, "canceled") == 0;
}

static enum task_status status_of(const char *text)
{
	enum task_status status;

	return task_status_parse(text, &status) ? status : TASK_RUNNING;
}

/* The host ends it then, counted from the moment when it was asked for. */
static void limit_runtime(struct live_job *job, const json_t *result)
{
	double seconds = number_within(result, "max_runtime_seconds", MOST_RUNTIME_SECONDS, 0);
	int64_t from = job->live.submitted_ms > 0 ? job->live.submitted_ms : clock_unix_ms();

	if (seconds <= 0)
		return;
	job->live.stop_ms = from + (int64_t)(seconds * 1000);
	if (job->live.deadline_ms < job->live.stop_ms + RUNTIME_GRACE_MS)
		job->live.deadline_ms = job->live.stop_ms + RUNTIME_GRACE_MS;
}

/* A vendor that did not hear it, or takes its time, is told again, a few times. */
static bool wants_cancel_again(const struct live_job *job)
{
	return job->live.cancel_asked && job->tries < CANCEL_TRIES &&
	       clock_monotonic_ns() - job->canceled_ns > (int64_t)(CANCEL_RETRY_SECONDS * 1e9);
}

static void not_learned(struct live *live, struct live_job *job, const char *why);

/* There was no memory for what the vendor said. If it was the answer to the paid request, it cannot be had again. */
static void not_kept(struct live *live, struct live_job *job)
{
	if (job->live.phase == LIVE_SENDING)
		outcome_unknown(live, job, "out of memory when the vendor's answer came");
	else
		not_learned(live, job, "out of memory when the vendor's answer came");
}

/* The vendor has the job and it goes on. */
static void go_on(struct live *live, struct live_job *job, const json_t *result, enum task_status status)
{
	bool first = job->live.phase != LIVE_SENT;
	bool changed = false;

	if (!keep_id(job, result, &changed) || !keep_state(job, result, &changed)) {
		not_kept(live, job);
		return;
	}
	if (clock_unix_ms() > job->live.deadline_ms)
		status = TASK_UNKNOWN;
	if (status != job->status)
		job->polls = 0;
	changed |= keep_progress(live, job, result, status);
	if (first) {
		limit_runtime(job, result);
		job_set_phase(live, job, LIVE_SENT);
		provider_queue_count(job, true); /* one of unknown outcome that was found */
	}
	job->want_cancel |= wants_cancel_again(job);
	schedule_in(live, job, poll_pause(live, job, result));
	job->polls++;
	if (first || changed) {
		record_job(live, job, first, first ? "sent" : status == TASK_UNKNOWN ? "unknown" : "progress", again);
		return;
	}
	job_notify(job, false, ERROR_NONE, NULL);
	schedule_job(live, job);
}

static void take_result(struct live *live, struct live_job *job, json_t *result)
{
	const char *status = json_text(result, "status");
	bool changed = false;

	if (status == NULL || !is_end(status)) {
		go_on(live, job, result, status == NULL ? TASK_RUNNING : status_of(status));
		return;
	}
	if (!keep_id(job, result, &changed)) {
		not_kept(live, job);
		return;
	}
	completion_begin(live, job, status_of(status), json_incref(result));
}

/* ---- submit ---- */

static bool is_code(const json_t *error, const char *code)
{
	const char *text = json_text(error, "code");

	return text != NULL && strcmp(text, code) == 0;
}

/* An answer that leaves open whether the vendor took the job. */
static bool leaves_open(const struct live_job *job, const json_t *result, const char *status)
{
	const json_t *error = json_object_get(result, "error");

	if (strcmp(status, "unknown") == 0)
		return true;
	return job->live.phase == LIVE_SENDING && strcmp(status, "error") == 0 && json_text(result, "id") == NULL &&
	       !json_is_boolean(json_object_get(error, "billed"));
}

/* The vendor said "not now", and that nothing was taken. */
static bool is_put_off(const json_t *result, const char *status)
{
	const json_t *error = json_object_get(result, "error");

	if (json_is_true(json_object_get(result, "resubmit")))
		return true;
	return strcmp(status, "error") == 0 && is_code(error, "rate_limited") && json_is_false(json_object_get(error, "billed"));
}

static const char *reason_of(const json_t *result, const char *otherwise)
{
	const char *reason = json_text(result, "reason");
	const char *message = json_text(json_object_get(result, "error"), "message");

	return reason != NULL ? reason : message != NULL ? message : otherwise;
}

/* The wait of one job, that of a provider's whole queue, or what the vendor named. */
static double put_off_pause(struct live *live, struct live_job *job, const json_t *result, bool whole_queue)
{
	double asked = number_of(result, "retry_after", RATE_LIMIT_SECONDS);
	bool named = json_is_true(json_object_get(result, "retry_named"));

	if (whole_queue)
		return named ? asked
			     : grown(live, asked, provider_queue_refused(job->provider_queue), LIMIT_LIVE_REFUSED_SECONDS);
	return named ? asked : grown(live, asked, job->polls++, LIMIT_LIVE_RETRY_SECONDS);
}

static void put_off(struct live *live, struct live_job *job, const json_t *result)
{
	bool whole_queue = !json_is_true(json_object_get(result, "resubmit"));
	double pause = put_off_pause(live, job, result, whole_queue);

	if (whole_queue)
		provider_queue_block(live, job->provider_queue, pause);
	outcome_hold(live, job, reason_of(result, "the vendor asks to come later"), pause + 0.05);
}

static void take_submit(struct live *live, struct live_job *job, const struct engine_call *call, json_t *result)
{
	const char *status = json_text(result, "status");

	if (status == NULL)
		status = "queued";
	if (json_is_true(json_object_get(result, "resubmit")) && call->taken > 0) {
		outcome_unknown(
			live, job, "the script would send the job again, though the vendor has answered its paid request");
		return;
	}
	if (is_put_off(result, status) && call->taken == 0) {
		put_off(live, job, result);
		return;
	}
	provider_queue_taken(job->provider_queue);
	job->polls = 0;
	if (leaves_open(job, result, status)) {
		outcome_unknown(live, job, reason_of(result, "the vendor's answer leaves open whether it took the job"));
	} else {
		take_result(live, job, result);
	}
}

static bool starved(const struct script_call *script)
{
	return script->outcome == CALL_DONE || script->error.code == ERROR_MEMORY; /* done, but its result could not be read */
}

static void submit_failed(struct live *live, struct live_job *job, const struct script_call *script, const char *message)
{
	/* nothing may be out: the script's own fault ends the job */
	if (job->live.phase == LIVE_QUEUED && starved(script))
		outcome_hold(live, job, message, PUT_OFF_SECONDS);
	else if (job->live.phase == LIVE_QUEUED)
		outcome_end(live, job, TASK_ERROR, "invalid", message, false);
	else
		outcome_unknown(live, job, message);
}

static void submit_unknown(struct live *live, struct live_job *job, const struct engine_call *call)
{
	char reason[160];

	snprintf(reason, sizeof reason, "the vendor's answer to the paid request was lost (%s): it may have taken the job",
		call->failure);
	outcome_unknown(live, job, reason);
}

static void submit_unsent(struct live *live, struct live_job *job, const struct engine_call *call)
{
	/* failures that another try would meet again */
	static const char *const refused[][2] = {
		{ "blocked", "the vendor's address is private: requests go to public addresses only" },
		{ "own", "the vendor's address is this host's own: it does not call itself" },
		{ "unlisted",
			"nothing was sent: others can have names on that host, and the operator's list live.providers.ID.hosts "
			"does not have it, so it gets no credential" },
	};
	char reason[160];

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (strcmp(call->failure, refused[i][0]) == 0) {
			outcome_end(live, job, TASK_ERROR, "invalid", refused[i][1], false);
			return;
		}
	snprintf(reason, sizeof reason, "nothing was sent yet (%s); it is tried again", call->failure);
	outcome_hold(live, job, reason,
		strcmp(call->failure, "held") == 0 ? HELD_SECONDS : backoff(live, job->live.attempts, LIMIT_LIVE_RETRY_SECONDS));
}

/* Why the script gave no result: its refusals (texts with commas), or its error. */
static const char *failure_text(const struct engine_call *call, char text[400])
{
	const struct script_call *script = &call->call;

	if (script->outcome == CALL_REFUSED && script->refusals.length > 1)
		snprintf(text, 400, "%.*s", (int)(script->refusals.length - 1 < 399 ? script->refusals.length - 1 : 399),
			script->refusals.data);
	else
		snprintf(text, 400, "%.399s", starved(script) ? "out of memory" : script->error.message);
	return text;
}

static void outcome_of_submit(struct live *live, struct live_job *job, const struct engine_call *call, json_t *result)
{
	char text[400];

	if (call->sending == SENDING_UNKNOWN)
		submit_unknown(live, job, call);
	else if (call->sending == SENDING_NOTHING && call->failure[0] != '\0')
		submit_unsent(live, job, call);
	else if (call->denied && call->taken == 0) /* a first step of it: the queue says why, and for how long */
		outcome_hold(live, job, "nothing was sent yet (held); it is tried again", HELD_SECONDS);
	else if (result == NULL)
		submit_failed(live, job, &call->call, failure_text(call, text));
	else
		take_submit(live, job, call, result);
}

/* ---- the others ---- */

/* The script could not say how the job stands: it goes on as it is; a mended script will tell. */
static void not_learned(struct live *live, struct live_job *job, const char *why)
{
	struct error error;

	bool changed = job->live.reason == NULL || strcmp(job->live.reason, why) != 0;

	error_set(&error, ERROR_SCRIPT, NULL, "%s", why);
	job_set_reason(live, job, why);
	job->polls++;
	schedule_in(live, job, poll_pause(live, job, NULL));
	job_notify(job, false, ERROR_SCRIPT, &error);
	if (changed)
		record_job(live, job, false, "progress", again);
	else
		schedule_job(live, job);
}

static void outcome_of_cancel(struct live *live, struct live_job *job, json_t *result)
{
	const char *status = result != NULL ? json_text(result, "status") : NULL;

	job->want_cancel = false;
	job->tries++;
	job->canceled_ns = clock_monotonic_ns();
	if (status != NULL && is_end(status)) {
		take_result(live, job, result);
		return;
	}
	/* the vendor cancels in its own time: polls tell. A runtime that is over is ended again and again until it is. */
	job->polls = 0;
	if (job->live.stop_ms != 0 && clock_unix_ms() >= job->live.stop_ms)
		schedule_in(live, job, CANCEL_RETRY_SECONDS);
	else
		schedule_in(live, job, FIRST_POLL_SECONDS);
	schedule_job(live, job);
}

/* It was not found, or what was found is another's. */
static void keep_looking(struct live *live, struct live_job *job, bool missing)
{
	job->misses = missing ? job->misses + 1 : 0;
	if (job->misses >= LIMIT_LIVE_MISSES && clock_unix_ms() - job->live.submitted_ms > LIMIT_LIVE_MISSES_MS) {
		outcome_end(live, job, TASK_ERROR, "unavailable", "the vendor's list does not have this job: it never arrived",
			false);
		return;
	}
	if (is_looked_for(job))
		schedule_in(live, job, reconcile_pause(live, job));
	else
		schedule_never(live, job); /* the operator's turn */
	job_notify(job, false, ERROR_NONE, NULL);
	schedule_job(live, job);
}

/* The registry has told whether the vendor's id is another job's, and two job of unknown outcomes may have found the same one at the same time: the first has
 * it. */
static void found_known(struct live *live, struct live_job *job)
{
	json_t *result = job->found;
	const char *id = json_text(result, "id");

	job->found = NULL;
	if (job->write.outcome == STORE_WRITTEN && !job_is_anothers(live, job, id)) {
		take_result(live, job, result);
	} else {
		if (!provider_queue_knows_vendor_id(job->provider_queue, id))
			provider_queue_note_vendor_id(job->provider_queue, id);
		keep_looking(live, job, false);
	}
	json_decref(result);
}

static void outcome_of_reconcile(struct live *live, struct live_job *job, json_t *result)
{
	const char *status = result != NULL ? json_text(result, "status") : NULL;
	const char *id = json_text(result, "id");

	job->tries++;
	if (status == NULL || strcmp(status, "unknown") == 0) {
		keep_looking(live, job, json_is_false(json_object_get(result, "found")));
	} else if (id == NULL || (job->vendor_id != NULL && strcmp(job->vendor_id, id) == 0)) {
		take_result(live, job, result);
	} else {
		json_decref(job->found);
		job->found = json_incref(result);
		record_find_vendor_id(live, job, id, found_known);
	}
}

void outcome_of_call(struct live *live, struct live_job *job, enum action action, const struct engine_call *call)
{
	const struct script_call *script = &call->call;
	json_t *result = NULL;
	char text[400];

	if (script->outcome == CALL_DONE)
		result = json_read(script->result.data, script->result.length, NULL);
	if (script->outcome == CALL_FAILED)
		log_message(LOG_ERROR, "script.failed", "%s", script->error.message);
	switch (action) {
	case ACTION_SUBMIT: outcome_of_submit(live, job, call, result); break;
	case ACTION_CANCEL: outcome_of_cancel(live, job, result); break;
	case ACTION_RECONCILE: outcome_of_reconcile(live, job, result); break;
	default:
		if (result == NULL)
			not_learned(live, job, failure_text(call, text));
		else
			take_result(live, job, result);
		break;
	}
	json_decref(result);
}

/* There was no function to run. */
void outcome_not_run(struct live *live, struct live_job *job, enum action action, const char *why)
{
	struct error error;

	error_set(&error, ERROR_CONFLICT, NULL, "%s", why);
	switch (action) {
	case ACTION_SUBMIT: outcome_hold(live, job, why, LIMIT_LIVE_GATE_SECONDS); break;
	case ACTION_CANCEL:
		job->want_cancel = job->live.cancel_asked = false;
		schedule_in(live, job, job->live.stop_ms != 0 ? CANCEL_RETRY_SECONDS : FIRST_POLL_SECONDS);
		job_notify(job, false, ERROR_CONFLICT, &error);
		break;
	case ACTION_RECONCILE: /* the operator's turn */
		schedule_never(live, job);
		job_notify(job, false, ERROR_CONFLICT, &error);
		break;
	case ACTION_WEBHOOK: job_drop_webhooks(job); /* fall through */
	default: not_learned(live, job, why); break;
	}
}

/* There was no memory to run it: it is not given up for that. */
void outcome_put_off(struct live *live, struct live_job *job, enum action action)
{
	switch (action) {
	case ACTION_SUBMIT: outcome_hold(live, job, "out of memory", PUT_OFF_SECONDS); break;
	case ACTION_CANCEL:
	case ACTION_RECONCILE: schedule_in(live, job, PUT_OFF_SECONDS); break;
	default: not_learned(live, job, "out of memory"); break;
	}
}

/* The operator named the job at the vendor; the registry has told whether it is another's. */
static void named_known(struct live *live, struct live_job *job)
{
	json_t *result = job->found;
	struct error error;

	job->found = NULL;
	if (job->write.outcome == STORE_WRITTEN && !job_is_anothers(live, job, json_text(result, "id"))) {
		job->want_poll = true; /* it may be long over, and one that is overdue is asked for rarely */
		go_on(live, job, result, TASK_RUNNING);
	} else {
		error_set(&error, ERROR_CONFLICT, "vendor_id", "this is another job's vendor_id");
		job_notify(job, false, ERROR_CONFLICT, &error);
		schedule_job(live, job);
	}
	json_decref(result);
}

/* The operator said what became of it. */
void outcome_resolve(struct live *live, struct live_job *job)
{
	struct resolution *resolution = job->resolution;
	struct error error;
	json_t *result;

	if (!waiter_take(resolution->waiter)) {
		job_drop_resolution(job);
		schedule_job(live, job);
		return;
	}
	if (job->status != TASK_UNKNOWN) { /* the vendor has told meanwhile */
		job_drop_resolution(job);
		error_set(&error, ERROR_CONFLICT, NULL, "its outcome is not unknown any more");
		job_notify(job, false, ERROR_CONFLICT, &error);
		schedule_job(live, job);
		return;
	}
	if (resolution->vendor_id != NULL) {
		result = json_pack("{s:s,s:s}", "id", resolution->vendor_id, "status", "running");
	} else {
		result = json_pack("{s:{s:f,s:s},s:s}", "cost", "usd", (double)resolution->cost / 1e6, "source", "operator",
			"reason", "resolved by the operator");
	}
	if (result == NULL) { /* without memory it waits */
		schedule_in(live, job, PUT_OFF_SECONDS);
		return;
	}
	if (resolution->vendor_id != NULL) {
		json_decref(job->found);
		job->found = result;
		record_find_vendor_id(live, job, json_text(result, "id"), named_known);
	} else {
		completion_begin(live, job, (enum task_status)resolution->status, result);
	}
	job_drop_resolution(job);
}
