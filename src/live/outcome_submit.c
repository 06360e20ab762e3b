/* outcome_submit.c - what the result of a submit means for its job: sent, to be sent again, ended, or not known. Engine thread.
 *
 * Whether a paid request left is the engine's to say (enum engine_sending), never the script's; and a job whose paid request the vendor has taken
 * is not sent again, whatever the script wants. */
#include "live/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define RATE_LIMIT_SECONDS 10.0
#define STARVED_SECONDS 1.0 /* until there may be memory for the script again */
#define HELD_SECONDS 0.5
#define REASON_BYTES 160

/* The vendor said "not now", and that nothing was taken: this job waits, or its provider's whole queue; as long as the vendor named, or growing. */
static void submit_put_off(struct live_job *job, const json_t *result)
{
	bool whole_queue = !json_is_true(json_object_get(result, "resubmit"));
	double pause = result_number(result, "retry_after", PAUSE_MOST_SECONDS, RATE_LIMIT_SECONDS);

	if (!json_is_true(json_object_get(result, "retry_named")))
		pause = whole_queue ? pause_after_refusal(job->owner, pause, provider_queue_refused(job->provider_queue),
					      LIMIT_LIVE_REFUSED_SECONDS)
				    : pause_after_refusal(job->owner, pause, job->polls++, LIMIT_LIVE_RETRY_SECONDS);
	if (whole_queue)
		provider_queue_block(job, pause);
	outcome_hold(job, result_reason(result, "the vendor asks to come later"), pause + 0.05);
}

/* What was good by the vendor's own schema was bad to the vendor: the schema is not what it was. */
static void submit_doubt(const struct live_job *job, const struct engine_call *call, const json_t *result)
{
	const char *code = json_text(json_object_get(result, "error"), "code");
	const struct model_source *models = call->call.models;

	if (models != NULL && code != NULL && strcmp(code, "invalid") == 0 && call->call.asked_model[0] != '\0')
		models->doubt(models->context, job->provider, call->call.asked_model);
}

static void submit_answered(struct live_job *job, const struct engine_call *call, json_t *result)
{
	if (json_is_true(json_object_get(result, "resubmit")) && call->taken > 0) {
		outcome_unknown(job, "the script would send the job again, though the vendor has answered its paid request");
		return;
	}
	if (result_is_put_off(result) && call->taken == 0) {
		submit_put_off(job, result);
		return;
	}
	if (call->taken > 0)
		late_keep(job, result);
	submit_doubt(job, call, result);
	provider_queue_taken(job->provider_queue);
	job->polls = 0;
	if (result_leaves_open(result, job->live.phase == LIVE_SENDING))
		outcome_unknown(job, result_reason(result, "the vendor's answer leaves open whether it took the job"));
	else
		outcome_take(job, result);
}

/* The script gave no result. Only while nothing may be out does its own fault end the job. */
static void submit_failed(struct live_job *job, const struct script_call *script)
{
	char message[OUTCOME_FAILURE_BYTES];

	outcome_failure(script, message);
	if (job->live.phase != LIVE_QUEUED)
		outcome_unknown(job, message);
	else if (outcome_was_starved(script))
		outcome_hold(job, message, STARVED_SECONDS);
	else
		outcome_end(job, TASK_ERROR, "invalid", message, false);
}

static void submit_unanswered(struct live_job *job, const struct engine_call *call)
{
	char reason[REASON_BYTES];

	snprintf(reason, sizeof reason, "the vendor's answer to the paid request was lost (%s): it may have taken the job",
		call->failure);
	outcome_unknown(job, reason);
}

/* What another try would meet again; NULL: it is worth one. */
static const char *submit_refusal(const char *failure)
{
	static const char *const refusals[][2] = {
		{ "blocked", "the vendor's address is private: requests go to public addresses only" },
		{ "own", "the vendor's address is this host's own: it does not call itself" },
		{ "unlisted",
			"nothing was sent: others can have names on that host, and the operator's list live.providers.ID.hosts "
			"does not have it, so it gets no credential" },
	};

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (strcmp(failure, refusals[i][0]) == 0)
			return refusals[i][1];
	return NULL;
}

static void submit_unsent(struct live_job *job, const char *failure)
{
	bool held = strcmp(failure, "held") == 0;
	const char *refusal = submit_refusal(failure);
	char reason[REASON_BYTES];

	if (refusal != NULL) {
		outcome_end(job, TASK_ERROR, "invalid", refusal, false);
		return;
	}
	snprintf(reason, sizeof reason, "nothing was sent yet (%s); it is tried again", failure);
	outcome_hold(
		job, reason, held ? HELD_SECONDS : pause_before_retry(job->owner, job->live.attempts, LIMIT_LIVE_RETRY_SECONDS));
}

void outcome_of_submit(struct live_job *job, const struct engine_call *call, json_t *result)
{
	if (call->sending == SENDING_UNKNOWN)
		submit_unanswered(job, call);
	else if (call->sending == SENDING_NOTHING && call->failure[0] != '\0')
		submit_unsent(job, call->failure);
	else if (call->denied && call->taken == 0) /* a first step of it: the queue says why, and for how long */
		submit_unsent(job, "held");
	else if (result == NULL)
		submit_failed(job, &call->call);
	else
		submit_answered(job, call, result);
}
