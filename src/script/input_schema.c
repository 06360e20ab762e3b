/* input_schema.c - looks at every word of a schema. Loader thread (or lint) only; no state.
 *
 * A word that nobody reads is a mistake: it is named, with the nearest that is known. What a vendor's schema says beyond these words is
 * lua/schema.lua's to leave out. */
#include "script/input_schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

/* What a word's value must be. */
enum word_value {
	WORD_ANY = 0,
	WORD_TEXT,
	WORD_FLAG,
	WORD_NUMBER,
	WORD_POSITIVE,
	WORD_COUNT,
	WORD_TYPE, /* the name of a type, or a list of them */
	WORD_TEXT_OR_TRUE,
	WORD_FLAG_OR_TEXTS,
	WORD_TEXTS,
	WORD_VALUES,	     /* a list of any values */
	WORD_ENUM,	     /* the same, bounded and not empty */
	WORD_TEXTS_OF_NAMES, /* name -> list of texts */
	WORD_SCHEMA,
	WORD_SCHEMAS,
	WORD_SCHEMAS_OF_NAMES,
};

struct schema_word {
	const char *name;
	enum word_value value;
};

static const struct schema_word words[] = {
	{ "type", WORD_TYPE },
	{ "title", WORD_TEXT },
	{ "description", WORD_TEXT },
	{ "$comment", WORD_TEXT },
	{ "default", WORD_ANY },
	{ "examples", WORD_VALUES },
	{ "const", WORD_ANY },
	{ "enum", WORD_ENUM },
	{ "deprecated", WORD_FLAG },
	{ "readOnly", WORD_FLAG },
	{ "writeOnly", WORD_FLAG },
	{ "minimum", WORD_NUMBER },
	{ "maximum", WORD_NUMBER },
	{ "exclusiveMinimum", WORD_NUMBER },
	{ "exclusiveMaximum", WORD_NUMBER },
	{ "multipleOf", WORD_POSITIVE },
	{ "minLength", WORD_COUNT },
	{ "maxLength", WORD_COUNT },
	{ "pattern", WORD_TEXT },
	{ "format", WORD_TEXT },
	{ "contentEncoding", WORD_TEXT },
	{ "contentMediaType", WORD_TEXT },
	{ "contentSchema", WORD_SCHEMA },
	{ "items", WORD_SCHEMA },
	{ "prefixItems", WORD_SCHEMAS },
	{ "contains", WORD_SCHEMA },
	{ "minContains", WORD_COUNT },
	{ "maxContains", WORD_COUNT },
	{ "minItems", WORD_COUNT },
	{ "maxItems", WORD_COUNT },
	{ "uniqueItems", WORD_FLAG },
	{ "unevaluatedItems", WORD_SCHEMA },
	{ "properties", WORD_SCHEMAS_OF_NAMES },
	{ "patternProperties", WORD_SCHEMAS_OF_NAMES },
	{ "additionalProperties", WORD_SCHEMA },
	{ "unevaluatedProperties", WORD_SCHEMA },
	{ "propertyNames", WORD_SCHEMA },
	{ "minProperties", WORD_COUNT },
	{ "maxProperties", WORD_COUNT },
	{ "required", WORD_TEXTS },
	{ "dependentRequired", WORD_TEXTS_OF_NAMES },
	{ "dependentSchemas", WORD_SCHEMAS_OF_NAMES },
	{ "allOf", WORD_SCHEMAS },
	{ "anyOf", WORD_SCHEMAS },
	{ "oneOf", WORD_SCHEMAS },
	{ "not", WORD_SCHEMA },
	{ "if", WORD_SCHEMA },
	{ "then", WORD_SCHEMA },
	{ "else", WORD_SCHEMA },
	{ "x_order", WORD_NUMBER },
	{ "x_advanced", WORD_FLAG },
	{ "x_costs", WORD_FLAG },
	{ "x_decides", WORD_FLAG },
	{ "x_unit", WORD_TEXT },
	{ "x_lines", WORD_COUNT },
	{ "x_other_models", WORD_FLAG_OR_TEXTS },
	{ "x_file", WORD_TEXT_OR_TRUE },
};

#define WORDS (sizeof words / sizeof *words)

/* Where the look is. */
struct schema_walk {
	char path[160];
	size_t length;
	int depth;
	size_t properties;
	struct error *error;
};

