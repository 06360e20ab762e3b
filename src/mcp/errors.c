/* errors.c - writes them. What a client sent is in a message only where it was cut to a few characters before. */
#include "mcp/errors.h"

#include "base/json.h"
#include "base/limits.h"

#define LATER "Retry-After: 1\r\n"

void mcp_write_error(struct buffer *out, const json_t *id, const struct mcp_error *error)
{
	buffer_text(out, "{\"jsonrpc\":\"2.0\",");
	if (id != NULL) {
		buffer_text(out, "\"id\":");
		json_write(out, id);
		buffer_char(out, ',');
	}
	buffer_text(out, "\"error\":{\"code\":");
	buffer_integer(out, error->code);
	buffer_text(out, ",\"message\":");
	json_write_text(out, error->message);
	if (error->data != NULL) {
		buffer_text(out, ",\"data\":");
		json_write(out, error->data);
	}
	buffer_text(out, "}}");
	json_decref(error->data);
}

void mcp_send_error(struct http_request *request, const json_t *id, const struct mcp_error *error)
{
	static const char no_memory[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"out of memory\"}}";
	const char *headers = error->headers == NULL && error->status == 503 ? LATER : error->headers;
	struct buffer out;

	buffer_init(&out, LIMIT_MCP_MESSAGE_BYTES);
	mcp_write_error(&out, id, error);
	http_send(request, &(struct http_reply){ .status = out.failed ? 503 : error->status,
				   .headers = out.failed ? LATER : headers,
				   .body = out.failed ? no_memory : out.data,
				   .body_length = out.failed ? sizeof no_memory - 1 : out.length });
	buffer_free(&out);
}

/* By its status a client knows a refusal (401, 403, 405, 415, ...) from an error of the protocol; the code tells only whose fault it was. */
void mcp_tell_problem(struct http_request *request, const struct http_problem *problem)
{
	json_t *data = json_object();

	json_object_set_new(data, "status", json_integer(problem->status));
	if (request->request_id != NULL)
		json_object_set_new(data, "request_id", json_string(request->request_id));
	mcp_send_error(request, NULL,
		&(struct mcp_error){ .status = problem->status,
			.code = problem->status < 500 ? MCP_INVALID_REQUEST : MCP_INTERNAL_ERROR,
			.message = problem->detail,
			.data = data,
			.headers = problem->headers });
}
