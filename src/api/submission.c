/* submission.c - composes a submit's answer and row, of what its script said. CPU only: it reserves nothing, and writes nothing. */
#include "api/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/callback.h"
#include "api/envelope.h"
#include "api/inner_call.h"
#include "api/unknown_model.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "directory/directory.h"
#include "registry/task_json.h"
#include "webhook_in/webhook_in.h"

/* How a live job stands when it is registered; a dry run never changes, so its event says nothing beside its row. */
static const char live_submit_data[] = "{\"status\":\"queued\",\"progress\":0.0,\"vendor_id\":null,\"reason\":null}";

const char *submission_caller(const struct submission *submission)
{
	return submission->caller[0] != '\0' ? submission->caller : NULL;
}

/* ---- its life ---- */

/* What the job's script is given when its turn comes, perhaps after a restart. */
static void write_live_request(struct submission *submission, const struct incoming *incoming)
{
	json_t *request = json_copy(incoming->script_request);

	if (incoming->ignores_directory)
		json_object_set_new(request, LIVE_IGNORES_DIRECTORY, json_true());
	json_write(&submission->live_request, request);
	json_decref(request);
}

/* For another door of the host. */
static void watch_for(struct submission *submission, const struct inner_call *asked)
{
	submission->stored.write.ties = asked->ties;
	submission->asked = memory_copy_text(asked->asked);
	submission->live_only = asked->live_only;
	submission->brief = asked->brief;
	submission->watcher = asked->watcher;
	if (submission->watcher.begun != NULL)
		submission->watcher.begun(submission->watcher.context, &submission->stored.write.task.id);
}

bool submission_is_registered(const struct submission *submission)
{
	return submission->kept ||
	       (atomic_load(&submission->stored.stage) == STAGE_ENDED && submission->stored.write.outcome == STORE_WRITTEN);
}

static void tell_watcher(const struct submission *submission)
{
	const struct task *task = &submission->stored.write.task;

	if (submission->watcher.settled != NULL)
		submission->watcher.settled(
			submission->watcher.context, &task->id, submission_is_registered(submission) && !task->dry_run);
}

/* Any thread. */
static void submission_free(struct awaited_write *stored)
{
	struct submission *submission = (struct submission *)(void *)stored;

	if (submission->forget != NULL)
		submission->forget(submission);
	tell_watcher(submission);
	verdict_json_release(submission->verdict_json);
	callback_free(submission->callback);
	budget_sheet_release(submission->budgets);
	buffer_free(&submission->live_request);
	buffer_free(&submission->upstream);
	provider_call_free(submission->call); /* after the texts that count in its budget */
	free(submission->webhook_url);
	free(submission->asked);
	free(stored->write.replay.text);
	free(submission);
}

void submission_release(struct submission *submission)
{
	awaited_write_release(&submission->stored);
}

/* What it is of the request, as far as it has to outlive that. */
static void copy_request(struct submission *submission, const struct incoming *incoming)
{
	const struct http_request *http = incoming->http;

	submission->verdict_json = verdict_json_hold(incoming->verdict_json);
	submission->liveness = incoming->liveness;
	submission->max_cost = incoming->max_cost;
	submission->preview = incoming->preview;
	submission->wants_live = incoming->wants_live;
	memcpy(submission->expected, incoming->expected, sizeof submission->expected);
	text_copy(http->request_id, submission->request_id, sizeof submission->request_id);
	text_copy(http->api_key != NULL ? http->api_key->name : "", submission->caller, sizeof submission->caller);
}

struct submission *submission_new(struct incoming *incoming, void (*forget)(struct submission *submission))
{
	const struct inner_call *asked = inner_call_of(incoming->http);
	struct submission *submission = memory_new(sizeof *submission);
	struct store_write *write = &submission->stored.write;

	awaited_write_open(&submission->stored, submission_free);
	submission->forget = forget;
	submission->call = provider_call_new(incoming, FUNCTION_SUBMIT, incoming->script_request);
	submission->would_reserve = -1;
	write->task.id = id_make();
	id_format(&write->task.id, submission->job_id);
	if (asked != NULL)
		watch_for(submission, asked);
	copy_request(submission, incoming);
	submission->webhook_url = webhooks_in_url(incoming->host->webhooks_in, incoming->http->view, incoming->provider, NULL);
	submission->call->script.webhook_url = submission->webhook_url;
	buffer_init(&submission->live_request, LIMIT_BODY_BYTES_MAX);
	buffer_init(&submission->upstream, LIMIT_ROW_BYTES);
	submission->live_request.budget = submission->upstream.budget = &submission->call->texts;
	if (incoming->liveness == LIVENESS_LIVE) {
		provider_call_detour(submission->call);
		if (!incoming->preview)
			write_live_request(submission, incoming);
	}
	return submission;
}

