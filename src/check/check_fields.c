/* check_fields.c - compares JSON with tables of rules. The command's only thread; keeps nothing. */
#include "check/check_fields.h"

#include <ctype.h>
#include <string.h>

#include "base/id.h"

const json_t *check_value(const json_t *object, const char *path)
{
	while (object != NULL) {
		size_t length = strcspn(path, ".");

		object = json_object_getn(object, path, length);
		if (path[length] == '\0')
			return object;
		path += length + 1;
	}
	return NULL;
}

bool check_is_true(const json_t *object, const char *path)
{
	return json_is_true(check_value(object, path));
}

const char *check_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(check_value(object, path));

	return text != NULL ? text : "";
}

/* ---- what a value must be ---- */

static bool is_id(const char *text)
{
	return *text != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(text);
}

/* In `form`, 0 stands for any digit. */
static bool begins_as(const char *text, const char *form)
{
	for (; *form != '\0'; text++, form++)
		if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
			return false;
	return true;
}

static bool is_https(const char *text)
{
	return strncmp(text, "https://", 8) == 0 && isalnum((unsigned char)text[8]) && strpbrk(text, " \t\r\n") == NULL;
}

static bool all_texts(const json_t *array)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static bool is_text_of(const json_t *value, enum field_type type)
{
	const char *text = json_string_value(value);
	struct id id;

	if (text == NULL)
		return false;
	switch (type) {
	case FIELD_ID: return is_id(text);
	case FIELD_UUID: return id_parse(text, &id);
	case FIELD_DATE: return begins_as(text, "0000-00-00");
	case FIELD_HTTPS: return is_https(text);
	default: return *text != '\0';
	}
}

static bool fits_type(const json_t *value, enum field_type type)
{
	switch (type) {
	case FIELD_BOOL: return json_is_boolean(value);
	case FIELD_TRUE: return json_is_true(value);
	case FIELD_NULL: return value == NULL || json_is_null(value);
	case FIELD_WHOLE: return json_is_integer(value) && json_integer_value(value) > 0;
	case FIELD_AMOUNT: return json_is_null(value) || (json_is_number(value) && json_number_value(value) >= 0);
	case FIELD_OBJECT: return json_is_object(value);
	case FIELD_FILLED: return json_object_size(value) > 0;
	case FIELD_OPTION: return json_is_object(value) || json_is_null(value);
	case FIELD_TEXTS: return json_is_array(value) && all_texts(value);
	default: return is_text_of(value, type);
	}
}

static const char *describe(enum field_type type)
{
	static const char *const descriptions[] = {
		[FIELD_BOOL] = "true or false",
		[FIELD_TRUE] = "true",
		[FIELD_NULL] = "null",
		[FIELD_TEXT] = "a text",
		[FIELD_ID] = "an id of letters, digits, _ and -",
		[FIELD_UUID] = "a UUID",
		[FIELD_DATE] = "a date such as 2025-02-17",
		[FIELD_HTTPS] = "an https URL",
		[FIELD_WHOLE] = "a whole number from 1",
		[FIELD_AMOUNT] = "an amount or null",
		[FIELD_OBJECT] = "an object",
		[FIELD_FILLED] = "an object with something in it",
		[FIELD_OPTION] = "an object or null",
		[FIELD_TEXTS] = "a list of texts",
	};

	return descriptions[type];
}

static const char *name_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: return json_object_size(value) > 0 ? "an object" : "an empty object";
	case JSON_ARRAY: return "a list";
	case JSON_INTEGER:
	case JSON_REAL: return "a number";
	case JSON_TRUE: return "true";
	case JSON_FALSE: return "false";
	case JSON_NULL: return "null";
	default: return "a text";
	}
}

void check_fields(const json_t *object, const struct field_rule *rules, size_t count, struct findings *findings)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = check_value(object, rules[i].path);

		if (fits_type(value, rules[i].type))
			continue;
		if (value == NULL)
			findings_problem(findings, "%s is absent", rules[i].path);
		else if (json_is_string(value))
			findings_problem(findings, "%s should be %s, is \"%s\"", rules[i].path, describe(rules[i].type),
				json_string_value(value));
		else
			findings_problem(
				findings, "%s should be %s, is %s", rules[i].path, describe(rules[i].type), name_of(value));
	}
}

void check_field_is(const json_t *object, const char *path, const char *expected, struct findings *findings)
{
	const json_t *value = check_value(object, path);
	const char *text = json_string_value(value);

	if (value == NULL)
		findings_problem(findings, "%s is absent, should be \"%s\"", path, expected);
	else if (text == NULL)
		findings_problem(findings, "%s should be \"%s\", is %s", path, expected, name_of(value));
	else if (strcmp(text, expected) != 0)
		findings_problem(findings, "%s should be \"%s\", is \"%s\"", path, expected, text);
}
