/* message.c - reads a message, and finds out its era. HTTP threads.
 *
 * Order: JSON, the form of JSON-RPC, the version in header and body, the envelope (_meta) of the modern era. What method it is, and whether
 * the headers name that too, is for others. */
#include "mcp/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "mcp/errors.h"
#include "mcp/headers.h"

#define TEXT_BYTES 512

bool mcp_message_refuse(struct http_request *request, const struct mcp_message *message, int status, int code, json_t *data,
	const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	mcp_send_error(
		request, message->id, &(struct mcp_error){ .status = status, .code = code, .message = text, .data = data });
	return false;
}

void mcp_message_close(struct mcp_message *message)
{
	json_decref(message->tree);
	message->tree = NULL;
}

/* ---- JSON-RPC ---- */

static bool read_message_tree(struct http_request *request, struct mcp_message *message)
{
	struct error error;

	message->tree = http_read_json(request, &error);
	if (message->tree != NULL)
		return true;
	if (error.code == ERROR_MEMORY)
		return mcp_message_refuse(request, message, 503, MCP_INTERNAL_ERROR, NULL, "%s", error.message);
	return mcp_message_refuse(request, message, 400, MCP_PARSE_ERROR, NULL, "the body is not JSON: %.300s", error.message);
}

/* It comes back in every answer, so it is bounded; an integer may be as large as JSON's of this host. */
static bool id_is_usable(const json_t *id)
{
	uint64_t wide;

	return json_is_integer(id) || json_wide(id, &wide) ||
	       (json_text_value(id) != NULL && json_string_length(id) <= LIMIT_MCP_ID_BYTES);
}

static bool read_message_id(struct http_request *request, struct mcp_message *message)
{
	const json_t *id = json_object_get(message->tree, "id");

	if (id == NULL)
		return true;
	if (!id_is_usable(id))
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL,
			"`id` must be an integer, or a text of at most %d bytes", LIMIT_MCP_ID_BYTES);
	message->id = id;
	return true;
}

static bool read_message_form(struct http_request *request, struct mcp_message *message)
{
	const char *version;

	if (json_is_array(message->tree))
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL,
			"batches are not taken: send each message in a request of its own");
	if (!json_is_object(message->tree))
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL, "the body must be a JSON object");
	if (!read_message_id(request, message))
		return false;
	version = json_text(message->tree, "jsonrpc");
	if (version == NULL || strcmp(version, "2.0") != 0)
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL, "`jsonrpc` must be \"2.0\"");
	message->method = json_text(message->tree, "method");
	if (message->method == NULL && json_object_get(message->tree, "method") == NULL)
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL,
			"there is no `method`: this host asks its clients nothing, so it takes no responses");
	if (message->method == NULL || strlen(message->method) > LIMIT_MCP_METHOD_BYTES)
		return mcp_message_refuse(request, message, 400, MCP_INVALID_REQUEST, NULL,
			"`method` must be a text of at most %d bytes", LIMIT_MCP_METHOD_BYTES);
	return true;
}

static bool read_message_params(struct http_request *request, struct mcp_message *message)
{
	message->params = json_object_get(message->tree, "params");
	if (message->params != NULL && !json_is_object(message->params))
		return mcp_message_refuse(request, message, 400, MCP_INVALID_PARAMS, NULL, "`params` must be an object");
	message->meta = json_object_get(message->params, "_meta");
	if (message->meta != NULL && !json_is_object(message->meta))
		return mcp_message_refuse(request, message, 400, MCP_INVALID_PARAMS, NULL, "`params._meta` must be an object");
	return true;
}

/* ---- the version ---- */

static bool refuse_version(struct http_request *request, const struct mcp_message *message, const char *version)
{
	json_t *data = json_object();
	char shown[41];

	snprintf(shown, sizeof shown, "%s", version);
	json_object_set_new(data, "supported", mcp_versions(message->era));
	json_object_set_new(data, "requested", json_string_nocheck(shown));
	return mcp_message_refuse(request, message, 400, MCP_UNSUPPORTED_VERSION, data,
		"the version %s of the protocol is not spoken here: send one of error.data.supported", shown);
}

static json_t *missing_key(const char *key)
{
	json_t *data = json_object(), *envelope = json_object(), *missing = json_array();

	json_array_append_new(missing, json_string(key));
	json_object_set_new(envelope, "missing", missing);
	json_object_set_new(data, "envelope", envelope);
	return data;
}

static bool refuse_envelope(struct http_request *request, const struct mcp_message *message, const char *key, const char *what)
{
	return mcp_message_refuse(request, message, 400, MCP_INVALID_PARAMS, missing_key(key),
		"version " MCP_VERSION " needs `params._meta[\"%s\"]`, %s", key, what);
}

/* A notification is taken with less: clients send none that means anything here. */
static bool check_modern(struct http_request *request, const struct mcp_message *message, const char *header)
{
	const char *version = json_text(message->meta, MCP_META_VERSION);
	const json_t *client = json_object_get(message->meta, MCP_META_CLIENT);

	if (message->id == NULL)
		return header == NULL || mcp_version_is_modern(header) || mcp_version_is_legacy(header) ||
		       refuse_version(request, message, header);
	if (version != NULL && header == NULL)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header MCP-Protocol-Version is missing; the body names %.40s", version);
	if (version != NULL && strcmp(version, header) != 0)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header MCP-Protocol-Version and the body name different versions; the body names %.40s", version);
	if (header != NULL && !mcp_version_is_modern(header))
		return refuse_version(request, message, header);
	if (message->meta == NULL)
		return mcp_message_refuse(request, message, 400, MCP_INVALID_PARAMS, missing_key("_meta"),
			"version " MCP_VERSION " needs `params._meta`, with the version and the client's capabilities");
	if (version == NULL)
		return refuse_envelope(request, message, MCP_META_VERSION, "a text");
	if (!json_is_object(json_object_get(message->meta, MCP_META_CAPABILITIES)))
		return refuse_envelope(request, message, MCP_META_CAPABILITIES, "an object");
	if (client != NULL && !json_is_object(client))
		return refuse_envelope(request, message, MCP_META_CLIENT, "an object, or to be left out");
	return true;
}

bool mcp_message_read(struct http_request *request, struct mcp_message *message)
{
	const char *header;
	int times = mcp_header(request, "MCP-Protocol-Version", &header);

	*message = (struct mcp_message){ .tree = NULL };
	if (!read_message_tree(request, message) || !read_message_form(request, message) ||
		!read_message_params(request, message))
		return false;
	if (times > 1)
		return mcp_message_refuse(
			request, message, 400, MCP_HEADER_MISMATCH, NULL, "the header MCP-Protocol-Version is there twice");
	message->era = mcp_is_modern(message->meta, header) ? MCP_MODERN : MCP_LEGACY;
	if (message->era == MCP_MODERN)
		return check_modern(request, message, header);
	if (header != NULL && !mcp_version_is_legacy(header))
		return refuse_version(request, message, header);
	return true;
}
