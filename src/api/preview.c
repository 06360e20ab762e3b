/* preview.c - runs a submit up to the point where it would be registered, and shows what it has come to. HTTP thread.
 *
 * It is the submit's own call and answer (submission.h), so it says and refuses the same. It writes nothing, reserves nothing, sends nothing, leaves no line
 * in the log, and looks at no Idempotency-Key: who types a prompt may ask at every key. */
#include "api/preview.h"

#include "api/call_problem.h"
#include "api/submission.h"
#include "api/submit.h"
#include "base/limits.h"

/* What a live submit would lack beyond what the gate says: all of it, where the submit itself stops at the first. */
static void quote_job(struct submission *submission)
{
	struct live *live = submission->call->host->live;
	const struct live_order order = submission_order(submission);
	struct script_call *call = &submission->call->script;
	bool possible = call->outcome == CALL_PREVIEW && call->refusals.length == 0;
	struct error error = { 0 };
	enum error_code code;

	submission->liveness = LIVENESS_ASKED;
	if (live_is_stopped(live))
		envelope_add_stopped(call);
	if (!possible)
		return;
	code = submission->budgets != NULL
		       ? live_quote(live, &order, submission->budgets, &submission->would_reserve, &error)
		       : error_set(&error, ERROR_BUSY, NULL, "the budgets cannot be read now: the registry is busy, or away");
	/* without a budget that is open the gate says so already */
	if (code == ERROR_INVALID || (code != ERROR_NONE && submission->verdict_json->live_allowed))
		envelope_add_missing(call, error.message);
}

static void compose_preview(struct submission *submission)
{
	submission_count_optional(submission);
	if (!submission_is_expected(submission))
		return;
	if (submission->wants_live)
		quote_job(submission);
	submission_compose_preview(submission);
}

static void send_preview(struct submission *submission, struct incoming *incoming)
{
	const struct buffer *answer = &submission->call->answer;

	if (submission->refused.code != ERROR_NONE)
		submit_send_refused(submission, incoming);
	else
		http_send(incoming->http,
			&(struct http_reply){ .status = 200, .body = answer->data, .body_length = answer->length });
}

void preview_handle(struct incoming *incoming)
{
	struct submission *submission = submission_new(incoming, NULL);
	struct error error;

	if (submission->wants_live)
		task_store_budgets(incoming->host->store, budget_today(), &submission->budgets, &error);
	if (instance_watch_waiting(incoming->host->instances) >= LIMIT_PREVIEWS_QUEUE) {
		call_problem_busy(incoming, instance_pool_wait_seconds(&incoming->provider->pool));
	} else if (provider_call_run(submission->call, incoming)) {
		compose_preview(submission);
		send_preview(submission, incoming);
	}
	submission_release(submission);
}
