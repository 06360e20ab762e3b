/* errors.h - errors of JSON-RPC, as answers of a POST. HTTP threads. */
#pragma once

#include <jansson.h>

#include "http/http.h"

#define MCP_PARSE_ERROR (-32700)
#define MCP_INVALID_REQUEST (-32600)
#define MCP_METHOD_NOT_FOUND (-32601)
#define MCP_INVALID_PARAMS (-32602)
#define MCP_INTERNAL_ERROR (-32603)
#define MCP_HEADER_MISMATCH (-32020)
#define MCP_MISSING_CAPABILITY (-32021)
#define MCP_UNSUPPORTED_VERSION (-32022)
#define MCP_RESOURCE_NOT_FOUND (-32002) /* of the legacy era: forbidden in the modern one */

struct mcp_error {
	int status; /* of HTTP */
	int code;
	const char *message;
	json_t *data;	     /* taken, or NULL */
	const char *headers; /* as in http_reply, or NULL: of a 503 it is told when to come again */
};

/* Appends {"jsonrpc":"2.0","id":...,"error":{...}}; `id` NULL leaves it out, as for a request that could not be read. Takes error->data. */
void mcp_write_error(struct buffer *out, const json_t *id, const struct mcp_error *error);

/* The same as the answer. */
void mcp_send_error(struct http_request *request, const json_t *id, const struct mcp_error *error);

/* A problem of the host, before anybody has read a message: door.tell. */
void mcp_tell_problem(struct http_request *request, const struct http_problem *problem);
