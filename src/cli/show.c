/* show.c - figures and texts of jobs for people. The command's only thread; no state. */
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "directory/model_text.h"

const char *show_usd(const json_t *value, const char *before, char text[SHOW_BYTES])
{
	size_t length;

	if (!json_is_number(value)) {
		snprintf(text, SHOW_BYTES, "-");
		return text;
	}
	length = (size_t)snprintf(text, SHOW_BYTES, "%s$%.6f", before, json_number_value(value));
	for (const char *point = strchr(text, '.'); length < SHOW_BYTES && text[length - 1] == '0' && text + length > point + 3;)
		text[--length] = '\0';
	return text;
}

const char *show_cost(const json_t *job, char text[SHOW_BYTES])
{
	const json_t *money = json_object_get(job, "money"), *spent = json_object_get(money, "spent_usd");

	if (json_is_number(spent))
		return show_usd(spent, "", text);
	if (json_is_object(money))
		return show_usd(json_object_get(money, "reserved_usd"), "~", text);
	return show_usd(json_object_get(json_object_get(job, "estimates"), "estimated_cost_usd"), "~", text);
}

const char *show_progress(const json_t *job, char text[SHOW_BYTES])
{
	const json_t *progress = json_object_get(job, "progress");

	if (json_is_number(progress))
		snprintf(text, SHOW_BYTES, "%.0f %%", json_number_value(progress) * 100);
	else
		snprintf(text, SHOW_BYTES, "-");
	return text;
}

const char *show_text(const json_t *object, const char *name, char *text, size_t size)
{
	const char *value = json_text(object, name);
	struct buffer clean;

	buffer_init(&clean, size);
	model_text_append(value != NULL ? value : "-", strlen(value != NULL ? value : "-"), size - 1, &clean);
	snprintf(text, size, "%s", buffer_begin(&clean));
	buffer_free(&clean);
	return text;
}

void show_query(struct buffer *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buffer_char(path, memchr(path->data, '?', path->length) == NULL ? '?' : '&');
	buffer_text(path, name);
	buffer_char(path, '=');
	for (; *value != '\0'; value++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", *value) != NULL)
			buffer_char(path, *value);
		else
			buffer_format(path, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

bool show_json(const json_t *value)
{
	struct buffer out;
	bool shown;

	buffer_init(&out, LIMIT_CHECK_ANSWER_BYTES);
	json_write(&out, value);
	shown = !out.failed && puts(out.data) != EOF;
	buffer_free(&out);
	return shown;
}
