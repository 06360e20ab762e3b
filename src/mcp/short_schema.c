/* short_schema.c - makes it, and drops from it what has no room: what is rarely wanted first. HTTP threads; no state. */
#include "mcp/short_schema.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "directory/model_text.h"

#define PATH_BYTES 256
#define TEXT_BYTES 160	/* of a description */
#define VALUE_BYTES 120 /* of any other text: a name, a value of an enum */
#define MOST_VALUES 24	/* of an enum, of examples */
#define MOST_DEPTH 12
#define MOST_NAMED 20	  /* inputs in a list */
#define NAME_BYTES 64	  /* of one there */
#define OBJECTS_BYTES 200 /* that nesting takes: "parameters":{"type":"object","properties":{...},"required":[...]} */
#define FILE_WORDS "a URL, or providerd://jobs/JOB_ID/artifacts/N for what a job made"

struct input {
	const char *name;     /* its path in a request of REST */
	const json_t *schema; /* borrowed */
	int order;
	bool required, advanced;
};

/* ---- one input ---- */

static json_t *shorten_value(const json_t *value, int depth);

/* Words of a schema that only who draws a form needs. */
static bool is_for_forms(const char *word)
{
	static const char *const words[] = { "$schema", "title", "x_order", "x_advanced", "x_costs", "x_decides", "x_unit",
		"x_lines", "x_other_models", "x_file", NULL };
	size_t i = 0;

	while (words[i] != NULL && strcmp(words[i], word) != 0)
		i++;
	return words[i] != NULL;
}

static json_t *shorten_text(const json_t *value, size_t most)
{
	json_t *cleaned = model_text_clean(value, most);

	return cleaned != NULL ? cleaned : json_string("");
}

static json_t *shorten_list(const json_t *list, int depth)
{
	json_t *short_list = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (i < MOST_VALUES)
			json_array_append_new(short_list, shorten_value(item, depth + 1));
	}
	return short_list;
}

/* Of an enum that is cut the rest would be forbidden: what is left of it are examples. */
static const char *name_of_list(const char *name, const json_t *value)
{
	return strcmp(name, "enum") == 0 && json_array_size(value) > MOST_VALUES ? "examples" : name;
}

/* Its names are those of inputs. */
static json_t *shorten_properties(const json_t *properties, int depth)
{
	json_t *short_object = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)properties, name, value) {
		if (!model_text_is_odd(name))
			json_object_set_new(short_object, name, shorten_value(value, depth + 1));
	}
	return short_object;
}

static json_t *shorten_object(const json_t *object, int depth)
{
	json_t *short_object = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (is_for_forms(name) || model_text_is_odd(name))
			continue;
		if (strcmp(name, "description") == 0 && json_is_string(value))
			json_object_set_new(short_object, name, shorten_text(value, TEXT_BYTES));
		else if (strcmp(name, "properties") == 0 && json_is_object(value))
			json_object_set_new(short_object, name, shorten_properties(value, depth + 1));
		else
			json_object_set_new(short_object, name_of_list(name, value), shorten_value(value, depth + 1));
	}
	return short_object;
}

static json_t *shorten_value(const json_t *value, int depth)
{
	if (depth > MOST_DEPTH)
		return json_true(); /* any value, as a schema */
	if (json_is_object(value))
		return shorten_object(value, depth);
	if (json_is_array(value))
		return shorten_list(value, depth);
	if (json_text_value(value) != NULL)
		return shorten_text(value, VALUE_BYTES);
	return json_incref((json_t *)(uintptr_t)value);
}

/* A file is named as an agent can: by the output of a job. */
static json_t *shorten_input(const struct input *input)
{
	const char *file = json_text(input->schema, "x_file"), *said = json_text(input->schema, "description");
	json_t *schema = shorten_value(input->schema, 0), *text;

	if (file == NULL)
		return schema;
	text = json_sprintf("%s: " FILE_WORDS "%s%s", file, said != NULL ? "; " : "", said != NULL ? said : "");
	json_object_set_new(schema, "description", shorten_text(text, TEXT_BYTES));
	json_decref(text);
	return schema;
}

/* ---- where it goes ---- */

/* Its path in the arguments of quote: what stands beside prompt, mode and model in a request is taken in `parameters` too. False: it is of the transport
 * (webhooks, waiting), which is the host's business. */
static bool place_input(const struct input *input, char path[PATH_BYTES])
{
	static const char *const places[] = { "prompt", "mode", "model", "parameters", "job", NULL };
	size_t length = strcspn(input->name, "."), i = 0;

	while (places[i] != NULL && (strlen(places[i]) != length || strncmp(places[i], input->name, length) != 0))
		i++;
	if (places[i] != NULL)
		return snprintf(path, PATH_BYTES, "%s", input->name) < PATH_BYTES;
	return input->name[length] == '\0' && !input->advanced &&
	       snprintf(path, PATH_BYTES, "parameters.%s", input->name) < PATH_BYTES;
}

