/* submit.c - a submit from request to durable answer: a dry run, or the beginning of a live job.
 *
 * All on its HTTP thread: the script's call (provider_call.h), a live job's price, answer and row (submission.h), and then the row: of a dry run the registry
 * keeps it at once; what else has to be written with it, a live job's money, a key or a callback, is waited for. */
#include "api/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_problem.h"
#include "api/callback.h"
#include "api/envelope.h"
#include "api/live_job.h"
#include "api/submission.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "directory/directory.h"
#include "event/event_log.h"
#include "event/host_event.h"

#define SHORT_BUDGET_BYTES 1024

/* ---- what it comes to ---- */

/* Makes a live job of a dry run that could be one. What is missing is noted, and it stays a dry run. False: there is no room for the job. */
static bool order_job(struct submission *submission)
{
	struct live *live = submission->call->host->live;
	struct script_call *call = &submission->call->script;
	const struct live_order order = submission_order(submission);
	struct error error = { 0 };

	submission->liveness = LIVENESS_ASKED;
	if (live_is_stopped(live))
		envelope_add_stopped(call);
	if (call->outcome != CALL_PREVIEW || call->refusals.length > 0 || call->needs.length > 0 ||
		!submission->verdict_json->live_allowed)
		return true;
	if (submission->live_request.failed)
		return error_memory(&submission->refused) == ERROR_NONE;
	switch (live_order(live, &order, &submission->stored.write, &error)) {
	case ERROR_NONE: submission->liveness = LIVENESS_LIVE; return true;
	case ERROR_INVALID: envelope_add_missing(call, error.message); return true;
	default: submission->refused = error; return false;
	}
}

/* False: there is nothing to register. */
static bool compose(struct submission *submission)
{
	submission->looks = submission->may_look && submission->call->script.missed_model[0] != '\0';
	if (submission->looks)
		return false;
	submission_count_optional(submission);
	if (!submission_is_expected(submission) || (submission->liveness == LIVENESS_LIVE && !order_job(submission)))
		return false;
	submission->preview = submission->live_only && submission->liveness != LIVENESS_LIVE;
	if (submission->preview)
		submission_compose_preview(submission);
	return !submission->preview && submission_compose(submission);
}

/* ---- its row ---- */

static const char *store_is_over(void *context)
{
	const struct incoming *incoming = context;

	return http_client_left(http_socket(incoming->http)) ? call_left_early : NULL;
}

/* Until the store has answered. False: an answer was sent. */
static bool await_row(struct submission *submission, struct incoming *incoming)
{
	const struct awaited_patience patience = { .over = store_is_over, .context = incoming };
	struct store_write *write = &submission->stored.write;
	struct error error = { 0 };

	switch (awaited_write_wait(&submission->stored, incoming->host->store, &patience, &error)) {
	case AWAITED_ANSWERED: return true;
	case AWAITED_REFUSED: incoming_retry(incoming, 1, error.message); break;
	case AWAITED_WITHDRAWN: call_problem_late(incoming, error.message, 1); break;
	case AWAITED_LEFT:
		submission->left = true;
		call_problem_unsure(incoming, &write->task.id);
		return false;
	}
	live_drop(write);
	return false;
}

/* False: an answer was sent. A client that has left gets no job: it would pay for one whose id nobody heard ("Giving up" in docs/architecture.md). */
static bool register_job(struct submission *submission, struct incoming *incoming)
{
	struct store_write *write = &submission->stored.write;

	if (http_client_left(http_socket(incoming->http))) {
		live_drop(write);
		call_problem_late(incoming, call_left_early, 1);
		return false;
	}
	submission->kept = task_store_keep(incoming->host->store, write);
	if (submission->kept)
		write->outcome = STORE_WRITTEN;
	return submission->kept || await_row(submission, incoming);
}

/* ---- the log's lines ---- */

static void log_submit(const struct submission *submission)
{
	const struct provider_call *made = submission->call;
	const struct script_call *call = &made->script;

	event_log(&(struct event){
		.kind = call->kind->name,
		.verb = "submit",
		.provider = call->provider->manifest.id,
		.dry_run = submission->liveness != LIVENESS_LIVE,
		.execution_allowed = submission->verdict_json->execution_allowed,
		.job_id = submission->job_id,
		.request_id = submission->request_id,
		.trace = made->trace[0] != '\0' ? made->trace : NULL,
		.caller = submission_caller(submission),
		.estimate_micro_usd = call->estimate_micro_usd,
		.mode = call->mode[0] != '\0' ? call->mode : NULL,
		.payload = call->payload.data,
		.payload_length = call->payload.length,
	});
}

