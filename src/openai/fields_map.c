/* fields_map.c - the translation of a request's fields: what is OpenAI's, what is the host's, and the rest, which is the model's. See fields_map.h. */
#include "openai/fields_map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define PARAMETERS "parameters."
#define PATH_BYTES 320
#define WARNING_BYTES 1024

/* ---- declared inputs ---- */

const json_t *fields_input(const json_t *properties, const char *path)
{
	return json_object_get(properties, path);
}

const json_t *fields_values(const json_t *input)
{
	const json_t *values = json_object_get(input, "enum");

	if (values == NULL)
		values = json_object_get(input, "examples");
	return json_array_size(values) > 0 ? values : NULL;
}

const char *fields_model_name(const struct openai_fields *fields)
{
	return fields->wish->asked_model;
}

void fields_warn(struct openai_fields *fields, const char *format, ...)
{
	char text[WARNING_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	json_array_append_new(fields->wish->warnings, json_string(text));
}

/* ---- values ---- */

static bool refuse_type(struct openai_fields *fields, const char *name, const char *expected)
{
	openai_refuse(fields->request, "invalid_value", name, "%s: must be %s.", name, expected);
	return false;
}

/* A text that is JSON by itself, as forms and some tools write numbers; else NULL. */
static json_t *value_of_text(const json_t *value)
{
	const char *text = json_text_value(value);
	json_t *read = text != NULL && strlen(text) < 64 ? json_read(text, strlen(text), NULL) : NULL;

	if (json_is_number(read) || json_is_boolean(read))
		return read;
	json_decref(read);
	return NULL;
}

bool fields_integer(struct openai_fields *fields, const char *name, json_int_t least, json_int_t most, json_int_t *number)
{
	const json_t *value = json_object_get(fields->given, name);
	json_t *read = value_of_text(value);
	double real = json_number_value(read != NULL ? read : value);
	bool good = json_is_number(read != NULL ? read : value) && real == floor(real) && fabs(real) < 1e9;
	char expected[96];

	if (value == NULL)
		return true;
	if (good)
		*number = (json_int_t)real; /* 2.0 is 2: some languages have one kind of number */
	json_decref(read);
	if (good && *number >= least && *number <= most)
		return true;
	snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)least, (long long)most);
	return refuse_type(fields, name, expected);
}

bool fields_flag(struct openai_fields *fields, const char *name, bool *flag)
{
	const json_t *value = json_object_get(fields->given, name);
	json_t *read = value_of_text(value);
	bool good = json_is_boolean(read != NULL ? read : value);

	if (good)
		*flag = json_is_true(read != NULL ? read : value);
	json_decref(read);
	return value == NULL || good || refuse_type(fields, name, "true or false");
}

bool fields_text(struct openai_fields *fields, const char *name, const char **text)
{
	const json_t *value = json_object_get(fields->given, name);

	*text = json_text_value(value);
	if (value == NULL || (*text != NULL && strlen(*text) == json_string_length(value)))
		return true;
	return refuse_type(fields, name, "text");
}

/* ---- the submit's fields ---- */

bool fields_put(struct openai_fields *fields, const char *path, json_t *value, const char *param)
{
	bool inner = strncmp(path, PARAMETERS, sizeof PARAMETERS - 1) == 0;
	json_t *object = inner ? fields->parameters : fields->submit;
	const char *name = inner ? path + sizeof PARAMETERS - 1 : path;
	const json_t *there = json_object_get(object, name);
	char quoted[OPENAI_QUOTE_BYTES];

	if (there == NULL) {
		json_object_set_new(object, name, value);
		return true;
	}
	if (json_equal(there, value)) {
		json_decref(value);
		return true;
	}
	json_decref(value);
	openai_refuse(fields->request, "invalid_value", param, "%s: contradicts %s, which is given too.", param,
		openai_quote(fields->request, path, quoted));
	return false;
}

/* Names that are read one by one: OpenAI's, and the host's. */
static const char *const own_names[] = { "model", "prompt", "n", "size", "seconds", "quality", "style", "user",
	"safety_identifier", "background", "moderation", "output_format", "output_compression", "response_format", "stream",
	"partial_images", "complexity", "input_fidelity", "image", "images", "mask", "input_reference", "frame_count",
	"frame_duration_ms", "svg", "markup", "parameters", "dry_run", "max_cost_usd", "callback_url", "callback_secret",
	"directory", "expect_upstream_sha256" };

static bool is_own_name(const char *name)
{
	for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++)
		if (strcmp(own_names[i], name) == 0)
			return true;
	return false;
}

