/* fields_format.c - in which form the answer comes, and what is left out because nobody here has it. See fields_map.h. */
#include "openai/fields_map.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"

#define LIST_BYTES 512

static const char *const format_paths[] = { "parameters.output_format", "parameters.format", "parameters.image_format" };

/* ---- output_format ---- */

/* The declared word for it: "jpeg" may be "jpg" there. */
static const char *declared_word(const json_t *values, const char *format)
{
	enum media_format wanted, there;
	const char *text;

	if (!media_format_named(format, &wanted))
		return NULL;
	for (size_t i = 0; i < json_array_size(values); i++) {
		text = json_text_value(json_array_get(values, i));
		if (text != NULL && media_format_named(text, &there) && there == wanted)
			return text;
	}
	return NULL;
}

static bool refuse_format(const struct openai_fields *fields, const json_t *values)
{
	struct buffer list;
	const char *text;

	buffer_init(&list, LIST_BYTES);
	for (size_t i = 0; i < json_array_size(values); i++) {
		text = json_text_value(json_array_get(values, i));
		buffer_format(&list, "%s%s", i > 0 ? ", " : "", text != NULL ? text : "");
	}
	openai_refuse(fields->request, "invalid_value", "output_format", "output_format: %s does not make this%s%s",
		fields_model_name(fields), list.length > 0 ? "; possible: " : " and has no choice of formats",
		buffer_begin(&list));
	buffer_free(&list);
	return false;
}

static bool is_picture_format(enum media_format format)
{
	return format == MEDIA_PNG || format == MEDIA_JPEG || format == MEDIA_WEBP;
}

/* PNG where nothing is said and the model can; nothing is said to one that has no choice. */
static bool put_format(struct openai_fields *fields, const char *format)
{
	const char *path = NULL, *word;
	const json_t *values = NULL;

	for (size_t i = 0; i < sizeof format_paths / sizeof *format_paths && values == NULL; i++) {
		path = format_paths[i];
		values = fields_values(fields_input(fields->properties, path));
	}
	word = declared_word(values, format != NULL ? format : "png");
	if (word == NULL && fields->schema == NULL && format != NULL)
		return fields_put(fields, "parameters.output_format", json_string(format), "output_format");
	if (word == NULL && format != NULL && (values != NULL || fields->wish->output_format != MEDIA_PNG))
		return refuse_format(fields, values);
	if (word == NULL) {
		if (format != NULL)
			fields_warn(fields, "output_format: %s has no choice of formats; left out", fields_model_name(fields));
		return true;
	}
	if (format == NULL && json_object_get(fields->parameters, strchr(path, '.') + 1) != NULL)
		return true; /* the client said it in the model's word */
	return fields_put(fields, path, json_string(word), "output_format");
}

static bool take_output_format(struct openai_fields *fields)
{
	const char *format;

	if (!fields_text(fields, "output_format", &format))
		return false;
	fields->wish->output_format = MEDIA_PNG;
	fields->wish->output_format_given = format != NULL;
	if (format != NULL &&
		(!media_format_named(format, &fields->wish->output_format) || !is_picture_format(fields->wish->output_format))) {
		openai_refuse(fields->request, "invalid_value", "output_format", "output_format: must be png, jpeg or webp.");
		return false;
	}
	return fields->wish->call == OPENAI_VIDEOS_CREATE || put_format(fields, format);
}

/* ---- response_format, stream ---- */

static bool take_response_format(struct openai_fields *fields)
{
	const char *text;

	if (!fields_text(fields, "response_format", &text))
		return false;
	if (text == NULL || strcmp(text, "b64_json") == 0)
		return true;
	if (strcmp(text, "url") == 0) {
		fields->wish->response_format = OPENAI_ANSWER_URL;
		return true;
	}
	openai_refuse(fields->request, "invalid_value", "response_format", "response_format: must be b64_json or url.");
	return false;
}

static bool take_stream(struct openai_fields *fields)
{
	json_int_t partial = 0;

	if (!fields_flag(fields, "stream", &fields->wish->stream) || !fields_integer(fields, "partial_images", 0, 3, &partial))
		return false;
	fields->wish->partial_images = (int)partial;
	return true;
}

static bool is_short(const struct openai_fields *fields, const char *name, const char *text)
{
	if (text == NULL || strlen(text) <= LIMIT_OPENAI_USER_BYTES)
		return true;
	openai_refuse(fields->request, "invalid_value", name, "%s: must have at most %d bytes.", name, LIMIT_OPENAI_USER_BYTES);
	return false;
}

static bool take_user(struct openai_fields *fields)
{
	const char *identifier;

	if (!fields_text(fields, "user", &fields->wish->user) || !fields_text(fields, "safety_identifier", &identifier) ||
		!is_short(fields, "user", fields->wish->user) || !is_short(fields, "safety_identifier", identifier))
		return false;
	if (fields->wish->user == NULL)
		fields->wish->user = identifier;
	return true;
}

/* ---- what is left out, and what cannot be ---- */

/* Wishes for more or less of what a model does anyway. At these values nobody misses anything. */
static const struct {
	const char *name;
	const char *usual[3];
} left_out[] = {
	{ "quality", { "auto", "standard", NULL } },
	{ "style", { "vivid", NULL } },
	{ "moderation", { "auto", NULL } },
	{ "input_fidelity", { "low", NULL } },
	{ "complexity", { "auto", NULL } },
	{ "output_compression", { "100", NULL } },
};

static bool is_usual(const json_t *value, const char *const *usual)
{
	char number[24];
	const char *text = json_text_value(value);

	if (json_is_integer(value)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		text = number;
	}
	for (; text != NULL && *usual != NULL; usual++)
		if (strcmp(text, *usual) == 0)
			return true;
	return false;
}

static void leave_out(struct openai_fields *fields)
{
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		const json_t *value = json_object_get(fields->given, left_out[i].name);

		if (value != NULL && !is_usual(value, left_out[i].usual))
			fields_warn(fields, "%s: has no meaning for %s; left out", left_out[i].name, fields_model_name(fields));
	}
}

static bool take_background(struct openai_fields *fields)
{
	const char *text, *word;
	const json_t *values = fields_values(fields_input(fields->properties, "parameters.background"));

	if (!fields_text(fields, "background", &text))
		return false;
	for (size_t i = 0; text != NULL && i < json_array_size(values); i++) {
		word = json_text_value(json_array_get(values, i));
		if (word != NULL && strcmp(word, text) == 0)
			return fields_put(fields, "parameters.background", json_string(text), "background");
	}
	if (text == NULL || strcmp(text, "auto") == 0 || strcmp(text, "opaque") == 0)
		return true;
	openai_refuse(fields->request, "unsupported_parameter", "background", "background: %s makes no such background.",
		fields_model_name(fields));
	return false;
}

/* What would be another thing without it. */
static bool refuse_others(struct openai_fields *fields)
{
	static const char *const names[] = { "svg", "markup", "frame_count", "frame_duration_ms" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (json_object_get(fields->given, names[i]) == NULL)
			continue;
		openai_refuse(
			fields->request, "unsupported_parameter", names[i], "%s: no model of this host has this.", names[i]);
		return false;
	}
	return true;
}

bool fields_take_format(struct openai_fields *fields)
{
	leave_out(fields);
	return refuse_others(fields) && take_background(fields) && take_output_format(fields) && take_response_format(fields) &&
	       take_stream(fields) && take_user(fields);
}
