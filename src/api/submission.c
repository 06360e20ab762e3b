/* submission.c - composes a submit's answer and row, of what its script said. Engine thread; CPU only. Reserves nothing, writes nothing. */
#include "api/submission.h"

#include <stdio.h>
#include <string.h>

#include "api/callback.h"
#include "api/envelope.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "registry/task_json.h"

/* How a live job stands when it is registered; a dry run never changes, so its event says nothing beside its row. */
static const char live_submit_data[] = "{\"status\":\"queued\",\"progress\":0.0,\"vendor_id\":null,\"reason\":null}";

const char *submission_caller(const struct submission *submission)
{
	return submission->caller[0] != '\0' ? submission->caller : NULL;
}

static bool is_live(const struct submission *submission)
{
	return submission->pending->write.task.live != NULL;
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

static void write_job_members(const struct submission *submission, struct buffer *out)
{
	const struct script_call *call = &submission->pending->call.call;
	bool live = is_live(submission), gpu = strcmp(call->kind->name, "gpu") == 0;

	buffer_text(out, "\"id\":");
	json_write_text(out, live ? NULL : submission->vendor_id); /* the vendor's, once it has the job */
	buffer_text(out, ",\"job_id\":");
	json_write_text(out, submission->job_id);
	buffer_text(out, live ? ",\"status\":\"queued\"," : ",\"status\":\"done\",");
	if (call->mode[0] != '\0') {
		buffer_text(out, "\"mode\":");
		json_write_text(out, call->mode);
		buffer_char(out, ',');
	}
	envelope_add(out, &call->fields);
	envelope_write_json(out, gpu ? "job" : "payload", &call->payload);
	envelope_write_json(out, "estimates", &call->estimates);
	envelope_write_json(out, "upstream", &call->upstream);
	buffer_text(out, "\"artifacts\":[],");
	if (submission->callback != NULL)
		callback_write(out, submission->callback);
	if (live)
		write_reservation(out, submission->pending->write.task.money);
}

static void write_submit_answer(const struct submission *submission, struct buffer *out)
{
	const struct script_call *call = &submission->pending->call.call;
	const struct provider_kind *as = provider_as(call->provider, call->kind->name);

	buffer_reserve(out, 2048 + call->payload.length + call->upstream.length + strlen(as->common));
	buffer_char(out, '{');
	envelope_write_members(out, as, submission->verdict_json, submission->liveness);
	write_job_members(submission, out);
	envelope_write_causes(out, submission->verdict_json, call, submission->liveness);
	buffer_char(out, '}');
}

/* ---- the row ---- */

static void fill_row(struct submission *submission)
{
	struct pending_call *pending = submission->pending;
	const struct script_call *call = &pending->call.call;
	struct task *task = &pending->write.task;
	bool live = is_live(submission);

	json_write_abbreviated(&pending->row, call->payload.data, call->payload.length, LIMIT_STORED_TEXT_BYTES);
	task->kind = call->kind->name;
	task->provider = call->provider->manifest.id;
	task->dry_run = !live;
	task->status = live ? TASK_QUEUED : TASK_DONE;
	task->progress = live ? 0 : 1;
	task->created_ms = task->updated_ms = clock_unix_ms();
	task->vendor_id = live ? NULL : submission->vendor_id;
	task->request_id = submission->request_id;
	task->caller = submission_caller(submission);
	task->payload = pending->row.data;
	task->estimates = call->estimates.data;
}

/* Its event, and what a request with the same Idempotency-Key gets. */
static void fill_write(struct submission *submission)
{
	const struct buffer *answer = &submission->pending->answer;
	struct store_write *write = &submission->pending->write;
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
			submission->pending->call.call.provider->file, what, text->maximum / 1048576);
}

bool submission_compose(struct submission *submission)
{
	struct pending_call *pending = submission->pending;

	snprintf(submission->vendor_id, sizeof submission->vendor_id, "mock-%s-1", pending->call.call.provider->manifest.id);
	write_submit_answer(submission, &pending->answer);
	fill_row(submission);
	/* what cannot be told is not registered: its client would hear 503 and send it again */
	if (pending->answer.failed)
		refuse_text(submission, &pending->answer, "answer");
	else if (pending->row.failed)
		refuse_text(submission, &pending->row, "registry's row");
	else
		fill_write(submission);
	return submission->refused.code == ERROR_NONE;
}
