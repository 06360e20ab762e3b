/* job_listen.h - subscriptions/listen: a stream that tells when jobs change. HTTP threads. */
#pragma once

#include "mcp/tool.h"

/* Modern. It lasts until the client leaves, the host stops, or LIMIT_STREAM_SECONDS have passed. */
void mcp_listen(struct mcp_call *call);
