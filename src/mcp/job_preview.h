/* job_preview.h - what a job made, in blocks of content beside the JSON. HTTP threads. */
#pragma once

#include "mcp/told_job.h"

/* Adds the first output that is a picture a model can look at, PNG, JPEG, WebP or GIF of at most LIMIT_MCP_PREVIEW_BYTES. Nothing when there is none. Blocks
 * on the disk. */
void mcp_add_preview(struct mcp_call *call, const struct mcp_job_reader *reader, const struct mcp_job *job);

/* Adds links to the outputs that were kept, for a client that fetches them by resources/read. */
void mcp_add_links(struct mcp_call *call, const struct mcp_job *job);
