/* request.c - what a request's head says: headers in one pass, path and query decoded by us (civetweb's decode_url is off).
 *
 * Runs on HTTP threads; keeps a decoded path in the thread's buffer. That a head is well-formed was seen to before (framing.c); here fields
 * that contradict each other are refused: civetweb 1.15 lets them pass. Nothing beyond this file sees a path with a control byte, a dot
 * segment, bad UTF-8 or an encoded slash in it. */
#include "http/internal.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "gate/mask.h"

/* ---- headers ---- */

static enum head match(const char *name, const char *expected, enum head which)
{
	return strcasecmp(name, expected) == 0 ? which : HEAD_COUNT;
}

static enum head which_head(const char *name, size_t length)
{
	switch (length) {
	case 4: return match(name, "Host", HEAD_HOST);
	case 6:
		return match(name, "Origin", HEAD_ORIGIN) != HEAD_COUNT	  ? HEAD_ORIGIN
		       : match(name, "Cookie", HEAD_COOKIE) != HEAD_COUNT ? HEAD_COOKIE
									  : match(name, "Expect", HEAD_EXPECT);
	case 7: return match(name, "Upgrade", HEAD_UPGRADE);
	case 9: return match(name, "X-API-Key", HEAD_X_API_KEY);
	case 10: return match(name, "Connection", HEAD_CONNECTION);
	case 11: return match(name, "traceparent", HEAD_TRACEPARENT);
	case 12:
		return match(name, "Content-Type", HEAD_CONTENT_TYPE) != HEAD_COUNT
			       ? HEAD_CONTENT_TYPE
			       : match(name, "X-Request-ID", HEAD_X_REQUEST_ID);
	case 13: return match(name, "Authorization", HEAD_AUTHORIZATION);
	case 14:
		return match(name, "Content-Length", HEAD_CONTENT_LENGTH) != HEAD_COUNT
			       ? HEAD_CONTENT_LENGTH
			       : match(name, "Sec-Fetch-Site", HEAD_SEC_FETCH_SITE);
	case 15: return match(name, "Idempotency-Key", HEAD_IDEMPOTENCY_KEY); /* of two, a repeat could go by the other one */
	case 16: return match(name, "Content-Encoding", HEAD_CONTENT_ENCODING);
	case 17: return match(name, "Transfer-Encoding", HEAD_TRANSFER_ENCODING);
	case 29: return match(name, "Access-Control-Request-Method", HEAD_PREFLIGHT_METHOD);
	default: return HEAD_COUNT;
	}
}

/* These may come in several lines, or twice by way of a proxy, without harm. */
static bool may_repeat(enum head which)
{
	return which == HEAD_CONNECTION || which == HEAD_COOKIE || which == HEAD_UPGRADE || which == HEAD_X_REQUEST_ID ||
	       which == HEAD_TRACEPARENT;
}

/* White space around a value is no part of it (RFC 9110, 5.5); civetweb leaves out what comes before. In place: whoever asks for a header by
 * name gets the same bytes. */
static void trim_value(const struct mg_header *header)
{
	char *value = (char *)(uintptr_t)header->value;
	size_t length = strlen(value);

	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	value[length] = '\0';
}

/* One option of a comma-separated header, in any letter case. */
static bool has_option(const char *list, const char *option)
{
	size_t length = strlen(option);

	while (*list != '\0') {
		list += strspn(list, ", ");
		size_t item = strcspn(list, ", ");
		if (item == length && strncasecmp(list, option, length) == 0)
			return true;
		list += item;
	}
	return false;
}

static bool collect_heads(struct http_exchange *x)
{
	for (int i = 0; i < x->info->num_headers; i++) {
		const struct mg_header *header = &x->info->http_headers[i];
		size_t length = strlen(header->name);
		enum head which = which_head(header->name, length);

		trim_value(header);
		if (which == HEAD_COUNT)
			continue;
		if (which == HEAD_CONNECTION && has_option(header->value, "close"))
			x->asked_to_close = true;
		if (x->head[which] == NULL)
			x->head[which] = header->value;
		else if (!may_repeat(which))
			return reply_refuse(x, 400, NULL, "the header %s is there twice", header->name);
	}
	return true;
}

static bool read_length(struct http_exchange *x)
{
	const char *text = x->head[HEAD_CONTENT_LENGTH];
	size_t digits = strspn(text, "0123456789");

	x->unread = true;
	if (digits == 0 || text[digits] != '\0')
		return reply_refuse(x, 400, NULL, "Content-Length must be a number");
	if (digits > 10)
		return reply_refuse(x, 413, NULL, "the body is larger than server.max_body_bytes");
	for (; *text != '\0'; text++)
		x->declared = x->declared * 10 + (size_t)(*text - '0');
	x->unread = x->declared > 0;
	return true;
}