/* ---- what it would be ---- */

void submission_count_optional(struct submission *submission)
{
	struct verdict_json *verdict_json = submission->verdict_json;

	if ((verdict_json->lacking & submission->call->script.optional_credentials) == 0)
		return;
	submission->verdict_json = verdict_json_hold(verdict_json->with_optional);
	verdict_json_release(verdict_json);
}

struct live_order submission_order(const struct submission *submission)
{
	const struct provider_call *call = submission->call;

	return (struct live_order){
		.call = &call->script,
		.view = call->view,
		.caller = submission_caller(submission),
		.trace = call->trace[0] != '\0' ? call->trace : NULL,
		.request = submission->live_request.data,
		.expected = submission->expected[0] != '\0' ? submission->expected : NULL,
		.max_cost = submission->max_cost,
	};
}

bool submission_is_expected(struct submission *submission)
{
	const char *found = submission->call->script.upstream_sha256;

	if (submission->expected[0] == '\0' || strcmp(submission->expected, found) == 0)
		return true;
	error_set(&submission->refused, ERROR_CONFLICT, NULL,
		"the request is not the one that was expected: its upstream_sha256 is %.64s; nothing was done, and no job was "
		"registered",
		found[0] != '\0' ? found : "null, since nothing would be sent");
	return false;
}

void submission_send_unexpected(const struct submission *submission, struct incoming *incoming)
{
	const char *found = submission->call->script.upstream_sha256;
	char members[OUTGOING_DIGEST_BYTES + 32];

	snprintf(members, sizeof members, found[0] != '\0' ? "\"upstream_sha256\":\"%.64s\"," : "\"upstream_sha256\":null,",
		found);
	incoming_problem_with(incoming, 409, submission->refused.message, NULL, members);
}

static bool is_live(const struct submission *submission)
{
	return submission->stored.write.task.live != NULL;
}

/* ---- the answer ---- */

static void write_reservation(struct buffer *out, const struct task_money *money)
{
	buffer_text(out, "\"reserved_usd\":");
	json_write_usd(out, money->reserved);
	buffer_text(out, ",\"money\":");
	task_json_write_money(out, money);
	buffer_char(out, ',');
}

/* What it is known by. */
static void write_registered(const struct submission *submission, struct buffer *out)
{
	bool live = is_live(submission);

	buffer_text(out, "\"id\":");
	json_write_text(out,
		live ? NULL : submission->call->script.provider->manifest.dry_id); /* live: the vendor's, once it has the job */
	buffer_text(out, ",\"job_id\":");
	json_write_text(out, submission->job_id);
	buffer_text(out, live ? ",\"status\":\"queued\"," : ",\"status\":\"done\",");
}

/* A member that has the request's own texts. */
static void write_texts(const struct submission *submission, struct buffer *out, const char *name, const struct buffer *value)
{
	if (!submission->brief || value->failed || value->length <= LIMIT_STORED_TEXT_BYTES) {
		envelope_write_json(out, name, value);
		return;
	}
	json_write_text(out, name);
	buffer_char(out, ':');
	json_write_abbreviated(out, value->data, value->length, LIMIT_STORED_TEXT_BYTES);
	buffer_char(out, ',');
}

static void write_request(const struct submission *submission, struct buffer *out)
{
	const struct script_call *call = &submission->call->script;

	write_texts(submission, out, "upstream", &call->upstream);
	json_member_text(out, "upstream_sha256", call->upstream_sha256[0] != '\0' ? call->upstream_sha256 : NULL);
}

/* How old what is known of the vendor's models is, of a script that asks for it. */
static void write_directory(const struct submission *submission, struct buffer *out)
{
	const struct manifest *manifest = &submission->call->script.provider->manifest;

	if (!manifest->directory.declared)
		return;
	buffer_text(out, "\"directory\":");
	directory_write_state(submission->call->host->directory, manifest->id, out);
	buffer_char(out, ',');
}

