/* wait.h - waiting for a job's end within a call. HTTP threads. */
#pragma once

#include "mcp/told_job.h"

enum mcp_waited {
	MCP_WAITED = 0, /* the job has ended, or the time is over; `job` is as it stands */
	MCP_NOT_WAITED, /* there are too few threads to wait on, or the host stops: the answer goes out now */
	MCP_LEFT,	/* nobody waits for an answer any more: send none */
};

/* Waits on the job's events, at most so long, and tells progress. It holds its thread meanwhile, so it counts as a stream does; while threads are short it
 * ends. `job` is read anew. An error of the registry ends it like the time. */
enum mcp_waited mcp_wait(struct mcp_call *call, const struct mcp_job_reader *reader, int seconds, struct mcp_job *job);