/* The store was late, so the client was told that it may be registered: it is. Any thread. */
static void forget_submit(struct submission *submission)
{
	if (submission->left && submission_is_registered(submission))
		log_submit(submission);
}

static void emit_refused(const struct error *error, const struct submission *submission, const struct incoming *incoming)
{
	struct buffer out;

	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_text(&out, "{\"provider\":");
	json_write_text(&out, incoming->provider->manifest.id);
	buffer_text(&out, ",\"api_key\":");
	json_write_text(&out, submission_caller(submission));
	buffer_text(&out, ",\"reason\":");
	json_write_text(&out, error->message);
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(incoming->host->store, "host.budget.refused", out.data);
	buffer_free(&out);
}

/* ---- the answer ---- */

/* Whose budget is short, as budget_judge() says it: from the end, since a name may have slashes in it. */
static void send_short_budget(const struct error *error, const struct submission *submission, struct incoming *incoming)
{
	const char *left = strrchr(error->path, '/'), *span = left;
	struct buffer members;

	emit_refused(error, submission, incoming);
	buffer_init(&members, SHORT_BUDGET_BYTES);
	while (span != NULL && span > error->path && span[-1] != '/')
		span--;
	if (span != NULL && span > error->path) {
		buffer_text(&members, "\"budget\":{\"whose\":");
		json_write_string(&members, error->path, (size_t)(span - error->path) - 1);
		buffer_text(&members, ",\"period\":");
		json_write_string(&members, span, (size_t)(left - span));
		buffer_text(&members, ",\"left_usd\":");
		json_write_usd(&members, strtoll(left + 1, NULL, 10));
		buffer_text(&members, "},");
	}
	incoming_problem_with(incoming, 402, error->message, NULL, members.failed ? NULL : members.data);
	buffer_free(&members);
}

void submit_send_refused(struct submission *submission, struct incoming *incoming)
{
	const struct error *error = &submission->refused;

	if (error->code == ERROR_CONFLICT) {
		submission_send_unexpected(submission, incoming);
	} else if (error->code == ERROR_SCRIPT) {
		log_message(LOG_ERROR, "script.failed", "%s", error->message);
		incoming_problem(incoming, 500, NULL, error->message);
	} else {
		incoming_retry(incoming, 1, error->message);
	}
}

/* Prefer: wait=N (RFC 7240): at most so many seconds for the job to end. 0: it is not asked for. */
static int preferred_wait(const struct incoming *incoming)
{
	const char *prefer = http_header(incoming->http, "Prefer");
	const char *wait = prefer != NULL ? strstr(prefer, "wait=") : NULL;
	long seconds = wait != NULL ? strtol(wait + 5, NULL, 10) : 0;

	return seconds <= 0 ? 0 : seconds < LIMIT_LIVE_WAIT_SECONDS ? (int)seconds : LIMIT_LIVE_WAIT_SECONDS;
}

static bool is_wait_over(void *context)
{
	return http_is_short(context) || http_client_left(http_socket(context));
}

/* It is asked for only: not for a client that has left, nor while most threads are taken, by others who wait maybe. */
static bool wait_for_job(const struct submission *submission, const struct incoming *incoming)
{
	struct live_patience patience = {
		.timeout_ms = preferred_wait(incoming) * 1000, .over = is_wait_over, .context = incoming->http
	};

	return patience.timeout_ms > 0 && !is_wait_over(incoming->http) &&
	       live_wait(incoming->host->live, &submission->stored.write.task.id, &patience);
}

/* 200 for a dry run, 202 for a job that has begun. */
static void send_composed(const struct submission *submission, struct incoming *incoming, int status)
{
	const struct buffer *answer = &submission->call->answer;
	char location[160];

	if (status == 202)
		snprintf(location, sizeof location, "Location: /api/jobs/status/%s\r\n", submission->job_id);
	http_send(incoming->http, &(struct http_reply){ .status = status,
					  .headers = status == 202 ? location : NULL,
					  .body = answer->data,
					  .body_length = answer->length });
}

