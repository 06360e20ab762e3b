/* tool_get_job.c - get_job: how a job stands, at once or at its end. HTTP threads. */
#include "mcp/job_preview.h"
#include "mcp/tool_table.h"
#include "mcp/wait.h"

#define MOST_WAIT_SECONDS 50 /* clients give up after 60 */

static void add_blocks(struct mcp_call *call, const struct mcp_job_reader *reader, const struct mcp_job *job)
{
	if (mcp_argument_flag(call, "preview", true))
		mcp_add_preview(call, reader, job);
	if (call->era == MCP_MODERN && reader->links)
		mcp_add_links(call, job);
}

/* The answer is the job; it says so where it came before it was asked for. */
static void answer_job(struct mcp_call *call, const struct mcp_job_reader *reader, struct mcp_job *job, enum mcp_waited waited)
{
	if (job->open && waited == MCP_NOT_WAITED)
		json_object_set_new(job->structured, "next",
			json_string("the host has no room for those who wait now: call get_job again in some 10 seconds"));
	if (job->status == TASK_DONE)
		add_blocks(call, reader, job);
	mcp_job_answer(call, job);
}

static void run_get_job(struct mcp_call *call)
{
	int seconds = (int)mcp_argument_integer(call, "wait_seconds", 0);
	enum mcp_waited waited = MCP_WAITED;
	struct mcp_job_reader reader;
	struct mcp_job job;

	mcp_job_reader_open(call, &reader);
	if (!mcp_job_named(call, &reader, &job))
		return;
	if (job.open && seconds > 0)
		waited = mcp_wait(call, &reader, seconds, &job);
	if (waited != MCP_LEFT)
		answer_job(call, &reader, &job, waited);
	mcp_job_close(&job);
}

static const struct mcp_argument arguments[] = {
	{ .name = "job_id", .type = MCP_TEXT, .required = true },
	{ .name = "wait_seconds", .type = MCP_INTEGER, .ranged = true, .most = MOST_WAIT_SECONDS, .otherwise = "0" },
	{ .name = "preview", .type = MCP_BOOLEAN, .description = "a small image of the result", .otherwise = "true" },
	{ .name = NULL },
};

const struct mcp_tool mcp_tool_get_job = {
	.name = "get_job",
	.title = "How a job stands",
	.description = "Status, cost and results of a job. With wait_seconds it waits for the end; call it again while the job "
		       "runs. Free.",
	.arguments = arguments,
	.output_schema = MCP_JOB_SCHEMA,
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.run = run_get_job,
};