/* Does civetweb see the heads that were seen as they came, and a body of the same length behind this one? */
static bool is_as_framed(const struct http_exchange *x)
{
	const struct framing *framing = &x->worker->framing;
	uint64_t requests = (uint64_t)x->worker->requests;

	return framing->heads >= requests && !(framing->heads == requests && framing->contradictory);
}

/* Collects the headers, and refuses what could be read in two ways. Whatever is refused here closes the connection. */
bool request_read_head(struct http_exchange *x)
{
	const char *encoding;
	bool keep = !x->close;

	x->close = true;
	x->unread = true; /* until known better */
	if (!collect_heads(x))
		return false;
	encoding = x->head[HEAD_TRANSFER_ENCODING];
	if (encoding != NULL && x->head[HEAD_CONTENT_LENGTH] != NULL)
		return reply_refuse(x, 400, NULL, "Content-Length and Transfer-Encoding exclude each other");
	if (encoding != NULL && (strcasecmp(encoding, "chunked") != 0 || strcmp(x->info->http_version, "1.1") != 0))
		return reply_refuse(x, 400, NULL, "the only Transfer-Encoding understood is chunked, in HTTP/1.1");
	x->unread = x->chunked = encoding != NULL;
	if (x->head[HEAD_CONTENT_LENGTH] != NULL && !read_length(x))
		return false;
	if (!is_as_framed(x))
		return reply_refuse(x, 400, NULL, "the length of the body can be understood in two ways");
	x->close = !keep;
	return true;
}

/* As civetweb decides, so that the answer says what it does. */
bool request_keeps_alive(const struct http_exchange *x)
{
	const char *connection = x->head[HEAD_CONNECTION];

	if (x->asked_to_close || x->head[HEAD_UPGRADE] != NULL)
		return false;
	if (connection != NULL)
		return has_option(connection, "keep-alive");
	return strcmp(x->info->http_version, "1.1") == 0;
}

bool request_takes_body(const struct http_exchange *x)
{
	const char *method = x->info->request_method;

	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0 ||
	       strcmp(method, "DELETE") == 0;
}

void http_each_header(
	const struct http_request *request, void (*visit)(void *context, const char *name, const char *value), void *context)
{
	const struct mg_request_info *info = mg_get_request_info(request->connection);

	for (int i = 0; i < info->num_headers; i++)
		visit(context, info->http_headers[i].name, info->http_headers[i].value);
}

static bool id_is_sane(const char *id)
{
	size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return length > 0 && length <= LIMIT_REQUEST_ID_BYTES && id[length] == '\0';
}

void request_read_trace(struct http_exchange *x)
{
	const char *given = x->head[HEAD_TRACEPARENT];

	if (given != NULL && trace_parse(given, x->trace))
		x->request.trace = x->trace;
}

/* An id stands in log and row, so one that looks like a credential is not taken. */
void request_choose_id(struct http_exchange *x)
{
	static const char hex[] = "0123456789abcdef";
	const char *given = x->head[HEAD_X_REQUEST_ID];
	uint64_t number;

	if (given != NULL && id_is_sane(given) && !mask_finds(x->request.view, given)) {
		x->request.request_id = given;
		return;
	}
	number = x->worker->next_id++ * 0x9e3779b97f4a7c15u; /* odd, so still unique; only looks less like a counter */
	for (int i = REQUEST_ID_TEXT - 2; i >= 0; i--, number >>= 4)
		x->id[i] = hex[number & 15];
	x->id[REQUEST_ID_TEXT - 1] = '\0';
	x->request.request_id = x->id;
}

/* ---- path and query ---- */

/* The next byte of percent-encoded text, which moves on; -1 for a bad escape. */
static int decode_byte(const char **text)
{
	const char *at = *text;
	unsigned char byte;

	if (*at != '%') {
		*text = at + 1;
		return (unsigned char)*at;
	}
	if (at[1] == '\0' || !text_read_hex((char[]){ at[1], at[2], '\0' }, &byte, 1))
		return -1;
	*text = at + 3;
	return byte;
}

/* What is wrong with a piece of percent-encoded text in general, or NULL. */
static const char *check_encoding(const char *text)
{
	struct text_utf8 utf8 = { 0 };
	int byte;

	while (*text != '\0') {
		byte = decode_byte(&text);
		if (byte < 0)
			return "has a % without two hexadecimal digits after it";
		if (byte < 0x20 || byte == 0x7f)
			return "has a control character in it";
		if (!text_utf8_step(&utf8, (unsigned char)byte))
			return "is not UTF-8";
	}
	return utf8.more > 0 ? "is not UTF-8" : NULL;
}

