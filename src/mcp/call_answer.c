/* call_answer.c - one answer to a request: a result or an error, in the form of its era. HTTP threads.
 *
 * It is written by one function, whatever it says and whether it is the body of an answer or the last message of a stream; that masks
 * what is secret either way. */
#include "mcp/call_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "directory/model_text.h"
#include "mcp/errors.h"

#define REFUSAL_BYTES 1024

json_t *mcp_server_info(void)
{
	json_t *info = json_object();

	json_object_set_new(info, "name", json_string("providerd"));
	json_object_set_new(info, "title", json_string("providerd"));
	json_object_set_new(info, "version", json_string(PROVIDERD_VERSION));
	return info;
}

void mcp_set_cache(const struct mcp_call *call, json_t *result, int ttl_ms)
{
	if (call->era != MCP_MODERN)
		return;
	json_object_set_new(result, "ttlMs", json_integer(ttl_ms));
	json_object_set_new(result, "cacheScope", json_string("private"));
}

/* ---- sending ---- */

static bool take_call_turn(struct mcp_call *call)
{
	if (call->answered)
		log_message(LOG_ERROR, "mcp.answer", "a second answer to one call of %s was not sent", call->method);
	return !call->answered;
}

static void send_message(struct mcp_call *call, int status, const struct buffer *out)
{
	call->answered = true;
	if (call->streaming)
		mcp_stream_send(call, out);
	else
		http_send(call->request, &(struct http_reply){ .status = status, .body = out->data, .body_length = out->length });
}

void mcp_answer_error(struct mcp_call *call, int status, int code, json_t *data, const char *message)
{
	struct mcp_error error = { .status = status, .code = code, .message = message, .data = data };
	struct buffer out;

	if (!take_call_turn(call)) {
		json_decref(data);
		return;
	}
	if (!call->streaming) {
		call->answered = true;
		mcp_send_error(call->request, call->id, &error);
		return;
	}
	buffer_init(&out, LIMIT_MCP_MESSAGE_BYTES);
	mcp_write_error(&out, call->id, &error);
	send_message(call, status, &out);
	buffer_free(&out);
}

void mcp_call_error(struct mcp_call *call, int code, json_t *data, const char *message)
{
	mcp_answer_error(call, 200, code, data, message);
}

bool mcp_no_cursor(struct mcp_call *call)
{
	const json_t *cursor = json_object_get(call->params, "cursor");

	if (cursor == NULL || json_is_null(cursor) || (json_is_string(cursor) && json_string_length(cursor) == 0))
		return true;
	mcp_call_error(call, MCP_INVALID_PARAMS, NULL, "`params.cursor` is none of this list's: it has one page");
	return false;
}

static void add_era(const struct mcp_call *call, json_t *result)
{
	json_t *meta = json_object_get(result, "_meta");

	if (call->era != MCP_MODERN)
		return;
	if (json_object_get(result, "resultType") == NULL)
		json_object_set_new(result, "resultType", json_string("complete"));
	if (meta == NULL) {
		meta = json_object();
		json_object_set_new(result, "_meta", meta);
	}
	json_object_set_new(meta, MCP_META_SERVER, mcp_server_info());
}

void mcp_answer(struct mcp_call *call, json_t *result)
{
	struct buffer out;

	if (take_call_turn(call)) {
		add_era(call, result);
		buffer_init(&out, LIMIT_MCP_MESSAGE_BYTES);
		buffer_text(&out, "{\"jsonrpc\":\"2.0\",\"id\":");
		json_write(&out, call->id);
		buffer_text(&out, ",\"result\":");
		json_write(&out, result);
		buffer_char(&out, '}');
		if (out.failed)
			mcp_answer_error(
				call, 200, MCP_INTERNAL_ERROR, NULL, "the answer is too large, or there is no memory for it");
		else
			send_message(call, 200, &out);
		buffer_free(&out);
	}
	json_decref(result);
}

/* ---- a tool's ---- */

static size_t write_json(const json_t *value, struct buffer *out)
{
	buffer_init(out, LIMIT_MCP_MESSAGE_BYTES);
	json_write(out, value);
	return out->failed ? SIZE_MAX : out->length;
}

static size_t most_bytes(const struct mcp_call *call)
{
	return call->tool->most_bytes != 0 ? call->tool->most_bytes : MCP_ANSWER_BYTES;
}

bool mcp_call_fits(const struct mcp_call *call, const json_t *structured)
{
	struct buffer out;
	bool fits = write_json(structured, &out) <= most_bytes(call);

	buffer_free(&out);
	return fits;
}

/* A block of text: the same JSON for who reads no structuredContent. */
static json_t *text_block(const struct buffer *text)
{
	json_t *block = json_object();

	json_object_set_new(block, "type", json_string("text"));
	json_object_set_new(block, "text", json_stringn(text->data, text->length));
	return block;
}

void mcp_call_add(struct mcp_call *call, json_t *block)
{
	if (call->content == NULL)
		call->content = json_array();
	json_array_append_new(call->content, block);
}