static bool check_schema(struct schema_walk *walk, json_t *schema);

/* ---- where ---- */

static size_t go_into(struct schema_walk *walk, const char *name)
{
	size_t before = walk->length;
	int written = snprintf(walk->path + before, sizeof walk->path - before, "%s%s", before > 0 ? "." : "", name);

	walk->length += written > 0 ? (size_t)written : 0;
	if (walk->length >= sizeof walk->path)
		walk->length = sizeof walk->path - 1;
	return before;
}

static void go_back(struct schema_walk *walk, size_t before)
{
	walk->length = before;
	walk->path[before] = '\0';
}

/* Returns false. */
__attribute__((format(printf, 2, 3))) static bool complain_here(struct schema_walk *walk, const char *format, ...)
{
	char text[240];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	error_set(walk->error, ERROR_INVALID, walk->path, "%s", text);
	return false;
}

/* ---- plain values ---- */

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_schema_number(const json_t *value)
{
	uint64_t wide;

	return json_is_number(value) || json_wide(value, &wide);
}

static bool is_texts(const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (json_text_value(item) == NULL)
			return false;
	return json_is_array(value);
}

static bool is_type_name(const json_t *value)
{
	static const char *const names[] = { "null", "boolean", "object", "array", "number", "string", "integer" };
	const char *text = json_text_value(value);

	for (size_t i = 0; text != NULL && i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], text) == 0)
			return true;
	return false;
}

static bool is_type(const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return is_type_name(value);
	json_array_foreach(value, i, item)
		if (!is_type_name(item))
			return false;
	return json_array_size(value) > 0;
}

static bool is_texts_of_names(json_t *value)
{
	const char *name;
	json_t *item;

	json_object_foreach(value, name, item)
		if (!is_texts(item))
			return false;
	return json_is_object(value);
}

/* NULL: it is what it must be. */
static const char *plain_fault(enum word_value wanted, json_t *value)
{
	switch (wanted) {
	case WORD_TEXT: return json_text_value(value) != NULL ? NULL : "expected text";
	case WORD_FLAG: return json_is_boolean(value) ? NULL : "expected true or false";
	case WORD_NUMBER: return is_schema_number(value) ? NULL : "expected a number";
	case WORD_POSITIVE: return json_is_number(value) && json_number_value(value) > 0 ? NULL : "expected a number above zero";
	case WORD_COUNT: return is_count(value) ? NULL : "expected a whole number, 0 or more";
	case WORD_TYPE: return is_type(value) ? NULL : "expected a type of JSON Schema, or a list of them";
	case WORD_TEXT_OR_TRUE: return json_text_value(value) != NULL || json_is_true(value) ? NULL : "expected text or true";
	case WORD_FLAG_OR_TEXTS:
		return json_is_boolean(value) || is_texts(value) ? NULL : "expected true, false or a list of texts";
	case WORD_TEXTS: return is_texts(value) ? NULL : "expected a list of texts";
	case WORD_VALUES: return json_is_array(value) ? NULL : "expected a list";
	case WORD_ENUM: return json_array_size(value) > 0 ? NULL : "expected a list of values, one at least";
	case WORD_TEXTS_OF_NAMES: return is_texts_of_names(value) ? NULL : "expected a list of texts for each name";
	default: return NULL;
	}
}

/* ---- schemas in it ---- */

static bool check_list_of_schemas(struct schema_walk *walk, const json_t *list)
{
	json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return complain_here(walk, "expected a list of schemas, one at least");
	json_array_foreach(list, i, item)
		if (!check_schema(walk, item))
			return false;
	return true;
}

static bool check_named_schemas(struct schema_walk *walk, json_t *object)
{
	const char *name;
	json_t *item;
	size_t before;

	if (!json_is_object(object))
		return complain_here(walk, "expected a schema for each name");
	walk->properties += json_object_size(object);
	if (walk->properties > LIMIT_INPUT_PROPERTIES)
		return complain_here(walk, "more than %d properties", LIMIT_INPUT_PROPERTIES);
	json_object_foreach(object, name, item) {
		before = go_into(walk, name);
		if (!check_schema(walk, item))
			return false;
		go_back(walk, before);
	}
	return true;
}

/* ---- a word ---- */