/* Of a form: 7 and true are texts there; what is declared as text stays text. */
static json_t *typed(const struct openai_fields *fields, const char *path, json_t *value)
{
	const json_t *input = fields_input(fields->properties, path);
	const char *type = json_text(input, "type");
	json_t *read = fields->from_form && (type == NULL || strcmp(type, "string") != 0) ? value_of_text(value) : NULL;

	return read != NULL ? read : json_incref(value);
}

/* A name that the script declares at the top of a request stands there, any other in parameters. */
static bool put_own(struct openai_fields *fields, const char *name, json_t *value)
{
	char path[PATH_BYTES];
	bool at_top = fields_input(fields->properties, name) != NULL;

	if (strlen(name) + sizeof PARAMETERS > sizeof path) {
		openai_refuse(fields->request, "invalid_value", NULL, "A field's name is too long: at most %d bytes.",
			(int)(sizeof path - sizeof PARAMETERS));
		return false;
	}
	snprintf(path, sizeof path, "%s%s", PARAMETERS, name);
	if (at_top && fields_input(fields->properties, path) == NULL)
		return fields_put(fields, name, typed(fields, name, value), name);
	return fields_put(fields, path, typed(fields, path, value), name);
}

/* What a client says in the model's own words. */
static bool take_own_words(struct openai_fields *fields)
{
	json_t *parameters = json_object_get(fields->given, "parameters"), *value;
	const char *name;

	if (parameters != NULL && !json_is_object(parameters))
		return refuse_type(fields, "parameters", "an object");
	json_object_foreach(parameters, name, value) {
		if (!json_is_null(value) && !put_own(fields, name, value))
			return false;
	}
	json_object_foreach(fields->given, name, value) {
		if (!is_own_name(name) && !put_own(fields, name, value))
			return false;
	}
	return true;
}

/* ---- the prompt ---- */

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool needs_prompt(const struct openai_fields *fields)
{
	const json_t *required = json_object_get(fields->schema, "required");
	const char *text;

	for (size_t i = 0; i < json_array_size(required); i++) {
		text = json_text_value(json_array_get(required, i));
		if (text != NULL && strcmp(text, "prompt") == 0)
			return true;
	}
	return fields->schema == NULL;
}

static bool take_prompt(struct openai_fields *fields)
{
	const char *prompt;

	if (!fields_text(fields, "prompt", &prompt))
		return false;
	if (prompt == NULL && needs_prompt(fields)) {
		openai_refuse(fields->request, "missing_required_parameter", "prompt", "Missing required parameter: 'prompt'.");
		return false;
	}
	if (prompt == NULL)
		return true;
	if (count_characters(prompt) > LIMIT_OPENAI_PROMPT_CHARACTERS) {
		openai_refuse(fields->request, "invalid_value", "prompt", "prompt: must have at most %d characters.",
			LIMIT_OPENAI_PROMPT_CHARACTERS);
		return false;
	}
	fields->wish->prompt = prompt;
	return fields_put(fields, "prompt", json_incref(json_object_get(fields->given, "prompt")), PARAMETERS "prompt");
}

/* ---- the whole ---- */

static void put_model(struct openai_fields *fields)
{
	const struct openai_model *model = fields->model;
	const char *mode = model->mode[0] != '\0' ? model->mode : NULL;

	if (mode == NULL && model->model[0] != '\0' && fields->choice != NULL)
		mode = fields->choice->mode;
	if (mode != NULL)
		json_object_set_new(fields->submit, "mode", json_string(mode));
	if (model->model[0] != '\0')
		json_object_set_new(fields->submit, "model", json_string(model->model));
}

static bool has_picture(const json_t *given)
{
	static const char *const names[] = { "image", "images", "input_reference" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_object_get(given, names[i]) != NULL)
			return true;
	return false;
}

bool openai_fields_apply(struct openai_fields *fields)
{
	bool good;

	fields->has_picture = has_picture(fields->given);
	fields_choose(fields);
	fields->submit = fields->wish->submit = json_object();
	fields->parameters = json_object();
	put_model(fields);
	good = take_own_words(fields) && take_prompt(fields) && fields_take_pictures(fields) && fields_take_count(fields) &&
	       fields_take_size(fields) && fields_take_seconds(fields) && fields_take_format(fields);
	json_object_set_new(fields->submit, "parameters", fields->parameters);
	json_decref(fields->schema);
	fields->schema = fields->properties = NULL;
	return good;
}