void mcp_call_answer(struct mcp_call *call, json_t *structured)
{
	json_t *result, *content;
	struct buffer text;

	if (write_json(structured, &text) > most_bytes(call)) {
		mcp_call_refuse(call, "answer_too_large", "the answer has more than %zu bytes: ask for less", most_bytes(call));
		json_decref(structured);
		buffer_free(&text);
		return;
	}
	result = json_object();
	content = json_array();
	json_array_append_new(content, text_block(&text));
	buffer_free(&text);
	if (call->content != NULL)
		json_array_extend(content, call->content);
	json_object_set_new(result, "content", content);
	json_object_set_new(result, "structuredContent", structured);
	mcp_answer(call, result);
}

static void send_call_refusal(struct mcp_call *call, json_t *refusal)
{
	json_t *result = json_object(), *content = json_array();
	struct buffer text;

	write_json(refusal, &text);
	json_array_append_new(content, text_block(&text));
	buffer_free(&text);
	json_decref(refusal);
	json_object_set_new(result, "content", content);
	json_object_set_new(result, "isError", json_true());
	mcp_answer(call, result);
}

/* A message may have been cut within a character: the writer of JSON makes U+FFFD of it, where json_string() would make nothing. */
static json_t *new_refusal(const char *code, const char *message)
{
	json_t *refusal = json_object();

	json_object_set_new(refusal, "error", json_string(code));
	json_object_set_new(refusal, "message", json_string_nocheck(message));
	return refusal;
}

void mcp_call_refuse_with(struct mcp_call *call, const char *code, json_t *members, const char *format, ...)
{
	char text[REFUSAL_BYTES];
	json_t *refusal;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	refusal = new_refusal(code, text);
	if (members != NULL)
		json_object_update_missing(refusal, members);
	json_decref(members);
	send_call_refusal(call, refusal);
}

void mcp_call_refuse(struct mcp_call *call, const char *code, const char *format, ...)
{
	char text[REFUSAL_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	send_call_refusal(call, new_refusal(code, text));
}

static const char *code_of_status(int status)
{
	switch (status) {
	case 400:
	case 422: return "invalid_arguments";
	case 401:
	case 403: return "forbidden";
	case 402: return "over_budget";
	case 404: return "not_found";
	case 409: return "conflict";
	case 410: return "gone";
	case 413: return "too_large";
	case 429:
	case 503: return "busy";
	case 504: return "too_late";
	default: return status >= 400 && status < 500 ? "refused" : "host_error";
	}
}

/* What is wrong with one value does not name it, as REST has it beside; a model reads the message. */
static json_t *inner_refusal(const struct inner_answer *answer)
{
	const char *detail = json_text(answer->body, "detail"), *code = code_of_status(answer->status);
	const json_t *first = json_array_get(json_object_get(answer->body, "errors"), 0);
	const char *path = json_text(first, "path"), *message = json_text(first, "message");
	char text[REFUSAL_BYTES];

	if (detail == NULL)
		return new_refusal(code, "the host's own answer is too large to be read here: ask for less, or send less");
	if (path == NULL || *path == '\0' || message == NULL || strcmp(message, detail) != 0)
		return new_refusal(code, detail);
	snprintf(text, sizeof text, "%.200s: %s", path, detail);
	return new_refusal(code, text);
}

void mcp_call_refuse_inner(struct mcp_call *call, const struct inner_answer *answer)
{
	json_t *refusal = inner_refusal(answer);
	json_t *errors = json_object_get(answer->body, "errors");

	if (json_is_array(errors))
		json_object_set(refusal, "errors", errors);
	if (answer->retry_after >= 0)
		json_object_set_new(refusal, "retry_after_seconds", json_integer(answer->retry_after));
	send_call_refusal(call, refusal);
}

void mcp_call_ask(struct mcp_call *call, json_t *requests, const char *state)
{
	json_t *result = json_object();

	json_object_set_new(result, "resultType", json_string("input_required"));
	json_object_set_new(result, "inputRequests", requests);
	if (state != NULL)
		json_object_set_new(result, "requestState", json_string(state));
	mcp_answer(call, result);
}

/* ---- texts ---- */

/* The bytes of its first `characters` characters. */
static size_t cut_characters(const char *text, int characters)
{
	size_t length = 0;

	while (text[length] != '\0' && characters > 0)
		if (((unsigned char)text[++length] & 0xc0) != 0x80)
			characters--;
	return length;
}

json_t *mcp_vendor_text(const char *text)
{
	size_t length;
	struct buffer out;
	json_t *made;

	if (text == NULL)
		return json_null();
	length = cut_characters(text, MCP_TEXT_CHARACTERS);
	buffer_init(&out, 5 * MCP_TEXT_CHARACTERS);
	buffer_text(&out, "[the vendor's words] ");
	model_text_append(text, length, length, &out);
	if (text[length] != '\0')
		buffer_text(&out, "... (cut)");
	made = json_string(out.data);
	buffer_free(&out);
	return made;
}
