/* event_log.c - writes event lines. Any thread; the line is built on the stack, the log's thread writes it. */
#include "event/event_log.h"

#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"

#define SUMMARY_BYTES 512

/* Behind the text of JSON whose quote stands at `at`. */
static size_t behind_text(const char *text, size_t length, size_t at)
{
	for (at++; at < length; at += text[at] == '\\' ? 2 : 1) {
		at += text_plain_length(text + at, length - at);
		if (at == length || text[at] == '"')
			break;
	}
	return at + 1;
}

/* Length of the JSON value at `text`, which is valid JSON. */
static size_t value_length(const char *text, size_t length)
{
	size_t at = 0;
	int depth = 0;

	while (at < length) {
		char byte = text[at];

		if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
			break;
		if (byte == '"') {
			at = behind_text(text, length, at);
			continue;
		}
		if (byte == '{' || byte == '[')
			depth++;
		else if (byte == '}' || byte == ']')
			depth--;
		at++;
	}
	return at < length ? at : length;
}

static const char *value_type(char first)
{
	switch (first) {
	case '"': return "text";
	case '{': return "object";
	case '[': return "list";
	case 't':
	case 'f': return "bool";
	case 'n': return "null";
	default: return "number";
	}
}

/* One field, whole or not at all. */
static void write_summary_field(struct buffer *out, const char *name, size_t name_length, const char *type, size_t size)
{
	if (buffer_reserve(out, name_length + strlen(type) + 24) == NULL)
		return;
	if (out->length > 0)
		buffer_char(out, ',');
	buffer_append(out, name, name_length);
	buffer_char(out, ':');
	buffer_text(out, type);
	buffer_char(out, ':');
	buffer_unsigned(out, size);
}

/* {"prompt":"a cat","samples":2} -> "prompt:text:7,samples:number:1": names, types and sizes in bytes, no value. */
static void summarise(const char *json, size_t length, struct buffer *out)
{
	size_t at = 1, name, name_length, size;

	while (at < length && json[at] == '"') {
		name = at + 1;
		for (name_length = 0; json[name + name_length] != '"' && name + name_length < length; name_length++)
			name_length += json[name + name_length] == '\\';
		at = name + name_length + 2; /* the quote and the colon */
		if (at >= length)
			return;
		size = value_length(json + at, length - at);
		write_summary_field(out, json + name, name_length < 40 ? name_length : 40, value_type(json[at]), size);
		at += size + 1;
	}
}

static void add_summary(struct log_line *line, const struct event *event)
{
	char text[SUMMARY_BYTES];
	/* a fixed buffer: what does not fit is left out whole, name by name */
	struct buffer summary = { .data = text, .capacity = sizeof text, .maximum = sizeof text - 1 };

	text[0] = '\0';
	if (event->payload == NULL || event->payload_length < 2)
		return;
	summarise(event->payload, event->payload_length, &summary);
	log_text(line, "payload", text);
	log_integer(line, "payload_bytes", (int64_t)event->payload_length);
}

void event_log(const struct event *event)
{
	struct log_line line;
	char text[64];
	struct buffer name = { .data = text, .capacity = sizeof text, .maximum = sizeof text - 1 };

	buffer_text(&name, "public.");
	buffer_text(&name, event->kind);
	buffer_char(&name, '.');
	buffer_text(&name, event->verb);
	log_begin(&line, LOG_INFO, text);
	log_word(&line, "provider", event->provider);
	log_bool(&line, "dry_run", event->dry_run);
	log_bool(&line, "execution_allowed", event->execution_allowed);
	if (event->job_id != NULL)
		log_text(&line, "job_id", event->job_id);
	if (event->estimate_micro_usd >= 0)
		log_usd(&line, "estimate_usd", event->estimate_micro_usd);
	if (event->mode != NULL)
		log_text(&line, "mode", event->mode);
	add_summary(&line, event);
	if (event->caller != NULL)
		log_text(&line, "api_key", event->caller);
	if (event->request_id != NULL)
		log_text(&line, "request_id", event->request_id);
	if (event->trace != NULL)
		log_text(&line, "traceparent", event->trace);
	log_end(&line);
}
