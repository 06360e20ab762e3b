/* wish_form.c - see wish_form.h. What a file is its bytes say: SDKs send "application/octet-stream" and "blob". */
#include "openai/wish_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact_type.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/form.h"
#include "openai/problem.h"

#define NAME_DEPTH 4	   /* "a[b][c][d]" */
#define VALUE_BYTES 128	   /* of a value in a tree, beside its text */
#define ENCODE_BYTES 49152 /* divisible by 3 */

struct form_name {
	char text[LIMIT_FORM_NAME_BYTES + 1]; /* as written: the param of an error */
	char parts[LIMIT_FORM_NAME_BYTES + 1];
	const char *steps[NAME_DEPTH]; /* in parts; "" appends */
	int count;
};

struct form_reading {
	struct http_request *request;
	json_t *fields;
	struct form_name name;
};

static bool send_no_room(struct http_request *request)
{
	openai_send_error(request, &(struct openai_error){ .status = 503,
					   .message = "too many large requests are being worked on: send it again later",
					   .code = "overloaded",
					   .should_retry = -1,
					   .retry_after_ms = 1000 });
	return false;
}

/* ---- names ---- */

/* An index says no more than that it is a list: its items come in order. */
static bool is_index(const char *step)
{
	return *step == '\0' || strspn(step, "0123456789") == strlen(step);
}

/* "a[b][]" into "a", "b", "". */
static bool split_name(struct form_span span, struct form_name *name)
{
	char *at = name->parts;

	memcpy(name->text, span.at, span.length);
	name->text[span.length] = '\0';
	memcpy(name->parts, name->text, span.length + 1);
	name->steps[0] = at;
	name->count = 1;
	at += strcspn(at, "[");
	if (at == name->parts)
		return false;
	while (*at == '[') {
		char *end = strchr(at, ']');

		if (end == NULL || name->count == NAME_DEPTH)
			return false;
		*at = *end = '\0';
		name->steps[name->count++] = at + 1;
		at = end + 1;
	}
	return *at == '\0' && strpbrk(name->steps[0], "]") == NULL;
}

/* "input_reference.image_url", as errors call it. */
static const char *param_of(const struct form_name *name, char param[LIMIT_FORM_NAME_BYTES + NAME_DEPTH])
{
	size_t used = 0;

	for (int i = 0; i < name->count; i++)
		if (!is_index(name->steps[i]))
			used += (size_t)snprintf(param + used, LIMIT_FORM_NAME_BYTES + NAME_DEPTH - used, "%s%s",
				i > 0 ? "." : "", name->steps[i]);
	return param;
}

static bool refuse_part(const struct form_reading *reading, const char *code, const char *why)
{
	char param[LIMIT_FORM_NAME_BYTES + NAME_DEPTH] = "", quoted[OPENAI_QUOTE_BYTES];

	param_of(&reading->name, param);
	openai_refuse(reading->request, code, param, "%s: %s", openai_quote(reading->request, param, quoted), why);
	return false;
}

/* ---- values ---- */

/* The type that a file's bytes prove, of those that anybody here takes. */
static const char *sniff(struct form_span content, char type[ARTIFACT_TYPE_BYTES])
{
	static const char *const taken[] = { "image/png", "image/jpeg", "image/webp", "image/gif", "video/mp4" };

	artifact_type_choose(NULL, NULL, (const unsigned char *)content.at, content.length < 512 ? content.length : 512, type);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strcmp(type, taken[i]) == 0)
			return type;
	return NULL;
}

static void write_data_uri(struct buffer *out, const char *type, struct form_span content)
{
	size_t whole = (content.length + 2) / 3 * 4, piece;
	char *to;

	buffer_format(out, "data:%s;base64,", type);
	if (buffer_reserve(out, whole + 1) == NULL)
		return;
	for (size_t done = 0; done < content.length; done += piece) {
		piece = content.length - done < ENCODE_BYTES ? content.length - done : ENCODE_BYTES;
		to = out->data + out->length;
		out->length += (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)content.at + done, (int)piece);
	}
}

/* NULL: an error was sent. */
static json_t *file_value(const struct form_reading *reading, const struct form_part *part)
{
	char type[ARTIFACT_TYPE_BYTES];
	struct buffer uri;
	json_t *value = NULL;

	if (sniff(part->content, type) == NULL) {
		refuse_part(
			reading, "unsupported_file_mimetype", "the file is no PNG, JPEG, WebP, GIF or MP4, by its first bytes");
		return NULL;
	}
	if (!crypto_load() || !http_count_json(reading->request, part->content.length / 3 * 4 + VALUE_BYTES)) {
		send_no_room(reading->request);
		return NULL;
	}
	buffer_init(&uri, LIMIT_BODY_BYTES_MAX * 2UL);
	write_data_uri(&uri, type, part->content);
	if (!uri.failed)
		value = json_stringn_nocheck(uri.data, uri.length);
	buffer_free(&uri);
	if (value == NULL)
		send_no_room(reading->request);
	return value;
}

