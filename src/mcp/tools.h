/* tools.h - the tools of this host: tools/list, tools/call. HTTP threads. */
#pragma once

#include "mcp/tool.h"

/* Those that the request's key may call, always in the same order. */
void mcp_tools_list(struct mcp_call *call);

/* Runs the tool that params name, if it may be run and its arguments fit. */
void mcp_tools_call(struct mcp_call *call);
