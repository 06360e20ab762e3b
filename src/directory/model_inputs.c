/* model_inputs.c - bounds a schema, and compares two. No state; any thread. What a schema means is the scripts' (lua/schema.lua): here it is data. */
#include "directory/model_inputs.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "directory/model_text.h"

struct trimming {
	json_t *warnings;
	int properties;
	const char *why; /* it cannot be used, or NULL */
};

static json_t *bound_value(struct trimming *trimming, const json_t *value, int depth, bool named);

static void warn(struct trimming *trimming, const char *text)
{
	if (json_array_size(trimming->warnings) < LIMIT_DIRECTORY_TEXTS)
		json_array_append_new(trimming->warnings, json_string(text));
}

static size_t longest_of(const char *name)
{
	return strcmp(name, "description") == 0 || strcmp(name, "title") == 0 ? LIMIT_DIRECTORY_DESCRIPTION_BYTES
									      : LIMIT_DIRECTORY_VALUE_BYTES;
}

/* `named`: its names are inputs, not words of JSON Schema. */
static json_t *trim_object(struct trimming *trimming, const json_t *value, int depth, bool named)
{
	json_t *object = json_object(), *item;
	const char *name;

	if (!named && json_object_get(value, "$ref") != NULL) {
		warn(trimming, "a part of the schema could not be resolved: anything is allowed there");
		return object;
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, item) {
		if (model_text_is_odd(name)) {
			warn(trimming, "an input whose name has control characters was left out");
			continue;
		}
		if (named && ++trimming->properties > LIMIT_DIRECTORY_PROPERTIES)
			trimming->why = "the schema has more than 500 inputs";
		if (!named && strcmp(name, "enum") == 0 && json_array_size(item) > LIMIT_DIRECTORY_ENUM) {
			warn(trimming, "a list of more than 1000 values to choose from was left out");
			continue;
		}
		if (trimming->why != NULL)
			break;
		if (json_is_string(item) && !named)
			json_object_set_new(object, name, model_text_clean_tree(item, longest_of(name), 1));
		else
			json_object_set_new(
				object, name, bound_value(trimming, item, depth + 1, !named && strcmp(name, "properties") == 0));
	}
	return object;
}

static json_t *bound_value(struct trimming *trimming, const json_t *value, int depth, bool named)
{
	json_t *list, *item;
	size_t i;

	if (depth > LIMIT_DIRECTORY_SCHEMA_DEPTH) {
		trimming->why = "the schema is too deep";
		return json_null();
	}
	if (json_is_object(value))
		return trim_object(trimming, value, depth, named);
	if (!json_is_array(value))
		return model_text_clean_tree(value, LIMIT_DIRECTORY_VALUE_BYTES, 1);
	list = json_array();
	json_array_foreach(value, i, item)
		json_array_append_new(list, bound_value(trimming, item, depth + 1, false));
	return list;
}

static bool is_large_schema(const json_t *value)
{
	struct buffer out;
	bool failed;

	buffer_init(&out, LIMIT_DIRECTORY_SCHEMA_BYTES);
	json_write(&out, value);
	failed = out.failed;
	buffer_free(&out);
	return failed;
}

json_t *model_inputs_read(const json_t *value, json_t *warnings, const char **why)
{
	struct trimming trimming = { .warnings = warnings };
	json_t *schema;

	*why = "no schema of its inputs is told";
	if (!json_is_object(value))
		return NULL;
	schema = bound_value(&trimming, value, 0, false);
	if (trimming.why == NULL && is_large_schema(schema))
		trimming.why = "the schema has more than 256 KiB";
	if (trimming.why == NULL && !json_is_object(json_object_get(schema, "properties")))
		trimming.why = "the schema names no inputs";
	*why = trimming.why;
	if (trimming.why == NULL)
		return schema;
	warn(&trimming, trimming.why);
	json_decref(schema);
	return NULL;
}

/* ---- what changed ---- */

static bool lists(const json_t *list, const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, value))
			return true;
	return false;
}

/* Is a value that was in the list not there any more? A list that is new allows less than none. */
static bool chooses_from_less(const json_t *before, const json_t *after)
{
	json_t *item;
	size_t i;

	if (!json_is_array(after))
		return false;
	if (!json_is_array(before))
		return true;
	json_array_foreach(before, i, item)
		if (!lists(after, item))
			return true;
	return false;
}

static bool is_bound_closer(const json_t *before, const json_t *after)
{
	static const struct {
		const char *word;
		bool lower;
	} bounds[] = { { "minimum", true }, { "exclusiveMinimum", true }, { "minLength", true }, { "minItems", true },
		{ "maximum", false }, { "exclusiveMaximum", false }, { "maxLength", false }, { "maxItems", false } };

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		const json_t *old = json_object_get(before, bounds[i].word), *new = json_object_get(after, bounds[i].word);

		if (!json_is_number(new))
			continue;
		if (!json_is_number(old))
			return true;
		if (bounds[i].lower ? json_number_value(new) > json_number_value(old)
				    : json_number_value(new) < json_number_value(old))
			return true;
	}
	return false;
}

static bool is_narrower(const json_t *before, const json_t *after)
{
	const json_t *type = json_object_get(after, "type");

	return chooses_from_less(json_object_get(before, "enum"), json_object_get(after, "enum")) ||
	       is_bound_closer(before, after) || (type != NULL && !json_equal(json_object_get(before, "type"), type));
}

static bool requires(const json_t *schema, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, item)
		if (json_text_value(item) != NULL && strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

json_t *model_inputs_narrowed(const json_t *before, const json_t *after)
{
	json_t *olds = json_object_get(before, "properties"), *news = json_object_get(after, "properties");
	json_t *narrowed = json_array(), *item;
	const char *name;

	json_object_foreach(olds, name, item) {
		const json_t *now = json_object_get(news, name);

		if (now == NULL || is_narrower(item, now) || (requires(after, name) && !requires(before, name)))
			json_array_append_new(narrowed, json_string(name));
	}
	json_object_foreach(news, name, item)
		if (json_object_get(olds, name) == NULL && requires(after, name))
			json_array_append_new(narrowed, json_string(name));
	return narrowed;
}
