/* tool_table.h - the tools, each in a file of its own or beside its like. */
#pragma once

#include "mcp/tool.h"

extern const struct mcp_tool mcp_tool_search_models;
extern const struct mcp_tool mcp_tool_describe_model;
extern const struct mcp_tool mcp_tool_quote;
extern const struct mcp_tool mcp_tool_submit;
extern const struct mcp_tool mcp_tool_get_job;
extern const struct mcp_tool mcp_tool_list_jobs;
extern const struct mcp_tool mcp_tool_cancel_job;
extern const struct mcp_tool mcp_tool_get_budget;