/* What stands behind these is an id with slashes in it, which some clients encode and some do not: it is the same to every reader. */
static bool ends_in_an_id(const char *raw)
{
	static const char models[] = "/v1/models/";

	if (strncmp(raw, "/live/", 6) == 0)
		raw += 5;
	return strncmp(raw, models, sizeof models - 1) == 0;
}

/* Decodes escapes into the thread's buffer. An encoded separator would be one to some readers only. */
static const char *decode_path(struct http_exchange *x, const char *raw)
{
	const char *problem = check_encoding(raw);
	bool escaped, slashes = ends_in_an_id(raw);
	char *to;

	if (problem != NULL)
		return problem;
	if (x->worker->path == NULL)
		x->worker->path = memory_new(LIMIT_PATH_BYTES + 1);
	to = x->worker->path;
	while (*raw != '\0') {
		escaped = *raw == '%';
		int byte = decode_byte(&raw);
		if (escaped && ((byte == '/' && !slashes) || byte == '\\'))
			return "has an encoded slash in it";
		*to++ = (char)byte;
	}
	*to = '\0';
	x->request.path = x->worker->path;
	return NULL;
}

static const char *check_segment(const char *segment, size_t length)
{
	if (length > LIMIT_PATH_SEGMENT_BYTES)
		return "has a part that is too long";
	if ((length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.'))
		return "has a dot segment in it";
	return NULL;
}

static const char *check_path(const char *path)
{
	const char *segment = path + 1, *at, *problem;

	for (at = path + 1;; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte == '/' || byte == '\0') {
			problem = check_segment(segment, (size_t)(at - segment));
			if (problem != NULL || byte == '\0')
				return problem;
			if (at[-1] == '/')
				return "has an empty part (//)";
			segment = at + 1;
		} else if (byte < 0x20 || byte == 0x7f || byte == '\\') {
			return "has a control character or a backslash in it";
		}
	}
}

bool request_read_target(struct http_exchange *x)
{
	const char *raw = x->info->local_uri_raw;
	const char *query = x->info->query_string;
	const char *problem = NULL;

	x->request.path = "/";
	if (raw == NULL || raw[0] != '/')
		return reply_refuse(x, 400, NULL, "the path must begin with a slash");
	if (strlen(raw) > LIMIT_PATH_BYTES)
		return reply_refuse(x, 414, NULL, "the path is longer than %d bytes", LIMIT_PATH_BYTES);
	x->request.path = raw;
	for (const char *at = raw; *at != '\0' && problem == NULL; at++) {
		if (*at == '%' || (unsigned char)*at >= 0x80) {
			problem = decode_path(x, raw);
			break;
		}
	}
	if (problem == NULL)
		problem = check_path(x->request.path);
	if (problem != NULL)
		return reply_refuse(x, 400, NULL, "the path %s", problem);
	x->request.query = query;
	problem = query != NULL ? check_encoding(query) : NULL;
	return problem == NULL || reply_refuse(x, 400, NULL, "the query %s", problem);
}

/* In a query a plus is a space. The text has passed check_encoding(). */
static char decode_query_byte(const char **text)
{
	if (**text == '+') {
		(*text)++;
		return ' ';
	}
	return (char)decode_byte(text);
}

/* Does "name=" or "name" stand here, encoded or not? Returns what follows it, else NULL. */
static const char *match_name(const char *at, const char *name)
{
	while (*at != '\0' && *at != '&' && *at != '=') {
		if (*name == '\0' || decode_query_byte(&at) != *name)
			return NULL;
		name++;
	}
	return *name == '\0' ? at : NULL;
}

/* The length without a character that `next` would have gone on with. */
static size_t whole_query_characters(const char *text, size_t length, char next)
{
	if (((unsigned char)next & 0xc0) != 0x80)
		return length;
	while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	return length > 0 ? length - 1 : 0;
}

bool http_query(const struct http_request *request, const char *name, char *value, size_t size)
{
	const char *at = request->query, *found = NULL;
	size_t length = 0;

	for (; at != NULL && found == NULL; at = strchr(at, '&')) {
		at += *at == '&';
		found = match_name(at, name);
	}
	if (found == NULL || size == 0)
		return false;
	found += *found == '=';
	while (*found != '\0' && *found != '&' && length + 1 < size)
		value[length++] = decode_query_byte(&found);
	if (*found != '\0' && *found != '&')
		length = whole_query_characters(value, length, decode_query_byte(&found));
	value[length] = '\0';
	return true;
}
