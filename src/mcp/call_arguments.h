/* call_arguments.h - the arguments of a tool's call, against the tool's table. HTTP threads. */
#pragma once

#include <jansson.h>

#include "mcp/tool.h"

/* The JSON Schema (2020-12) of a tool's arguments. */
json_t *mcp_arguments_schema(const struct mcp_tool *tool);

/* Does what came fit? False: it was refused, by a result that names each argument and says what it must be. */
bool mcp_arguments_check(struct mcp_call *call);