/* The member of this name, made where there is none yet. */
static json_t *open_member(json_t *object, const char *name, json_t *made)
{
	json_t *member = json_object_get(object, name);

	if (member != NULL) {
		json_decref(made);
		return member;
	}
	json_object_set_new(object, name, made);
	return made;
}

static void require_member(json_t *schema, const char *name)
{
	json_t *list = open_member(schema, "required", json_array()), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (strcmp(json_string_value(item), name) == 0)
			return;
	}
	json_array_append_new(list, json_string(name));
}

/* Its objects are made on the way; one that stands there already gets what it lacks. */
static void put_input(json_t *schema, const struct input *input, char path[PATH_BYTES], json_t *own)
{
	char *name = path, *dot;
	json_t *properties;

	while ((dot = strchr(name, '.')) != NULL) {
		*dot = '\0';
		if (input->required)
			require_member(schema, name);
		properties = open_member(schema, "properties", json_object());
		schema = open_member(properties, name, json_pack("{s:s}", "type", "object"));
		name = dot + 1;
	}
	if (input->required)
		require_member(schema, name);
	properties = open_member(schema, "properties", json_object());
	json_object_update_missing(open_member(properties, name, json_object()), own);
}

/* ---- all of them ---- */

static int compare_inputs(const void *a, const void *b)
{
	const struct input *one = a, *other = b;

	if (one->required != other->required)
		return one->required ? -1 : 1;
	if (one->advanced != other->advanced)
		return one->advanced ? 1 : -1;
	return one->order != other->order ? (one->order > other->order) - (one->order < other->order)
					  : strcmp(one->name, other->name);
}

static bool is_required(const json_t *choice_schema, const char *name)
{
	json_t *list = json_object_get(choice_schema, "required"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (json_text_value(item) != NULL && strcmp(json_text_value(item), name) == 0)
			return true;
	}
	return false;
}

/* Each part of a path is a name that is seen. */
static bool is_path(const char *path)
{
	return !model_text_is_odd(path) && *path != '.' && path[strlen(path) - 1] != '.' && strstr(path, "..") == NULL &&
	       strlen(path) < PATH_BYTES / 2;
}

static size_t list_inputs(const json_t *choice_schema, struct input *inputs)
{
	json_t *properties = json_object_get(choice_schema, "properties"), *schema;
	const char *name;
	size_t count = 0;

	json_object_foreach(properties, name, schema) {
		if (is_path(name))
			inputs[count++] = (struct input){ .name = name,
				.schema = schema,
				.order = (int)json_integer_value(json_object_get(schema, "x_order")),
				.required = is_required(choice_schema, name),
				.advanced = json_is_true(json_object_get(schema, "x_advanced")) };
	}
	qsort(inputs, count, sizeof *inputs, compare_inputs);
	return count;
}

static size_t json_bytes(const json_t *value)
{
	struct buffer out;
	size_t length;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	json_write(&out, value);
	length = out.failed ? SIZE_MAX : out.length;
	buffer_free(&out);
	return length;
}

/* The last part of its path. */
static const char *short_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL ? dot + 1 : path;
}

static void leave_out(struct mcp_schema *made, const struct input *input)
{
	if (json_array_size(made->left_out) < MOST_NAMED && strlen(short_name(input->name)) < NAME_BYTES)
		json_array_append_new(made->left_out, json_string(short_name(input->name)));
}

static void take_input(struct mcp_schema *made, const struct input *input, size_t most, size_t *used)
{
	char path[PATH_BYTES];
	size_t bytes;
	json_t *own;

	if (!place_input(input, path))
		return;
	own = shorten_input(input);
	bytes = json_bytes(own) + strlen(path) + (input->required ? strlen(path) : 0) + 8; /* with quotes, colon and comma */
	if (*used + bytes > most) {
		leave_out(made, input);
	} else {
		*used += bytes;
		put_input(made->schema, input, path, own);
		if (json_is_true(json_object_get(input->schema, "x_costs")) && json_array_size(made->costs) < MOST_NAMED)
			json_array_append_new(made->costs, json_string(short_name(input->name)));
	}
	json_decref(own);
}

void mcp_schema_make(const json_t *choice_schema, size_t most, struct mcp_schema *made)
{
	size_t room = json_object_size(json_object_get(choice_schema, "properties"));
	struct input *inputs = memory_new_array(room + 1, sizeof *inputs);
	size_t count, used;

	*made = (struct mcp_schema){
		.schema = json_pack("{s:s}", "type", "object"), .costs = json_array(), .left_out = json_array()
	};
	used = json_bytes(made->schema) + OBJECTS_BYTES;
	count = list_inputs(choice_schema, inputs);
	for (size_t i = 0; i < count; i++) /* what is last in their order is left out first */
		take_input(made, &inputs[i], most, &used);
	free(inputs);
}

void mcp_schema_free(struct mcp_schema *made)
{
	json_decref(made->schema);
	json_decref(made->costs);
	json_decref(made->left_out);
}
