/* tools.c - the list of tools, and which of them is called. HTTP threads; the table never changes. */
#include "mcp/tools.h"

#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "base/json.h"
#include "base/limits.h"
#include "mcp/call_answer.h"
#include "mcp/call_arguments.h"
#include "mcp/errors.h"
#include "mcp/tool_table.h"

#define LIST_TTL_MS 300000

static const struct mcp_tool *const tools[] = {
	&mcp_tool_search_models,
	&mcp_tool_describe_model,
	&mcp_tool_quote,
	&mcp_tool_submit,
	&mcp_tool_get_job,
	&mcp_tool_list_jobs,
	&mcp_tool_cancel_job,
	&mcp_tool_get_budget,
};

#define TOOLS (sizeof tools / sizeof *tools)

/* ---- tools/list ---- */

static json_t *new_annotations(const struct mcp_annotations *annotations)
{
	json_t *made = json_object();

	json_object_set_new(made, "readOnlyHint", json_boolean(annotations->read_only));
	if (!annotations->read_only) {
		json_object_set_new(made, "destructiveHint", json_boolean(annotations->destructive));
		json_object_set_new(made, "idempotentHint", json_boolean(annotations->idempotent));
	}
	json_object_set_new(made, "openWorldHint", json_boolean(annotations->open_world));
	return made;
}

static json_t *new_entry(const struct mcp_tool *tool)
{
	json_t *entry = json_object();

	json_object_set_new(entry, "name", json_string(tool->name));
	json_object_set_new(entry, "title", json_string(tool->title));
	json_object_set_new(entry, "description", json_string(tool->description));
	json_object_set_new(entry, "inputSchema", mcp_arguments_schema(tool));
	if (tool->output_schema != NULL)
		json_object_set_new(entry, "outputSchema", json_loads(tool->output_schema, 0, NULL));
	json_object_set_new(entry, "annotations", new_annotations(&tool->annotations));
	return entry;
}

void mcp_tools_list(struct mcp_call *call)
{
	json_t *result, *list;

	if (!mcp_no_cursor(call))
		return;
	result = json_object();
	list = json_array();
	for (size_t i = 0; i < TOOLS; i++)
		if (access_has(call->request, tools[i]->role))
			json_array_append_new(list, new_entry(tools[i]));
	json_object_set_new(result, "tools", list);
	mcp_set_cache(call, result, LIST_TTL_MS);
	mcp_answer(call, result);
}

/* ---- tools/call ---- */

static const struct mcp_tool *find_tool(const char *name)
{
	for (size_t i = 0; i < TOOLS; i++)
		if (strcmp(tools[i]->name, name) == 0)
			return tools[i];
	return NULL;
}

static bool refuse_call(struct mcp_call *call, const char *message)
{
	mcp_call_error(call, MCP_INVALID_PARAMS, NULL, message);
	return false;
}

static bool find_called(struct mcp_call *call)
{
	const char *name = json_text(call->params, "name");
	char message[LIMIT_MCP_METHOD_BYTES + 32];

	if (name == NULL)
		return refuse_call(call, "`params.name` must be the name of a tool");
	call->tool = find_tool(name);
	if (call->tool != NULL)
		return true;
	snprintf(message, sizeof message, "Unknown tool: %.*s", LIMIT_MCP_METHOD_BYTES, name);
	return refuse_call(call, message);
}

/* A token that is neither a text nor an integer is no token; where no stream is taken, nothing is told before the end. */
static const json_t *read_progress_token(const struct mcp_call *call)
{
	const json_t *token = json_object_get(json_object_get(call->params, "_meta"), "progressToken");
	const char *accepted = http_header(call->request, "Accept");
	uint64_t wide;

	if (accepted == NULL || strstr(accepted, "text/event-stream") == NULL)
		return NULL;
	if (json_is_integer(token) || json_wide(token, &wide))
		return token;
	return json_text_value(token) != NULL && json_string_length(token) <= LIMIT_MCP_ID_BYTES ? token : NULL;
}

static bool read_tool_call(struct mcp_call *call, const json_t *none)
{
	const json_t *state = json_object_get(call->params, "requestState");

	call->arguments = json_object_get(call->params, "arguments");
	call->input_responses = json_object_get(call->params, "inputResponses");
	if (call->arguments == NULL)
		call->arguments = none;
	if (!json_is_object(call->arguments))
		return refuse_call(call, "`params.arguments` must be an object");
	if (call->input_responses != NULL && !json_is_object(call->input_responses))
		return refuse_call(call, "`params.inputResponses` must be an object");
	if (state != NULL && json_text_value(state) == NULL)
		return refuse_call(call, "`params.requestState` must be a text");
	call->request_state = json_text_value(state);
	call->progress_token = read_progress_token(call);
	if (call->era == MCP_MODERN)
		call->capabilities = json_object_get(json_object_get(call->params, "_meta"), MCP_META_CAPABILITIES);
	return true;
}

static bool may_call(struct mcp_call *call)
{
	if (access_has(call->request, call->tool->role))
		return true;
	mcp_call_refuse(call, "forbidden", "the API key of this client has not the role %s (server.api_keys[].may)",
		config_role_name(call->tool->role));
	return false;
}

void mcp_tools_call(struct mcp_call *call)
{
	json_t *none = json_object();

	if (find_called(call) && read_tool_call(call, none) && may_call(call) && mcp_arguments_check(call))
		call->tool->run(call);
	json_decref(none);
}