static const struct schema_word *find_word(const char *name)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static bool complain_of_word(struct schema_walk *walk, const char *name)
{
	const char *names[WORDS + 1] = { NULL }, *nearest;

	if (strcmp(name, "$ref") == 0 || strcmp(name, "$defs") == 0 || strcmp(name, "$dynamicRef") == 0)
		return complain_here(walk, "a schema of inputs stands for itself: write what it refers to in its place");
	for (size_t i = 0; i < WORDS; i++)
		names[i] = words[i].name;
	nearest = text_nearest(name, names);
	return complain_here(walk, "unknown word%s%s%s", nearest != NULL ? "; did you mean '" : "",
		nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool is_list_word(enum word_value value)
{
	return value == WORD_TEXTS || value == WORD_VALUES || value == WORD_ENUM || value == WORD_SCHEMAS;
}

static bool check_word(struct schema_walk *walk, const struct schema_word *word, json_t *value)
{
	const char *fault = plain_fault(word->value, value);

	if (fault != NULL)
		return complain_here(walk, "%s", fault);
	switch (word->value) {
	case WORD_ENUM:
		return json_array_size(value) <= LIMIT_INPUT_ENUM || complain_here(walk, "more than %d values", LIMIT_INPUT_ENUM);
	case WORD_SCHEMA: return check_schema(walk, value);
	case WORD_SCHEMAS: return check_list_of_schemas(walk, value);
	case WORD_SCHEMAS_OF_NAMES: return check_named_schemas(walk, value);
	default: return true;
	}
}

/* Lua's empty table has no form of its own. */
static json_t *as_list(json_t *schema, const struct schema_word *word, json_t *value)
{
	if (!is_list_word(word->value) || !json_is_object(value) || json_object_size(value) > 0)
		return value;
	json_object_set_new(schema, word->name, json_array());
	return json_object_get(schema, word->name);
}

static bool check_words(struct schema_walk *walk, json_t *schema)
{
	const char *name;
	json_t *value;
	size_t before;
	void *next;

	json_object_foreach_safe(schema, next, name, value)
	{
		const struct schema_word *word = find_word(name);

		before = go_into(walk, name);
		if (word == NULL)
			return complain_of_word(walk, name);
		if (!check_word(walk, word, as_list(schema, word, value)))
			return false;
		go_back(walk, before);
	}
	return true;
}

/* ---- a schema ---- */

static bool check_bounds(struct schema_walk *walk, const json_t *schema, const char *least, const char *most)
{
	const json_t *low = json_object_get(schema, least), *high = json_object_get(schema, most);

	if (!json_is_number(low) || !json_is_number(high) || json_number_value(low) <= json_number_value(high))
		return true;
	go_into(walk, least);
	return complain_here(walk, "is above %s", most);
}

static bool check_schema(struct schema_walk *walk, json_t *schema)
{
	bool good;

	if (json_is_boolean(schema))
		return true;
	if (!json_is_object(schema))
		return complain_here(walk, "expected a schema: a table");
	if (++walk->depth > LIMIT_INPUT_DEPTH)
		return complain_here(walk, "more than %d schemas in each other", LIMIT_INPUT_DEPTH);
	good = check_words(walk, schema) && check_bounds(walk, schema, "minimum", "maximum") &&
	       check_bounds(walk, schema, "minLength", "maxLength") && check_bounds(walk, schema, "minItems", "maxItems");
	walk->depth--;
	return good;
}

/* What is required is described. */
static bool check_required(struct schema_walk *walk, const json_t *schema)
{
	const json_t *properties = json_object_get(schema, "properties"), *name;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, name) {
		if (json_object_get(properties, json_text_value(name)) != NULL)
			continue;
		go_into(walk, "required");
		return complain_here(walk, "'%.80s' is none of the properties", json_text_value(name));
	}
	return true;
}

enum error_code input_schema_check(json_t *schema, struct error *error)
{
	struct schema_walk walk = { .error = error };
	const char *type;

	if (!json_is_object(schema)) {
		complain_here(&walk, "expected a table");
		return ERROR_INVALID;
	}
	if (!check_schema(&walk, schema) || !check_required(&walk, schema))
		return ERROR_INVALID;
	type = json_text(schema, "type");
	if (json_object_get(schema, "type") != NULL && (type == NULL || strcmp(type, "object") != 0)) {
		go_into(&walk, "type");
		complain_here(&walk, "a choice describes a request, which is an object");
		return ERROR_INVALID;
	}
	return ERROR_NONE;
}
