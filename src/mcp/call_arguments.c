/* call_arguments.c - one table says what a tool takes: the schema is made of it, and every call is held against it. HTTP threads; pure.
 *
 * The messages are for a model, which corrects itself by them: they name the argument, what it must be, and what it was. A null counts
 * as absent, since models send it for what they leave out. */
#include "mcp/call_arguments.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#define MESSAGE_BYTES 512
#define ARGUMENTS_MAX 16

/* ---- the schema ---- */

static const char *argument_type_name(enum mcp_type type)
{
	switch (type) {
	case MCP_INTEGER: return "integer";
	case MCP_NUMBER: return "number";
	case MCP_BOOLEAN: return "boolean";
	case MCP_OBJECT: return "object";
	default: return "string";
	}
}

/* A whole number is written as one. */
static json_t *new_number(double value)
{
	return value == floor(value) ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *argument_schema(const struct mcp_argument *argument)
{
	json_t *schema = json_object(), *values;

	json_object_set_new(schema, "type", json_string(argument_type_name(argument->type)));
	if (argument->values != NULL) {
		values = json_array();
		for (const char *const *value = argument->values; *value != NULL; value++)
			json_array_append_new(values, json_string(*value));
		json_object_set_new(schema, "enum", values);
	}
	if (argument->ranged) {
		json_object_set_new(schema, "minimum", new_number(argument->least));
		json_object_set_new(schema, "maximum", new_number(argument->most));
	}
	if (argument->above)
		json_object_set_new(schema, "exclusiveMinimum", new_number(argument->least));
	if (argument->otherwise != NULL)
		json_object_set_new(schema, "default", json_loads(argument->otherwise, JSON_DECODE_ANY, NULL));
	if (argument->description != NULL)
		json_object_set_new(schema, "description", json_string(argument->description));
	return schema;
}

json_t *mcp_arguments_schema(const struct mcp_tool *tool)
{
	json_t *schema = json_object(), *properties = json_object(), *required = json_array();

	json_object_set_new(schema, "type", json_string("object"));
	json_object_set_new(schema, "additionalProperties", json_false());
	for (const struct mcp_argument *one = tool->arguments; one != NULL && one->name != NULL; one++) {
		json_object_set_new(properties, one->name, argument_schema(one));
		if (one->required)
			json_array_append_new(required, json_string(one->name));
	}
	if (json_object_size(properties) > 0)
		json_object_set(schema, "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(properties);
	json_decref(required);
	return schema;
}

/* ---- what is wrong with a call ---- */

struct checking {
	const struct mcp_tool *tool;
	json_t *problems;
};

__attribute__((format(printf, 3, 4))) static void note_problem(
	struct checking *checking, const char *name, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	json_t *problem;
	va_list arguments;

	if (json_array_size(checking->problems) >= LIMIT_MCP_PROBLEMS)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	problem = json_object();
	json_object_set_new(problem, "path", json_string_nocheck(name)); /* both may be cut within a character */
	json_object_set_new(problem, "message", json_string_nocheck(message));
	json_array_append_new(checking->problems, problem);
}

static void list_values(const char *const *values, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; *values != NULL && used < size; values++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", *values);
}

static void check_text(struct checking *checking, const struct mcp_argument *argument, const json_t *value)
{
	const char *text = json_text_value(value);
	char listed[MESSAGE_BYTES / 2];

	if (text == NULL || strlen(text) != json_string_length(value)) {
		note_problem(checking, argument->name, "%s must be a text", argument->name);
		return;
	}
	if (argument->values == NULL)
		return;
	for (const char *const *one = argument->values; *one != NULL; one++)
		if (strcmp(*one, text) == 0)
			return;
	list_values(argument->values, listed, sizeof listed);
	note_problem(checking, argument->name, "%s must be one of: %s", argument->name, listed);
}

/* JSON has one kind of number: 10.0 is the integer 10. */
static bool is_whole_number(const json_t *value)
{
	double number = json_number_value(value);

	return json_is_integer(value) || (json_is_real(value) && number == floor(number) && fabs(number) < 9e15);
}

static void check_number(struct checking *checking, const struct mcp_argument *argument, const json_t *value)
{
	const char *kind = argument->type == MCP_INTEGER ? "an integer" : "a number";
	double number = json_number_value(value);

	if (!json_is_number(value) || (argument->type == MCP_INTEGER && !is_whole_number(value)))
		note_problem(checking, argument->name, "%s must be %s", argument->name, kind);
	else if (argument->ranged && (number < argument->least || number > argument->most))
		note_problem(checking, argument->name, "%s must be %s from %g to %g", argument->name, kind, argument->least,
			argument->most);
	else if (argument->above && number <= argument->least)
		note_problem(checking, argument->name, "%s must be %s above %g", argument->name, kind, argument->least);
}

static void check_value(struct checking *checking, const struct mcp_argument *argument, const json_t *value)
{
	switch (argument->type) {
	case MCP_TEXT: check_text(checking, argument, value); break;
	case MCP_INTEGER:
	case MCP_NUMBER: check_number(checking, argument, value); break;
	case MCP_BOOLEAN:
		if (!json_is_boolean(value))
			note_problem(checking, argument->name, "%s must be true or false", argument->name);
		break;
	case MCP_OBJECT:
		if (!json_is_object(value))
			note_problem(checking, argument->name, "%s must be an object", argument->name);
		break;
	}
}

static void check_known(struct checking *checking, const json_t *arguments)
{
	for (const struct mcp_argument *one = checking->tool->arguments; one != NULL && one->name != NULL; one++) {
		const json_t *value = json_object_get(arguments, one->name);

		if (value != NULL && !json_is_null(value))
			check_value(checking, one, value);
		else if (one->required)
			note_problem(checking, one->name, "%s is needed", one->name);
	}
}

static void note_unknown(struct checking *checking, const char *name, const char *const *known, const char *listed)
{
	const char *nearest;
	char shown[65];

	snprintf(shown, sizeof shown, "%s", name);
	nearest = text_nearest(shown, known);
	if (*known == NULL)
		note_problem(checking, shown, "there is no argument %s: this tool takes none", shown);
	else if (nearest != NULL)
		note_problem(checking, shown, "there is no argument %s: did you mean %s? There are %s", shown, nearest, listed);
	else
		note_problem(checking, shown, "there is no argument %s: there are %s", shown, listed);
}

static bool is_argument(const char *name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

static void check_unknown_arguments(struct checking *checking, const json_t *arguments)
{
	const char *known[ARGUMENTS_MAX + 1] = { NULL }, *name;
	char listed[MESSAGE_BYTES / 2];
	json_t *value;
	int count = 0;

	for (const struct mcp_argument *one = checking->tool->arguments; one != NULL && one->name != NULL; one++)
		if (count < ARGUMENTS_MAX)
			known[count++] = one->name;
	list_values(known, listed, sizeof listed);
	json_object_foreach((json_t *)(uintptr_t)arguments, name, value) {
		if (json_array_size(checking->problems) >= LIMIT_MCP_PROBLEMS)
			break;
		if (!is_argument(name, known))
			note_unknown(checking, name, known, listed);
	}
}

bool mcp_arguments_check(struct mcp_call *call)
{
	struct checking checking = { .tool = call->tool, .problems = json_array() };
	const json_t *first;
	json_t *members;

	check_known(&checking, call->arguments);
	check_unknown_arguments(&checking, call->arguments);
	if (json_array_size(checking.problems) == 0) {
		json_decref(checking.problems);
		return true;
	}
	members = json_object();
	json_object_set_new(members, "errors", checking.problems);
	first = json_object_get(json_array_get(checking.problems, 0), "message");
	mcp_call_refuse_with(call, "invalid_arguments", members, "%s", json_string_value(first));
	return false;
}

/* ---- reading, once checked ---- */

const json_t *mcp_argument_value(const struct mcp_call *call, const char *name)
{
	const json_t *value = json_object_get(call->arguments, name);

	return value != NULL && !json_is_null(value) ? value : NULL;
}

const char *mcp_argument_text(const struct mcp_call *call, const char *name)
{
	return json_text_value(mcp_argument_value(call, name));
}

int64_t mcp_argument_integer(const struct mcp_call *call, const char *name, int64_t otherwise)
{
	const json_t *value = mcp_argument_value(call, name);

	return value != NULL ? (int64_t)json_number_value(value) : otherwise;
}

bool mcp_argument_flag(const struct mcp_call *call, const char *name, bool otherwise)
{
	const json_t *value = mcp_argument_value(call, name);

	return value != NULL ? json_is_true(value) : otherwise;
}
