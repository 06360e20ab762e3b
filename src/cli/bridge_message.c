/* bridge_message.c - one JSON message a line, nothing else (the stdio transport of MCP). The command's only thread. */
#include "cli/bridge_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "mcp/era.h"
#include "mcp/errors.h"

#define TEXT_BYTES 1024

static bool deaf;

bool bridge_is_deaf(void)
{
	return deaf;
}

/* A line break within JSON is only white space. */
void bridge_print(const char *text, size_t length)
{
	size_t piece;

	while (length > 0) {
		piece = strcspn(text, "\r\n");
		if (piece > length)
			piece = length;
		fwrite(text, 1, piece, stdout);
		if (piece < length) {
			fputc(' ', stdout);
			piece++;
		}
		text += piece;
		length -= piece;
	}
	fputc('\n', stdout);
	if (fflush(stdout) != 0)
		deaf = true;
}

void bridge_print_error(const json_t *id, int code, const char *format, ...)
{
	char text[TEXT_BYTES];
	struct buffer out;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	buffer_init(&out, LIMIT_MCP_MESSAGE_BYTES);
	mcp_write_error(&out, id, &(struct mcp_error){ .code = code, .message = text });
	bridge_print(buffer_begin(&out), out.length);
	buffer_free(&out);
}

void bridge_message_close(struct bridge_message *message)
{
	json_decref(message->tree);
	message->tree = NULL;
}

/* An id that the host would refuse is not repeated either. */
static const json_t *read_line_id(const json_t *tree)
{
	const json_t *id = json_object_get(tree, "id");
	uint64_t wide;

	if (json_is_integer(id) || json_wide(id, &wide) ||
		(json_text_value(id) != NULL && json_string_length(id) <= LIMIT_MCP_ID_BYTES))
		return id;
	return NULL;
}

static const char *read_line_name(const char *method, const json_t *params)
{
	if (strcmp(method, "tools/call") == 0 || strcmp(method, "prompts/get") == 0)
		return json_text(params, "name");
	if (strcmp(method, "resources/read") == 0)
		return json_text(params, "uri");
	return strncmp(method, "tasks/", 6) == 0 ? json_text(params, "taskId") : NULL;
}

bool bridge_message_read(const char *line, size_t length, struct bridge_message *message)
{
	const json_t *params;
	struct error error;

	*message = (struct bridge_message){ .tree = json_read(line, length, &error) };
	if (message->tree == NULL) {
		bridge_print_error(NULL, MCP_PARSE_ERROR, "the line is not JSON: %s", error.message);
		return false;
	}
	message->id = read_line_id(message->tree);
	message->method = json_text(message->tree, "method");
	if (message->method == NULL || (message->id == NULL && json_object_get(message->tree, "id") != NULL)) {
		bridge_print_error(message->id, MCP_INVALID_REQUEST,
			"a line must be one request or notification of JSON-RPC, with a `method` and an `id` that is a text or "
			"an integer");
		return false;
	}
	params = json_object_get(message->tree, "params");
	message->version = json_text(json_object_get(params, "_meta"), MCP_META_VERSION);
	message->name = read_line_name(message->method, params);
	return true;
}
