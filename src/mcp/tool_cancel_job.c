/* tool_cancel_job.c - cancel_job: ends a job at its vendor, where that can be. HTTP threads. */
#include <stdio.h>

#include "base/json.h"
#include "mcp/told_job.h"
#include "mcp/tool_table.h"

#define PATH_BYTES 96

static const char pending[] = "the cancel is requested, and the vendor has not said yet that it is done: call get_job";

/* The job as it stands now; what ended before is told so and is no error: to cancel it twice changes nothing. */
static void answer_now(struct mcp_call *call, const struct mcp_job_reader *reader, const struct id *id, bool is_pending)
{
	struct mcp_job job;
	struct error error;

	if (mcp_job_read(reader, id, &job, &error) != ERROR_NONE) {
		mcp_job_refuse(call, &error);
	} else {
		if (is_pending && job.open)
			json_object_set_new(job.structured, "next", json_string(pending));
		mcp_job_answer(call, &job);
	}
	mcp_job_close(&job);
}

static bool has_ended(const struct mcp_job_reader *reader, const struct id *id)
{
	struct mcp_job job;
	struct error error;
	bool ended = mcp_job_read(reader, id, &job, &error) == ERROR_NONE && !job.open && job.status != TASK_UNKNOWN;

	mcp_job_close(&job);
	return ended;
}

static void ask_cancel(struct mcp_call *call, const struct mcp_job_reader *reader, const struct id *id)
{
	char path[PATH_BYTES], text[ID_TEXT_BYTES];
	struct inner_answer answer;

	id_format(id, text);
	snprintf(path, sizeof path, "/api/jobs/%s/cancel", text);
	mcp_call_inner(call, &(struct inner_call){ .method = "POST", .path = path }, &answer);
	if (answer.status == 200 || answer.status == 202 || has_ended(reader, id))
		answer_now(call, reader, id, answer.status == 202);
	else
		mcp_call_refuse_inner(call, &answer);
	inner_answer_free(&answer);
}

static void run_cancel_job(struct mcp_call *call)
{
	struct mcp_job_reader reader;
	struct mcp_job job;

	mcp_job_reader_open(call, &reader);
	if (!mcp_job_named(call, &reader, &job))
		return;
	if (job.open || job.status == TASK_UNKNOWN)
		ask_cancel(call, &reader, &job.id);
	else
		answer_now(call, &reader, &job.id, false);
	mcp_job_close(&job);
}

static const struct mcp_argument arguments[] = {
	{ .name = "job_id", .type = MCP_TEXT, .required = true },
	{ .name = NULL },
};

const struct mcp_tool mcp_tool_cancel_job = {
	.name = "cancel_job",
	.title = "Cancel a job",
	.description = "Cancels a job where the vendor can. What ran until then may be billed.",
	.arguments = arguments,
	.output_schema = MCP_JOB_SCHEMA,
	.annotations = { .destructive = true, .idempotent = true, .open_world = true },
	.role = ROLE_SUBMIT,
	.run = run_cancel_job,
};