/* Nothing was registered: the answer says what is missing. */
static void send_shown(struct submission *submission, struct incoming *incoming)
{
	send_composed(submission, incoming, 200);
}

static void send_registered(struct submission *submission, struct incoming *incoming)
{
	const struct id *id = &submission->stored.write.task.id;
	struct error error;

	if (submission->liveness != LIVENESS_LIVE)
		send_composed(submission, incoming, 200);
	else if (!wait_for_job(submission, incoming) ||
		 !live_job_send(incoming, id, submission->callback, "Preference-Applied: wait\r\n", &error))
		send_composed(submission, incoming, 202);
	log_submit(submission);
}

static void send_outcome(struct submission *submission, struct incoming *incoming)
{
	const struct store_write *write = &submission->stored.write;

	if (submission->refused.code != ERROR_NONE) {
		submit_send_refused(submission, incoming);
		return;
	}
	if (submission->preview) {
		send_shown(submission, incoming);
		return;
	}
	switch (write->outcome) {
	case STORE_WRITTEN: send_registered(submission, incoming); break;
	case STORE_REPLAY:
		idempotency_key_replay(incoming, write->replay.status, write->replay.text, write->replay.length);
		break;
	case STORE_KEY_CLASH: idempotency_key_clash(incoming); break;
	case STORE_SHORT: send_short_budget(&write->error, submission, incoming); break;
	case STORE_TIE_BROKEN:
		incoming_problem(
			incoming, 409, NULL, "what this job was to be made for does not ask for it (any more): nothing was done");
		break;
	case STORE_UNCHANGED: /* of other writes only */
	case STORE_NOT_OURS:
	case STORE_VENDOR_ID_TAKEN:
	case STORE_HELD:
	case STORE_FAILED: incoming_retry(incoming, 1, write->error.message); break;
	}
}

/* ---- the steps ---- */

static void take_callback(struct submission *submission, struct incoming *incoming)
{
	submission->callback = incoming->callback;
	incoming->callback = NULL;
	if (submission->callback != NULL)
		callback_store(submission->callback, incoming->host->webhooks_out, &submission->stored.write);
}

/* When its script has run. False: an answer was sent. */
static bool finish(struct submission *submission, struct incoming *incoming)
{
	if (compose(submission))
		return register_job(submission, incoming);
	live_drop(&submission->stored.write); /* a job that cannot be told is not ordered */
	return true;
}

/* False: an answer was sent. */
static bool run_in_turn(struct submission *submission, struct incoming *incoming)
{
	const struct idempotency *idempotency = &submission->stored.write.idempotency;
	struct key_turn turn;
	bool ran;

	if (!idempotency_key_begin(incoming, idempotency, &turn))
		return false;
	ran = provider_call_run(submission->call, incoming) && finish(submission, incoming);
	idempotency_key_end(incoming, idempotency, &turn);
	return ran;
}

/* Its script asked for a model that nobody has looked for: waits for it a little, then all is done anew, with what is known then. */
static void look_for_model(struct submission *submission, struct incoming *incoming)
{
	const struct script_call *call = &submission->call->script;

	directory_await_model(incoming->host->directory, call->provider->manifest.id, call->missed_model, LIMIT_DIRECTORY_WAIT_MS,
		is_wait_over, incoming->http);
	incoming->callback = submission->callback;
	submission->callback = NULL;
}

/* False: it is to be done anew. */
static bool submit_once(struct incoming *incoming, bool may_look)
{
	struct submission *submission = submission_new(incoming, forget_submit);
	struct store_write *write = &submission->stored.write;
	bool looks = false;

	submission->may_look = may_look;
	take_callback(submission, incoming);
	if (idempotency_key_read(incoming, &write->idempotency, submission->idempotency_key) &&
		run_in_turn(submission, incoming)) {
		looks = submission->looks;
		if (looks)
			look_for_model(submission, incoming);
		else
			send_outcome(submission, incoming);
	}
	submission_release(submission);
	return !looks;
}

void submit_handle(struct incoming *incoming)
{
	if (!submit_once(incoming, incoming->liveness == LIVENESS_LIVE))
		submit_once(incoming, false);
}