static void write_job_members(const struct submission *submission, struct buffer *out)
{
	const struct script_call *call = &submission->call->script;
	bool gpu = strcmp(call->kind->name, "gpu") == 0;

	if (!submission->preview)
		write_registered(submission, out);
	if (call->mode[0] != '\0') {
		buffer_text(out, "\"mode\":");
		json_write_text(out, call->mode);
		buffer_char(out, ',');
	}
	envelope_add(out, &call->fields);
	write_texts(submission, out, gpu ? "job" : "payload", &call->payload);
	envelope_write_json(out, "estimates", &call->estimates);
	write_request(submission, out);
	write_directory(submission, out);
	buffer_text(out, "\"artifacts\":[],");
	if (submission->callback != NULL)
		callback_write(out, submission->callback);
	if (is_live(submission))
		write_reservation(out, submission->stored.write.task.money);
	else if (submission->preview && submission->liveness != LIVENESS_DRY)
		json_member_usd(out, "reserved_usd", submission->would_reserve);
}

static void write_submit_answer(struct submission *submission, struct buffer *out)
{
	struct script_call *call = &submission->call->script;
	const struct provider_kind *as = provider_as(call->provider, call->kind->name);

	unknown_model_warn(submission->call->host->directory, call);
	buffer_reserve(out, 2048 + strlen(as->common) + (submission->brief ? 0 : call->payload.length + call->upstream.length));
	buffer_char(out, '{');
	envelope_write_members(out, as, submission->verdict_json, submission->liveness);
	write_job_members(submission, out);
	envelope_write_causes(out, submission->verdict_json, call, submission->liveness);
	buffer_char(out, '}');
}

/* ---- the row ---- */

static void fill_row(struct submission *submission)
{
	struct buffer *row = &submission->call->row;
	const struct script_call *call = &submission->call->script;
	struct task *task = &submission->stored.write.task;
	bool live = is_live(submission);

	json_write_abbreviated(row, call->payload.data, call->payload.length, LIMIT_STORED_TEXT_BYTES);
	task->kind = call->kind->name;
	task->provider = call->provider->manifest.id;
	task->dry_run = !live;
	task->status = live ? TASK_QUEUED : TASK_DONE;
	task->progress = live ? 0 : 1;
	task->created_ms = task->updated_ms = clock_unix_ms();
	task->vendor_id = live ? NULL : call->provider->manifest.dry_id;
	task->request_id = submission->request_id;
	task->caller = submission_caller(submission);
	task->payload = row->data;
	task->asked = submission->asked;
	task->estimates = call->estimates.data;
	if (!live)
		return;
	json_write_abbreviated(&submission->upstream, call->upstream.data, call->upstream.length, LIMIT_STORED_TEXT_BYTES);
	task->upstream = submission->upstream.data;
	task->upstream_sha256 = call->upstream_sha256[0] != '\0' ? call->upstream_sha256 : NULL;
}

/* Its event, and what a request with the same Idempotency-Key gets. */
static void fill_write(struct submission *submission)
{
	const struct buffer *answer = &submission->call->answer;
	struct store_write *write = &submission->stored.write;
	bool live = is_live(submission);

	write->events[write->event_count++] = (struct store_event){ .verb = "submit", .data = live ? live_submit_data : NULL };
	write->idempotency.answer = answer->data;
	write->idempotency.answer_length = answer->length;
	write->idempotency.status = live ? 202 : 200;
}

/* What was made of the call does not fit: there is no room for it, or the script said too much. */
static void refuse_text(struct submission *submission, const struct buffer *text, const char *what)
{
	if (text->starved)
		error_memory(&submission->refused);
	else
		error_set(&submission->refused, ERROR_SCRIPT, NULL, "%s: the %s would have more than %zu MiB",
			submission->call->script.provider->file, what, text->maximum / 1048576);
}

bool submission_compose_preview(struct submission *submission)
{
	struct buffer *answer = &submission->call->answer;

	write_submit_answer(submission, answer);
	if (answer->failed)
		refuse_text(submission, answer, "answer");
	return submission->refused.code == ERROR_NONE;
}

bool submission_compose(struct submission *submission)
{
	struct buffer *answer = &submission->call->answer, *row = &submission->call->row;

	write_submit_answer(submission, answer);
	fill_row(submission);
	/* what cannot be told is not registered: its client would hear 503 and send it again */
	if (answer->failed)
		refuse_text(submission, answer, "answer");
	else if (row->failed || submission->upstream.failed)
		refuse_text(submission, row->failed ? row : &submission->upstream, "registry's row");
	else
		fill_write(submission);
	return submission->refused.code == ERROR_NONE;
}
