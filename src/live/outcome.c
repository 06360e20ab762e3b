/* outcome.c - what the result of a script's function means for its job: of polls, webhooks and cancels; of what a submit or a reconcile found, once
 * the vendor has the job. Engine thread.
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

#define CANCEL_RETRY_SECONDS 5.0
#define CANCEL_TRIES 5
#define MOST_RUNTIME_SECONDS (31 * 86400.0)
#define RUNTIME_GRACE_MS 3600000 /* for a vendor to end what was to be ended */
#define ERROR_BYTES 4096	 /* of an end that the host makes */

/* ---- where a job goes ---- */

/* The registry has it: others may have its place. */
static void outcome_held(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;

	lane_leave(job);
	schedule_next(job);
	provider_queue_send(queue);
}

/* Next: outcome_held(). */
void outcome_hold(struct live_job *job, const char *reason, double seconds)
{
	job_set_reason(job, reason);
	lane_started(job);
	job_set_phase(job, LIVE_QUEUED);
	job->live.slotted = false;
	job->status = TASK_QUEUED;
	schedule_in(job, fmax(seconds, (double)(job->rests_ns - clock_monotonic_ns()) / 1e9));
	record_job(job, true, "queued", outcome_held);
}

/* Next: completion.c, up to the job's last write. */
void outcome_end(struct live_job *job, enum task_status status, const char *code, const char *message, bool billed)
{
	struct buffer text;

	/* by way of its text, which is valid whatever bytes a script's message has */
	buffer_init(&text, ERROR_BYTES);
	buffer_text(&text, "{\"error\":{\"code\":");
	json_write_text(&text, code);
	buffer_text(&text, ",\"message\":");
	json_write_text(&text, message);
	buffer_text(&text, billed ? ",\"billed\":true}}" : ",\"billed\":false}}");
	completion_begin(job, status, json_read(text.data, text.length, NULL));
	buffer_free(&text);
}

/* ---- what is kept of a result ---- */

/* What the next call needs: by this the vendor finds the job. False: there is more than can be kept. */
static bool outcome_keep_state(struct live_job *job, const json_t *result, bool *changed)
{
	const json_t *state = json_object_get(result, "state");
	struct buffer text;
	bool kept;

	if (!json_is_object(state))
		return true;
	buffer_init(&text, LIMIT_SCRIPT_MEMORY_BYTES);
	json_write(&text, state);
	kept = !text.failed;
	if (kept && (job->live.state == NULL || strcmp(job->live.state, text.data) != 0)) {
		job_set_text(&job->live.state, text.data);
		*changed = true;
	}
	buffer_free(&text);
	return kept;
}

static void outcome_keep_id(struct live_job *job, const json_t *result, bool *changed)
{
	const char *id = json_text(result, "id");

	if (id == NULL || (job->vendor_id != NULL && strcmp(job->vendor_id, id) == 0))
		return;
	claim_note(job->provider_queue, id);
	job_set_text(&job->vendor_id, id);
	*changed = true;
}

static void outcome_keep_progress(struct live_job *job, const json_t *result, enum task_status status, bool *changed)
{
	double progress = fmin(1, result_number(result, "progress", PAUSE_MOST_SECONDS, job->progress));
	const char *reason = json_text(result, "reason");

	if (status != job->status || progress != job->progress || (reason == NULL) != (job->live.reason == NULL) ||
		(reason != NULL && strcmp(reason, job->live.reason) != 0))
		*changed = true;
	job->status = status;
	job->progress = progress;
	job_set_reason(job, reason);
}

/* The host ends it then, counted from the submit on. */
static void outcome_keep_runtime(struct live_job *job, const json_t *result)
{
	double seconds = result_number(result, "max_runtime_seconds", MOST_RUNTIME_SECONDS, 0);
	int64_t from = job->live.submitted_ms > 0 ? job->live.submitted_ms : clock_unix_ms();

	if (seconds <= 0)
		return;
	job->live.stop_ms = from + (int64_t)(seconds * 1000);
	if (job->live.deadline_ms < job->live.stop_ms + RUNTIME_GRACE_MS)
		job->live.deadline_ms = job->live.stop_ms + RUNTIME_GRACE_MS;
}

/* ---- the vendor has it ---- */

/* A vendor that did not hear it, or takes its time, hears it again, a few times. */
static bool outcome_wants_cancel_again(const struct live_job *job)
{
	return job->live.cancel_asked && job->tries < CANCEL_TRIES &&
	       clock_monotonic_ns() - job->canceled_ns > (int64_t)(CANCEL_RETRY_SECONDS * 1e9);
}

/* The script could not say how the job stands: it goes on as it is, and a mended script will say. Next: schedule_next(). */
static void outcome_not_learned(struct live_job *job, const char *why)
{
	bool changed = job->live.reason == NULL || strcmp(job->live.reason, why) != 0;
	struct error error;

	error_set(&error, ERROR_SCRIPT, NULL, "%s", why);
	job_set_reason(job, why);
	job->polls++;
	schedule_in(job, pause_before_poll(job, NULL));
	job_notify(job, false, ERROR_SCRIPT, &error);
	if (changed)
		record_job(job, false, "progress", schedule_next);
	else
		schedule_job(job);
}

