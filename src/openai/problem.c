/* problem.c - writes errors, and says what the host's own refusals are called here. No state. */
#include "openai/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "gate/mask.h"

#define MESSAGE_BYTES 4096
#define HEADERS_BYTES 1024

static const char invalid_request[] = "invalid_request_error";
/* In place of an error for whose text there is no memory: its status and headers are what clients act on. */
static const char untold[] = "{\"error\":{\"message\":\"There is no memory for the text of this "
			     "error.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}";

/* ---- writing one ---- */

static const char *usual_type(int status)
{
	return status == 429 ? "rate_limit_error" : status >= 500 ? "server_error" : invalid_request;
}

static void write_error(struct buffer *out, const struct http_request *request, const struct openai_error *error)
{
	bool hides_param = error->param != NULL && mask_finds(request->view, error->param);

	buffer_text(out, "{\"error\":{");
	json_member_text(out, "message", error->message);
	json_member_text(out, "type", error->type != NULL ? error->type : usual_type(error->status));
	json_member_text(out, "param", hides_param ? NULL : error->param);
	json_member_text(out, "code", error->code);
	if (json_object_size(error->providerd) > 0) {
		buffer_text(out, "\"providerd\":");
		json_write(out, error->providerd);
		buffer_char(out, ',');
	}
	out->length -= out->length > 0; /* the last comma */
	buffer_text(out, "}}");
}

static void add_retry_after(char *headers, int milliseconds)
{
	size_t used = strlen(headers);
	int longest = LIMIT_RETRY_AFTER_SECONDS * 1000;

	if (milliseconds > longest)
		milliseconds = longest;
	snprintf(headers + used, HEADERS_BYTES - used, "Retry-After: %d\r\nRetry-After-Ms: %d\r\n", (milliseconds + 999) / 1000,
		milliseconds);
}

void openai_send_error(struct http_request *request, const struct openai_error *error)
{
	bool repeated = error->status == 408 || error->status == 409 || error->status == 429 || error->status >= 500 ||
			error->status == 402 || error->status == 424;
	char headers[HEADERS_BYTES] = "";
	struct buffer out;

	snprintf(headers, sizeof headers, "%s", error->headers != NULL ? error->headers : "");
	if (error->should_retry == 1 || (error->should_retry == 0 && repeated))
		snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "X-Should-Retry: %s\r\n",
			error->should_retry == 1 ? "true" : "false");
	if (error->retry_after_ms > 0)
		add_retry_after(headers, error->retry_after_ms);
	buffer_init(&out, LIMIT_REPLY_BYTES);
	write_error(&out, request, error);
	http_send(request, &(struct http_reply){ .status = error->status,
				   .headers = headers,
				   .body = out.failed ? untold : out.data,
				   .body_length = out.failed ? sizeof untold - 1 : out.length });
	buffer_free(&out);
}

void openai_refuse(struct http_request *request, const char *code, const char *param, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	openai_send_error(request, &(struct openai_error){ .status = 400, .code = code, .param = param, .message = message });
}

/* ---- the host's own refusals ---- */

struct told {
	int status;
	const char *code;
	int should_retry; /* as in openai_error */
};

/* Nothing of these was begun, so who is told to come again may. */
static const struct told told[] = {
	{ 401, "invalid_api_key", 0 },
	{ 404, "unknown_url", 0 },
	{ 405, "method_not_supported", 0 },
	{ 408, "request_timeout", -1 },
	{ 413, "request_too_large", 0 },
	{ 414, "url_too_long", 0 },
	{ 415, "unsupported_media_type", 0 },
	{ 421, "misdirected_request", 0 },
	{ 429, "rate_limit_exceeded", -1 },
	{ 503, "overloaded", -1 },
};

static struct told how_told(const struct http_request *request, int status)
{
	if (status == 403) /* pages are refused before there is a route, keys by the role that it needs */
		return (struct told){ 403, request->route >= 0 ? "insufficient_permissions" : "origin_not_allowed", 0 };
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (told[i].status == status)
			return told[i];
	return (struct told){ status, status >= 500 ? "internal_error" : "invalid_value", 0 };
}

/* Without Retry-After, which is said anew: SDKs return at once from a wait that is longer than a minute. */
static int take_retry_after(const char *headers, char *others, size_t size)
{
	const char *found = strstr(headers, "Retry-After: ");
	const char *rest = found != NULL ? strstr(found, "\r\n") : NULL;
	long seconds = found != NULL ? strtol(found + 13, NULL, 10) : 0;

	if (rest == NULL) {
		snprintf(others, size, "%s", headers);
		return 0;
	}
	snprintf(others, size, "%.*s%s", (int)(found - headers), headers, rest + 2);
	return seconds <= 0 ? 1000 : seconds > LIMIT_RETRY_AFTER_SECONDS ? LIMIT_RETRY_AFTER_SECONDS * 1000 : (int)seconds * 1000;
}

const char *openai_quote(const struct http_request *request, const char *text, char quoted[OPENAI_QUOTE_BYTES])
{
	size_t length = strlen(text);

	if (mask_finds(request->view, text))
		return MASK_TEXT;
	if (length < OPENAI_QUOTE_BYTES) {
		memcpy(quoted, text, length + 1);
		return quoted;
	}
	length = OPENAI_QUOTE_BYTES - sizeof "...";
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) /* no half characters */
		length--;
	memcpy(quoted, text, length);
	memcpy(quoted + length, "...", sizeof "...");
	return quoted;
}

/* What was asked for that is not here. */
static void describe_unknown(const struct http_request *request, char *text, size_t size)
{
	char quoted[OPENAI_QUOTE_BYTES];

	snprintf(text, size, "Unknown request URL: %s %s. This host serves images and videos.",
		request->method != NULL ? request->method : "",
		openai_quote(request, request->path != NULL ? request->path : "", quoted));
}

void openai_tell_problem(struct http_request *request, const struct http_problem *problem)
{
	const struct told how = how_told(request, problem->status);
	char headers[HEADERS_BYTES] = "", unknown[640];
	struct openai_error error = { .status = problem->status,
		.code = how.code,
		.param = problem->path != NULL && *problem->path != '\0' ? problem->path : NULL,
		.message = problem->detail != NULL ? problem->detail : "",
		.should_retry = how.should_retry,
		.headers = headers };

	if (problem->headers != NULL)
		error.retry_after_ms = take_retry_after(problem->headers, headers, sizeof headers);
	if (problem->status == 404 && problem->path == NULL && request->route < 0) {
		describe_unknown(request, unknown, sizeof unknown);
		error.message = unknown;
	} else if (problem->status == 404) {
		error.code = "not_found";
	}
	openai_send_error(request, &error);
}
