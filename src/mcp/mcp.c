/* mcp.c - the one route of MCP. HTTP threads. */
#include "mcp/mcp.h"

#include <string.h>

#include "base/json.h"
#include "http/http.h"

#define INVALID_REQUEST (-32600)

static bool mcp_owns(const char *path)
{
	return strcmp(path, "/mcp") == 0 || strcmp(path, "/mcp/") == 0;
}

/* A JSON-RPC error of a request whose id nobody has read. */
static void mcp_tell(struct http_request *request, const struct http_problem *problem)
{
	struct buffer out;

	buffer_init(&out, 65536);
	buffer_text(&out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{");
	json_member_integer(&out, "code", INVALID_REQUEST);
	buffer_text(&out, "\"message\":");
	json_write_text(&out, problem->detail);
	buffer_text(&out, "}}");
	http_send(request,
		&(struct http_reply){
			.status = problem->status, .headers = problem->headers, .body = out.data, .body_length = out.length });
	buffer_free(&out);
}

const struct door mcp_door = { .owns = mcp_owns, .tell = mcp_tell };
