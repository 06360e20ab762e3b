/* fields.c - the table-driven reader. Runs where its caller runs, keeps no state.
 *
 * Refuses unknown keys, wrong types, values out of range. Only JSON booleans are booleans, only JSON integers are integers. Never
 * quotes a text of the file: an operator may have put a credential where it does not belong. */
#include "gate/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/micro_usd.h"
#include "base/text.h"

/* ---- paths and errors ---- */

size_t field_enter(struct field_reader *reader, const char *key)
{
	size_t mark = strlen(reader->path);

	snprintf(reader->path + mark, sizeof reader->path - mark, "%s%.64s", mark > 0 ? "." : "", key);
	return mark;
}

size_t field_enter_item(struct field_reader *reader, size_t index)
{
	size_t mark = strlen(reader->path);

	snprintf(reader->path + mark, sizeof reader->path - mark, "[%zu]", index);
	return mark;
}

void field_leave(struct field_reader *reader, size_t mark)
{
	reader->path[mark] = '\0';
}

enum error_code field_fail(struct field_reader *reader, const char *format, ...)
{
	char message[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	return error_set(reader->error, ERROR_INVALID, reader->path, "%s: %s: %s", reader->file, reader->path, message);
}

static const char *type_name(const json_t *value)
{
	uint64_t wide;

	switch (json_typeof(value)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return json_wide(value, &wide) ? "a number beyond all limits" : "text";
	case JSON_INTEGER: return "a whole number";
	case JSON_REAL: return "a fractional number";
	case JSON_TRUE: return "true";
	case JSON_FALSE: return "false";
	default: return "null";
	}
}

enum error_code field_fail_type(struct field_reader *reader, const char *expected, const json_t *value)
{
	return field_fail(reader, "expected %s, got %s", expected, type_name(value));
}

/* ---- objects ---- */

static enum error_code fail_unknown(struct field_reader *reader, const struct field *fields, const char *key)
{
	const char *known[FIELDS_MAX + 1];
	const char *nearest;
	size_t count = 0;

	for (; fields[count].key != NULL && count < FIELDS_MAX; count++)
		known[count] = fields[count].key;
	known[count] = NULL;
	nearest = text_nearest(key, known);
	if (nearest == NULL)
		return field_fail(reader, "unknown key");
	return field_fail(reader, "unknown key; did you mean \"%s\"?", nearest);
}

static const struct field *field_named(const struct field *fields, const char *key)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

enum error_code fields_read(struct field_reader *reader, const struct field *fields, const json_t *object, void *to)
{
	enum error_code code = ERROR_NONE;
	const struct field *field;
	const char *key;
	json_t *value;
	size_t mark;

	if (!json_is_object(object))
		return field_fail_type(reader, "an object", object);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		mark = field_enter(reader, key);
		field = field_named(fields, key);
		if (field == NULL)
			code = fail_unknown(reader, fields, key);
		else
			code = field->read(reader, field, value, (char *)to + field->offset);
		if (code != ERROR_NONE)
			break;
		field_leave(reader, mark);
	}
	return code;
}

enum error_code field_object(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	return fields_read(reader, field->fields, value, to);
}

enum error_code field_ignored(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	(void)field;
	(void)to;
	return json_text_value(value) != NULL ? ERROR_NONE : field_fail_type(reader, "text", value);
}

/* ---- scalars ---- */

enum error_code field_bool(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	(void)field;
	if (!json_is_boolean(value))
		return field_fail_type(reader, "true or false", value);
	*(bool *)to = json_is_true(value);
	return ERROR_NONE;
}

enum error_code field_int64(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return field_fail_type(reader, "a whole number", value);
	if (number < field->minimum || number > field->maximum)
		return field_fail(reader, "expected a whole number from %lld to %lld, got %lld", (long long)field->minimum,
			(long long)field->maximum, (long long)number);
	*(int64_t *)to = number;
	return ERROR_NONE;
}

enum error_code field_int(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	int64_t number = 0;
	enum error_code code = field_int64(reader, field, value, &number);

	if (code == ERROR_NONE)
		*(int *)to = (int)number;
	return code;
}

enum error_code field_size(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	int64_t number = 0;
	enum error_code code = field_int64(reader, field, value, &number);

	if (code == ERROR_NONE)
		*(size_t *)to = (size_t)number;
	return code;
}

enum error_code field_usd(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	if (!json_is_number(value))
		return field_fail_type(reader, "an amount in US dollars (a number)", value);
	if (json_number_value(value) < 0)
		return field_fail(reader, "an amount in US dollars cannot be negative");
	if (!micro_usd_from(json_number_value(value), field->maximum, to))
		return field_fail(reader, "an amount in US dollars can be at most %lld", (long long)field->maximum);
	return ERROR_NONE;
}

/* ---- texts ---- */

static enum error_code copy_text(struct field_reader *reader, const struct field *field, const json_t *value, char **copy)
{
	const char *text = json_string_value(value);
	const char *refusal;
	uint64_t wide;

	if (text == NULL || json_wide(value, &wide))
		return field_fail_type(reader, field->nullable ? "text or null" : "text", value);
	if (*text == '\0')
		return field_fail(reader, "must not be empty");
	if (json_string_length(value) > LIMIT_CONFIG_TEXT_BYTES)
		return field_fail(reader, "is longer than %d bytes", LIMIT_CONFIG_TEXT_BYTES);
	refusal = field->refuse != NULL ? field->refuse(text) : NULL;
	if (refusal != NULL)
		return field_fail(reader, "%s", refusal);
	*copy = memory_copy_text(text);
	return ERROR_NONE;
}

enum error_code field_text(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	enum error_code code = ERROR_NONE;
	char *copy = NULL;

	if (!field->nullable || !json_is_null(value))
		code = copy_text(reader, field, value, &copy);
	if (code != ERROR_NONE)
		return code;
	free(*(char **)to);
	*(char **)to = copy;
	return ERROR_NONE;
}

enum error_code field_text_list(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	size_t count = json_array_size(value), mark;
	enum error_code code = ERROR_NONE;
	char **list;

	if (!json_is_array(value))
		return field_fail_type(reader, "a list of texts", value);
	if (count > LIMIT_CONFIG_LIST_ITEMS)
		return field_fail(reader, "has more than %d items", LIMIT_CONFIG_LIST_ITEMS);
	list = memory_new_array(count + 1, sizeof *list);
	for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
		mark = field_enter_item(reader, i);
		code = copy_text(reader, field, json_array_get(value, i), &list[i]);
		field_leave(reader, mark);
	}
	if (code != ERROR_NONE) {
		field_list_free(list);
		return code;
	}
	field_list_free(*(char ***)to);
	*(char ***)to = list;
	return ERROR_NONE;
}

void field_list_free(char **list)
{
	for (char **text = list; text != NULL && *text != NULL; text++)
		free(*text);
	free(list);
}
