/* hello.c - introduces the host. What a client says of itself is not kept. HTTP threads. */
#include "mcp/hello.h"

#include "base/json.h"
#include "mcp/call_answer.h"
#include "mcp/errors.h"

#define DISCOVER_TTL_MS 300000

/* For the model, beside what the tools say of themselves. */
static const char instructions[] = "Images, videos and GPU jobs of many vendors. search_models finds a model, describe_model "
				   "says its inputs, quote says what a request "
				   "costs and gives a quote_id, submit runs it and returns a job at once, get_job waits for the "
				   "result. Only submit costs money, and a quote "
				   "is paid at most once: after a timeout submit the same quote_id again, do not quote anew. "
				   "When a job's status is unknown it may have been "
				   "billed: do not submit it again, tell the user. list_jobs finds jobs again.";

/* A legacy client is told of nothing that it would have to be called back for. */
static json_t *new_capabilities(enum mcp_era era)
{
	json_t *capabilities = json_object(), *resources = json_object();

	json_object_set_new(capabilities, "tools", json_object());
	if (era == MCP_MODERN)
		json_object_set_new(resources, "subscribe", json_true());
	json_object_set_new(capabilities, "resources", resources);
	return capabilities;
}

void mcp_discover(struct mcp_call *call)
{
	json_t *result = json_object();

	json_object_set_new(result, "supportedVersions", mcp_versions(MCP_MODERN));
	json_object_set_new(result, "capabilities", new_capabilities(MCP_MODERN));
	json_object_set_new(result, "instructions", json_string(instructions));
	mcp_set_cache(call, result, DISCOVER_TTL_MS);
	mcp_answer(call, result);
}

void mcp_initialize(struct mcp_call *call)
{
	const char *version = json_text(call->params, "protocolVersion");
	json_t *result;

	if (version == NULL) {
		mcp_call_error(call, MCP_INVALID_PARAMS, NULL, "`params.protocolVersion` must be a text");
		return;
	}
	result = json_object();
	json_object_set_new(
		result, "protocolVersion", json_string(mcp_version_is_legacy(version) ? version : MCP_LEGACY_VERSION));
	json_object_set_new(result, "capabilities", new_capabilities(MCP_LEGACY));
	json_object_set_new(result, "serverInfo", mcp_server_info());
	json_object_set_new(result, "instructions", json_string(instructions));
	mcp_answer(call, result);
}

void mcp_ping(struct mcp_call *call)
{
	mcp_answer(call, json_object());
}