/* Next: schedule_next(). */
void outcome_go_on(struct live_job *job, const json_t *result, enum task_status status)
{
	static const char too_large[] = "the script's state is too large to be kept";
	bool first = job->live.phase != LIVE_SENT, changed = false;

	outcome_keep_id(job, result, &changed);
	if (!outcome_keep_state(job, result, &changed)) {
		if (job->live.phase == LIVE_SENDING) /* the answer to the paid request cannot be had again */
			outcome_unknown(job, too_large);
		else
			outcome_not_learned(job, too_large);
		return;
	}
	if (clock_unix_ms() > job->live.deadline_ms)
		status = TASK_UNKNOWN;
	if (status != job->status)
		job->polls = 0;
	outcome_keep_progress(job, result, status, &changed);
	if (first) {
		outcome_keep_runtime(job, result);
		job_set_phase(job, LIVE_SENT);
		job->live.slotted = true;
		lane_take(job); /* one of unknown outcome that was found may have given its place back */
	}
	job->want_cancel |= outcome_wants_cancel_again(job);
	schedule_in(job, pause_before_poll(job, result));
	job->polls++;
	if (first || changed)
		record_job(job, first, first ? "sent" : status == TASK_UNKNOWN ? "unknown" : "progress", schedule_next);
	else
		schedule_next(job);
}

/* A vendor that looks at the input only when it works on it: what was good by its own schema was bad, so the schema is not what it was. */
static void outcome_doubt(const struct live_job *job, const json_t *result)
{
	const struct model_source *models = job->owner->models;
	const char *code = json_text(json_object_get(result, "error"), "code"), *model;
	json_t *payload;

	if (models == NULL || job->payload == NULL || code == NULL || strcmp(code, "invalid") != 0)
		return;
	payload = json_read(job->payload, strlen(job->payload), NULL);
	model = json_text(payload, "model");
	if (model != NULL)
		models->doubt(models->context, job->provider, model);
	json_decref(payload);
}

void outcome_take(struct live_job *job, json_t *result)
{
	bool changed = false;

	if (result_is_end(result)) {
		outcome_keep_id(job, result, &changed);
		outcome_doubt(job, result);
		completion_begin(job, result_status(result), json_incref(result));
	} else {
		outcome_go_on(job, result, result_status(result));
	}
}

/* ---- cancel ---- */

/* When to look again after a cancel. A runtime that is over is ended again and again until it is. */
static double outcome_cancel_pause(const struct live_job *job)
{
	return job->live.stop_ms != 0 && clock_unix_ms() >= job->live.stop_ms ? CANCEL_RETRY_SECONDS : PAUSE_FIRST_POLL_SECONDS;
}

static void outcome_of_cancel(struct live_job *job, json_t *result)
{
	job->want_cancel = false;
	job->tries++;
	job->canceled_ns = clock_monotonic_ns();
	if (result_is_end(result)) {
		outcome_take(job, result);
		return;
	}
	job->polls = 0; /* the vendor cancels in its own time: polls show it */
	schedule_in(job, outcome_cancel_pause(job));
	schedule_job(job);
}

/* ---- the door ---- */

bool outcome_was_starved(const struct script_call *script)
{
	return script->outcome == CALL_DONE || script->error.code == ERROR_MEMORY;
}

const char *outcome_failure(const struct script_call *script, char text[OUTCOME_FAILURE_BYTES])
{
	int length = (int)fmin((double)script->refusals.length - 1, OUTCOME_FAILURE_BYTES - 1); /* each with a comma behind it */

	if (script->outcome == CALL_REFUSED && script->refusals.length > 1)
		snprintf(text, OUTCOME_FAILURE_BYTES, "%.*s", length, script->refusals.data);
	else
		snprintf(text, OUTCOME_FAILURE_BYTES, "%.399s",
			outcome_was_starved(script) ? "out of memory" : script->error.message);
	return text;
}

void outcome_of_call(struct live_job *job, enum action action, const struct engine_call *call)
{
	const struct script_call *script = &call->call;
	char text[OUTCOME_FAILURE_BYTES];
	json_t *result = NULL;

	if (script->outcome == CALL_DONE)
		result = json_read(script->result.data, script->result.length, NULL);
	if (script->outcome == CALL_FAILED)
		log_message(LOG_ERROR, "script.failed", "%s", script->error.message);
	switch (action) {
	case ACTION_SUBMIT: outcome_of_submit(job, call, result); break;
	case ACTION_CANCEL: outcome_of_cancel(job, result); break;
	case ACTION_RECONCILE: outcome_of_reconcile(job, result); break;
	default:
		if (result != NULL)
			outcome_take(job, result);
		else
			outcome_not_learned(job, outcome_failure(script, text));
	}
	json_decref(result);
}

void outcome_not_run(struct live_job *job, enum action action, const char *why)
{
	struct error error;

	error_set(&error, ERROR_CONFLICT, NULL, "%s", why);
	switch (action) {
	case ACTION_SUBMIT: outcome_hold(job, why, LIMIT_LIVE_GATE_SECONDS); break;
	case ACTION_CANCEL:
		job->want_cancel = job->live.cancel_asked = false;
		schedule_in(job, job->live.stop_ms != 0 ? CANCEL_RETRY_SECONDS : PAUSE_FIRST_POLL_SECONDS);
		job_notify(job, false, ERROR_CONFLICT, &error);
		break;
	case ACTION_RECONCILE: /* the operator's turn */
		schedule_never(job);
		job_notify(job, false, ERROR_CONFLICT, &error);
		break;
	case ACTION_WEBHOOK: job_drop_webhooks(job); /* fall through */
	default: outcome_not_learned(job, why);
	}
}
