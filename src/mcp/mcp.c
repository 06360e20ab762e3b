/* mcp.c - the one route of MCP: reads a message, finds who answers its method, sees that it is answered. HTTP threads; no state.
 *
 * Both eras, without sessions: what `initialize` says is forgotten, and each other request is served for itself. */
#include "mcp/mcp.h"

#include <string.h>

#include "mcp/call_answer.h"
#include "mcp/errors.h"
#include "mcp/headers.h"
#include "mcp/hello.h"
#include "mcp/job_listen.h"
#include "mcp/message.h"
#include "mcp/resources.h"
#include "mcp/tools.h"

static const struct method {
	const char *name;
	bool modern, legacy;
	const char *named; /* the member of params that Mcp-Name repeats, or NULL */
	void (*answer)(struct mcp_call *call);
} methods[] = {
	{ "initialize", false, true, NULL, mcp_initialize },
	{ "ping", false, true, NULL, mcp_ping },
	{ "server/discover", true, false, NULL, mcp_discover },
	{ "tools/list", true, true, NULL, mcp_tools_list },
	{ "tools/call", true, true, "name", mcp_tools_call },
	{ "resources/list", true, true, NULL, mcp_resources_list },
	{ "resources/templates/list", true, true, NULL, mcp_resources_templates },
	{ "resources/read", true, true, "uri", mcp_resources_read },
	{ "subscriptions/listen", true, false, NULL, mcp_listen },
};

#define METHODS (sizeof methods / sizeof *methods)

static const struct method *find_method(const struct mcp_message *message)
{
	for (size_t i = 0; i < METHODS; i++)
		if (strcmp(methods[i].name, message->method) == 0 &&
			(message->era == MCP_MODERN ? methods[i].modern : methods[i].legacy))
			return &methods[i];
	return NULL;
}

/* The modern era wants a 404; a legacy client would take that for a path that is not there. */
static void refuse_method(struct http_request *request, const struct mcp_message *message)
{
	mcp_message_refuse(request, message, message->era == MCP_MODERN ? 404 : 200, MCP_METHOD_NOT_FOUND, NULL,
		"Method not found: %s", message->method);
}

/* Who waited for a client that has left, or may not ask any more, has not answered. */
static void end_call(struct mcp_call *call)
{
	if (call->answered)
		return;
	if (call->streaming && call->refusal != NULL)
		mcp_call_error(call, MCP_INVALID_REQUEST, NULL, call->refusal);
	else if (!call->streaming && http_client_left(http_socket(call->request)))
		http_reset(call->request);
	else if (!call->streaming)
		mcp_call_error(call, MCP_INTERNAL_ERROR, NULL, "the request was not answered");
}

static void answer_request(struct host *host, struct http_request *request, const struct mcp_message *message)
{
	const struct method *method = find_method(message);
	json_t *none = json_object();
	struct mcp_call call = { .host = host,
		.request = request,
		.era = message->era,
		.id = message->id,
		.method = message->method,
		.params = message->params != NULL ? message->params : none };

	if (message->era == MCP_MODERN && !mcp_headers_check(request, message, method != NULL ? method->named : NULL))
		goto out;
	if (method == NULL) {
		refuse_method(request, message);
		goto out;
	}
	method->answer(&call);
	end_call(&call);
out:
	json_decref(call.content);
	json_decref(none);
}

/* What a notification tells needs nothing done: a request ends with its connection, and ids of different clients are alike. */
static void take_mcp_notification(struct http_request *request)
{
	http_send(request, &(struct http_reply){ .status = 202, .body = "" });
}

/* Whoever switches it off wants nothing of it to be seen. */
static bool is_mcp_enabled(struct http_request *request)
{
	if (request->view->config->mcp.enabled)
		return true;
	http_send_problem(request, &(struct http_problem){ .status = 404,
					   .detail = "MCP is switched off here: mcp.enabled in the host's configuration" });
	return false;
}

static void mcp_handle(struct host *host, struct http_request *request)
{
	struct mcp_message message;

	if (!is_mcp_enabled(request))
		return;
	if (mcp_message_read(request, &message)) {
		if (message.id == NULL)
			take_mcp_notification(request);
		else
			answer_request(host, request, &message);
	}
	mcp_message_close(&message);
}

static bool mcp_owns(const char *path)
{
	return strcmp(path, "/mcp") == 0 || strcmp(path, "/mcp/") == 0;
}

static const struct route routes[] = {
	{ "POST", "/mcp", NULL, { .plain = mcp_handle }, ROLE_READ, SCOPE_HOST },
};

const struct door mcp_door = {
	.routes = routes, .route_count = sizeof routes / sizeof *routes, .owns = mcp_owns, .tell = mcp_tell_problem
};