static bool is_text(struct form_span content)
{
	struct text_utf8 utf8 = { 0 };

	for (size_t i = 0; i < content.length; i++)
		if (content.at[i] == '\0' || !text_utf8_step(&utf8, (unsigned char)content.at[i]))
			return false;
	return utf8.more == 0;
}

static json_t *text_value(const struct form_reading *reading, const struct form_part *part)
{
	json_t *value;

	if (!is_text(part->content)) {
		refuse_part(reading, "invalid_value", "must be text in UTF-8");
		return NULL;
	}
	if (!http_count_json(reading->request, part->content.length + VALUE_BYTES)) {
		send_no_room(reading->request);
		return NULL;
	}
	value = json_stringn_nocheck(part->content.at, part->content.length);
	if (value == NULL)
		send_no_room(reading->request);
	return value;
}

/* ---- where they go ---- */

/* A list of what was given under one name before; it, where it is a list already. */
static json_t *as_list(json_t *object, const char *name, json_t *there)
{
	json_t *list;

	if (json_is_array(there))
		return there;
	list = json_array();
	if (there != NULL)
		json_array_append(list, there);
	json_object_set_new_nocheck(object, name, list);
	return list;
}

/* The last step: a member, or an item. A file that comes again under one name is one more of them; a text that does is a contradiction. */
static bool put_member(
	const struct form_reading *reading, json_t *object, const char *name, bool is_list, bool is_file, json_t *value)
{
	json_t *there = json_object_get(object, name);

	if (there == NULL && !is_list) {
		json_object_set_nocheck(object, name, value);
		return true;
	}
	if (!is_list && !is_file)
		return refuse_part(reading, "invalid_value", "is given twice");
	if (json_is_object(there))
		return refuse_part(reading, "invalid_value", "is given in two ways");
	json_array_append(as_list(object, name, there), value);
	return true;
}

static bool put_value(const struct form_reading *reading, bool is_file, json_t *value)
{
	const struct form_name *name = &reading->name;
	json_t *object = reading->fields, *next;
	int last = name->count - 1;
	bool is_list = last > 0 && is_index(name->steps[last]);

	if (is_list)
		last--;
	for (int i = 0; i < last; i++) {
		if (is_index(name->steps[i + 1]) && i + 1 < last) /* "images[0][image_url]" */
			return refuse_part(reading, "invalid_value", "an object within a list has no place in a form: send JSON");
		next = json_object_get(object, name->steps[i]);
		if (next == NULL) {
			next = json_object();
			json_object_set_new_nocheck(object, name->steps[i], next);
		}
		if (!json_is_object(next))
			return refuse_part(reading, "invalid_value", "is given in two ways");
		object = next;
	}
	return put_member(reading, object, name->steps[last], is_list, is_file, value);
}

static bool take_part(struct form_reading *reading, const struct form_part *part)
{
	bool is_file = part->filename.at != NULL, taken;
	json_t *value;

	if (!split_name(part->name, &reading->name)) {
		openai_refuse(reading->request, "invalid_value", NULL,
			"A field's name is not well-formed: write a[b] for a member, and a[] for an item of a list.");
		return false;
	}
	value = is_file ? file_value(reading, part) : text_value(reading, part);
	if (value == NULL)
		return false;
	taken = put_value(reading, is_file, value);
	json_decref(value);
	return taken;
}

json_t *openai_form_read(struct http_request *request)
{
	struct form_reading *reading = memory_new(sizeof *reading); /* the stack is small */
	struct form_reader reader;
	struct form_part part;
	struct error error;
	json_t *fields = NULL;
	bool good;

	reading->request = request;
	reading->fields = json_object();
	good = form_open(&reader, http_header(request, "Content-Type"), request->body, request->body_length, &error) ==
	       ERROR_NONE;
	while (good && form_next(&reader, &part, &error)) {
		if (take_part(reading, &part))
			continue;
		json_decref(reading->fields);
		free(reading);
		return NULL;
	}
	if (good && error.code == ERROR_NONE)
		fields = json_incref(reading->fields);
	else
		openai_refuse(request, "invalid_value", NULL, "%s.", error.message);
	json_decref(reading->fields);
	free(reading);
	return fields;
}
