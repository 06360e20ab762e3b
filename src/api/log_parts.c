/* log_parts.c - reads the two forms of a line, logfmt and JSON. Any thread; no state. */
#include "api/log_parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

void log_parts_init(struct log_parts *parts)
{
	*parts = (struct log_parts){ .ts = "" };
	buffer_init(&parts->text, 8 * LOG_LINE_BYTES); /* of a byte that needs six in JSON, too */
}

void log_parts_free(struct log_parts *parts)
{
	buffer_free(&parts->text);
}

/* "NAME=VALUE " at the beginning, into `value`; what follows. NULL: it is something else. */
static const char *take_field(const char *line, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != '=')
		return NULL;
	line += length + 1;
	length = strcspn(line, " ");
	if (length >= size)
		return NULL;
	snprintf(value, size, "%.*s", (int)length, line);
	return line + length + (line[length] == ' ');
}

static bool read_logfmt(struct log_parts *parts, const char *line)
{
	char level[8];

	line = take_field(line, "ts", parts->ts, sizeof parts->ts);
	line = line != NULL ? take_field(line, "level", level, sizeof level) : NULL;
	line = line != NULL ? take_field(line, "event", parts->event, sizeof parts->event) : NULL;
	if (line != NULL)
		buffer_text(&parts->text, line);
	return line != NULL;
}

static bool is_bare(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || strchr("\"=\\\x7f", *at) != NULL)
			return false;
	return *text != '\0';
}

static void write_field(struct buffer *out, const char *name, const json_t *value)
{
	const char *text = json_text_value(value);

	if (out->length > 0)
		buffer_char(out, ' ');
	buffer_text(out, name);
	buffer_char(out, '=');
	if (text != NULL && is_bare(text))
		buffer_text(out, text);
	else
		json_write(out, value);
}

static bool read_json(struct log_parts *parts, const char *line)
{
	json_t *object = *line == '{' ? json_read(line, strlen(line), NULL) : NULL, *value;
	const char *ts = json_text(object, "ts"), *event = json_text(object, "event"), *name;
	bool whole = ts != NULL && event != NULL;

	json_object_foreach(whole ? object : NULL, name, value) {
		if (strcmp(name, "ts") != 0 && strcmp(name, "level") != 0 && strcmp(name, "event") != 0)
			write_field(&parts->text, name, value);
	}
	if (whole) {
		snprintf(parts->ts, sizeof parts->ts, "%s", ts);
		snprintf(parts->event, sizeof parts->event, "%s", event);
	}
	json_decref(object);
	return whole;
}

void log_parts_read(struct log_parts *parts, const char *line)
{
	parts->ts[0] = parts->event[0] = '\0';
	buffer_clear(&parts->text);
	if (read_logfmt(parts, line) || read_json(parts, line))
		return;
	parts->ts[0] = parts->event[0] = '\0';
	buffer_text(&parts->text, line);
}
