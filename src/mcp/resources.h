/* resources.h - what can be read by a name: jobs, and what they made. HTTP threads. */
#pragma once

#include "mcp/tool.h"

/* What was made, newest first, page by page. */
void mcp_resources_list(struct mcp_call *call);

void mcp_resources_templates(struct mcp_call *call);

void mcp_resources_read(struct mcp_call *call);
