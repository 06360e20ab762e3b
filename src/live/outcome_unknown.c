/* outcome_unknown.c - jobs whose outcome is not known: the vendor may have them, and may bill them. They are never sent again by themselves. The
 * script looks for them at the vendor (its reconcile), for a while; then an operator says what became of them. Engine thread. */
#include "live/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/micro_usd.h"

/* ---- looking for it ---- */

/* After the submit it is looked for a while; then when a request comes, or an operator has the turn. */
static void unknown_look_later(struct live_job *job)
{
	if (job->tries < LIMIT_LIVE_RECONCILE_TRIES && clock_unix_ms() - job->live.submitted_ms < LIMIT_LIVE_RECONCILE_MS)
		schedule_in(job, pause_before_reconcile(job));
	else
		schedule_never(job);
	schedule_next(job);
}

static void unknown_written(struct live_job *job)
{
	job->tries = job->misses = 0;
	unknown_look_later(job);
}

/* The registry has it: others may have its place. */
static void unknown_left(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;

	lane_leave(job);
	unknown_look_later(job);
	provider_queue_send(queue);
}

/* Next: unknown_left(). */
void outcome_leave_place(struct live_job *job)
{
	job->live.slotted = false;
	record_job(job, true, NULL, unknown_left);
}

/* Next: unknown_written(). */
void outcome_unknown(struct live_job *job, const char *reason)
{
	struct log_line line;
	char id[ID_TEXT_BYTES];

	job_set_reason(job, reason);
	job_set_phase(job, LIVE_UNKNOWN);
	job->status = TASK_UNKNOWN;
	job->place_ns = schedule_after(LIMIT_LIVE_LOST_PLACE_SECONDS);
	id_format(&job->id, id);
	log_begin(&line, LOG_WARN, "live.unknown");
	log_text(&line, "provider", job->provider);
	log_text(&line, "job_id", id);
	log_text(&line, "reason", reason);
	log_end(&line);
	record_job(job, true, "unknown", unknown_written);
}

/* The host that had it before may only stand still, and send or tell something yet. */
static bool unknown_may_be_told(const struct live_job *job)
{
	return job->adopted_ns != 0 && clock_monotonic_ns() - job->adopted_ns < LIMIT_LIVE_ADOPTED_MS * 1000000LL;
}

/* `missing`: the vendor's list is complete, and does not have it. */
static void unknown_not_found(struct live_job *job, bool missing)
{
	job->misses = missing ? job->misses + 1 : 0;
	if (job->misses >= LIMIT_LIVE_MISSES && clock_unix_ms() - job->live.submitted_ms > LIMIT_LIVE_MISSES_MS &&
		!unknown_may_be_told(job))
		outcome_end(job, TASK_ERROR, "unavailable", "the vendor's list does not have this job: it never arrived", false);
	else
		unknown_look_later(job);
}

/* ---- whose is the vendor's id? ---- */

/* Keeps `result` (held) while the registry gives its id to the job, unless another has it. Next: `then`. */
static void unknown_claim(struct live_job *job, json_t *result, job_step *then)
{
	json_decref(job->found);
	job->found = json_incref(result);
	record_claim(job, json_text(result, "id"), then);
}

/* The registry has answered. What it could not be told yet is another's all the same. */
static bool unknown_is_free(const struct live_job *job, const char *vendor_id)
{
	return job->write.outcome == STORE_WRITTEN && !job_is_anothers(job, vendor_id);
}

static void unknown_found(struct live_job *job)
{
	json_t *result = job->found;
	const char *id = json_text(result, "id");

	job->found = NULL;
	if (unknown_is_free(job, id)) {
		outcome_take(job, result);
	} else {
		claim_note(job->provider_queue, id);
		unknown_not_found(job, false);
	}
	json_decref(result);
}

/* Next, when it names an id: unknown_found(). */
void outcome_of_reconcile(struct live_job *job, json_t *result)
{
	const char *id = json_text(result, "id");

	job->tries++;
	if (json_text(result, "status") == NULL || result_has(result, "unknown"))
		unknown_not_found(job, json_is_false(json_object_get(result, "found")));
	else if (id == NULL || (job->vendor_id != NULL && strcmp(job->vendor_id, id) == 0))
		outcome_take(job, result);
	else
		unknown_claim(job, result, unknown_found);
}

/* ---- what an operator says ---- */

static void resolve_refuse(struct live_job *job, const char *field, const char *why)
{
	struct error error;

	error_set(&error, ERROR_CONFLICT, field, "%s", why);
	job_notify(job, false, ERROR_CONFLICT, &error);
	schedule_job(job);
}

static void resolve_named(struct live_job *job)
{
	json_t *result = job->found;

	job->found = NULL;
	if (unknown_is_free(job, json_text(result, "id"))) {
		job->want_poll = true; /* it may be long over, and one that is overdue is polled rarely */
		outcome_go_on(job, result, TASK_RUNNING);
	} else {
		resolve_refuse(job, "vendor_id", "this is another job's vendor_id");
	}
	json_decref(result);
}

/* Next: resolve_named(), or the job's end. */
static void resolve_begin(struct live_job *job, const struct resolution *resolution)
{
	json_t *result;

	if (resolution->vendor_id != NULL) {
		result = json_pack("{s:s,s:s}", "id", resolution->vendor_id, "status", "running");
		unknown_claim(job, result, resolve_named);
		json_decref(result);
	} else {
		result = json_pack("{s:{s:f,s:s},s:s}", "cost", "usd", micro_usd_dollars(resolution->cost), "source", "operator",
			"reason", "resolved by the operator");
		completion_begin(job, (enum task_status)resolution->status, result);
	}
}

void outcome_resolve(struct live_job *job)
{
	struct resolution *resolution = job->resolution;

	job->resolution = NULL;
	if (!waiter_take(resolution->waiter)) /* its client has given up */
		schedule_job(job);
	else if (job->status != TASK_UNKNOWN) /* the vendor has said so meanwhile */
		resolve_refuse(job, NULL, "its outcome is not unknown any more");
	else
		resolve_begin(job, resolution);
	resolution_free(resolution);
}
