/* response.c - takes in what came back, and makes it fit to be shown. Owned by whoever made it; no thread of its own. */
#include "net/response.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "gate/mask_known.h"

void response_init(struct response *response)
{
	buffer_init(&response->headers, LIMIT_RESPONSE_HEAD_BYTES);
	buffer_init(&response->body, LIMIT_RESPONSE_BYTES);
	response_clear(response);
}

void response_clear(struct response *response)
{
	response->failed = false;
	response->kind[0] = response->message[0] = '\0';
	response->status = response->header_count = 0;
	buffer_free(&response->headers);
	buffer_free(&response->body);
}

static void append_header(struct buffer *headers, const char *line, size_t name_length, const char *value, size_t value_length)
{
	for (size_t i = 0; i < name_length; i++)
		buffer_char(headers, line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] + 32) : line[i]);
	buffer_char(headers, '\0');
	buffer_append(headers, value, value_length);
	buffer_char(headers, '\0');
}

bool response_add_line(struct response *response, const char *line, size_t length)
{
	struct buffer *headers = &response->headers;
	const char *colon = memchr(line, ':', length), *value, *end = line + length;

	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		buffer_clear(headers);
		response->header_count = 0;
		return true;
	}
	if (colon == NULL || response->header_count == LIMIT_RESPONSE_HEADERS || headers->length + length + 2 > headers->maximum)
		return true;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	append_header(headers, line, (size_t)(colon - line), value, (size_t)(end - value));
	response->header_count++;
	return !headers->failed;
}

const char *response_header(const struct response *response, const char *name)
{
	const char *at = buffer_begin(&response->headers), *end = at + response->headers.length, *value;

	for (; at < end; at = value + strlen(value) + 1) {
		value = at + strlen(at) + 1;
		if (strcmp(at, name) == 0)
			return value;
	}
	return NULL;
}

void response_fail(struct response *response, const char *kind, const char *message)
{
	response->failed = true;
	snprintf(response->kind, sizeof response->kind, "%s", kind);
	snprintf(response->message, sizeof response->message, "%s", message);
}

bool response_was_never_sent(const struct response *response)
{
	static const char *const kinds[] = { "resolve", "connect", "tls", "blocked", "own", "unlisted", "held", "credential",
		NULL };

	for (const char *const *kind = kinds; response->failed && *kind != NULL; kind++)
		if (strcmp(response->kind, *kind) == 0)
			return true;
	return false;
}

bool response_puts_off(const struct response *response)
{
	return !response->failed && (response->status == 425 || response->status == 429 || response->status == 503);
}

/* Every "<upstream>/" as "https://". False: out of memory. */
static bool restore_text(struct buffer *text, const char *upstream, size_t length)
{
	const char *at = buffer_begin(text), *end = at + text->length, *found;
	struct buffer out;

	if (text->length == 0 || memmem(at, text->length, upstream, length) == NULL)
		return true;
	buffer_init(&out, text->maximum);
	for (; (found = memmem(at, (size_t)(end - at), upstream, length)) != NULL; at = found + length) {
		buffer_append(&out, at, (size_t)(found - at));
		buffer_text(&out, found + length < end && found[length] == '/' ? "https:/" : upstream);
	}
	buffer_append(&out, at, (size_t)(end - at));
	if (out.failed) {
		buffer_free(&out);
		return false;
	}
	buffer_free(text);
	*text = out;
	return true;
}

void response_restore(struct response *response, const struct destination_detour *detour)
{
	char upstream[512];
	size_t length;

	if (detour->upstream == NULL || (length = strlen(detour->upstream)) >= sizeof upstream)
		return;
	memcpy(upstream, detour->upstream, length + 1);
	while (length > 0 && upstream[length - 1] == '/')
		upstream[--length] = '\0';
	if (!restore_text(&response->headers, upstream, length) || !restore_text(&response->body, upstream, length))
		response_fail(response, "transport", "out of memory for the answer");
}

/* ---- masking ---- */

/* False: out of memory. */
static bool mask_buffer(const struct mask_known *known, bool json, struct buffer *text)
{
	enum mask_outcome outcome;
	struct buffer out;

	if (text->length == 0)
		return true;
	if (!json && memchr(text->data, '\0', text->length) != NULL)
		return mask_known_bytes(known, text->data, text->length);
	buffer_init(&out, text->maximum);
	outcome = mask_known_text(known, json, text->data, text->length, &out);
	if (outcome == MASK_MASKED) {
		buffer_free(text);
		*text = out;
	} else {
		buffer_free(&out);
	}
	return outcome != MASK_STARVED;
}

static bool append_masked(const struct mask_known *known, const char *text, struct buffer *out)
{
	enum mask_outcome outcome = mask_known_text(known, false, text, strlen(text), out);

	if (outcome == MASK_CLEAN)
		buffer_text(out, text);
	buffer_char(out, '\0');
	return outcome != MASK_STARVED && !out->failed;
}

/* Name by name and value by value. */
static bool mask_headers(const struct mask_known *known, struct buffer *headers)
{
	const char *at = buffer_begin(headers), *end = at + headers->length;
	struct buffer out;
	bool masked = true;

	if (headers->length == 0 || !mask_known_in(known, headers->data, headers->length))
		return true;
	buffer_init(&out, 2 * headers->maximum);
	for (; at < end && masked; at += strlen(at) + 1)
		masked = append_masked(known, at, &out);
	buffer_free(masked ? headers : &out);
	if (masked)
		*headers = out;
	return masked;
}

static bool is_json(const struct response *response)
{
	const char *type = response_header(response, "content-type");
	const char *at = buffer_begin(&response->body), *end = at + response->body.length;

	if (type != NULL && strcasestr(type, "json") != NULL)
		return true;
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at < end && (*at == '{' || *at == '[' || *at == '"');
}

static bool mask_response(const struct mask_known *known, struct response *response)
{
	return mask_headers(known, &response->headers) && mask_buffer(known, is_json(response), &response->body);
}

/* One that counts for this answer alone. */
static bool mask_token(struct response *response, const char *token)
{
	struct mask_index *index = mask_index_new();
	bool masked;

	mask_index_add(index, token);
	masked = mask_index_ready(index) && mask_response(&(struct mask_known){ .index = index, .all = true }, response);
	mask_index_free(index);
	return masked;
}

void response_mask(struct response *response, const struct gate_view *view, const struct gate_subject *subject, const char *token)
{
	struct mask_known known = { .index = view->known, .all = true, .view = view, .subject = subject };

	if (response->failed)
		return;
	if (!mask_response(&known, response) || (token != NULL && !mask_token(response, token)))
		response_fail(response, "transport", "out of memory for the answer");
}
