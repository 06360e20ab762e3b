/* request_schema.c - from paths to objects in objects. */
#include "api/request_schema.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

/* The member of this name, made if it is not there. */
static json_t *object_in(json_t *object, const char *name)
{
	json_t *member = json_object_get(object, name);

	if (!json_is_object(member)) {
		member = json_object();
		json_object_set_new(object, name, member);
	}
	return member;
}

#define STEP_BYTES (LIMIT_INPUT_TEXT_BYTES + LIMIT_DIRECTORY_NAME_BYTES + 2)

/* The first name of a path, and where the rest of it begins: NULL, it is the last. False: it is longer than any. */
static bool first_step(const char *path, char step[STEP_BYTES], const char **rest)
{
	const char *dot = strchr(path, '.');
	size_t length = dot != NULL && dot[1] != '\0' ? (size_t)(dot - path) : strlen(path);

	if (length >= STEP_BYTES)
		return false;
	memcpy(step, path, length);
	step[length] = '\0';
	*rest = path[length] != '\0' ? path + length + 1 : NULL;
	return true;
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item) {
		if (json_text_value(item) != NULL && strcmp(json_text_value(item), text) == 0)
			return true;
	}
	return false;
}

static void place_property(json_t *schema, const char *path, json_t *property)
{
	char step[STEP_BYTES];

	while (path != NULL && first_step(path, step, &path)) {
		schema = object_in(object_in(schema, "properties"), step);
		if (path == NULL)
			json_object_update(schema, property);
		else
			json_object_set_new(schema, "type", json_string("object"));
	}
}

static void require_path(json_t *schema, const char *path)
{
	char step[STEP_BYTES];
	json_t *required;

	while (path != NULL && first_step(path, step, &path)) {
		required = json_object_get(schema, "required");
		if (required == NULL)
			json_object_set_new(schema, "required", required = json_array());
		if (!has_text(required, step))
			json_array_append_new(required, json_string(step));
		if (path != NULL)
			schema = object_in(object_in(schema, "properties"), step);
	}
}

static json_t *requiring(const json_t *paths)
{
	json_t *schema = json_object(), *path;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)paths, i, path) {
		if (json_text_value(path) != NULL)
			require_path(schema, json_text_value(path));
	}
	return schema;
}

/* "when this is given, these are needed" */
static void nest_dependent(json_t *schema, const json_t *dependent)
{
	json_t *all = json_array(), *needed, *given;
	const char *path;

	json_object_foreach((json_t *)(uintptr_t)dependent, path, needed) {
		given = json_pack("[s]", path);
		json_array_append_new(all, json_pack("{s:o,s:o}", "if", requiring(given), "then", requiring(needed)));
		json_decref(given);
	}
	json_object_set_new(schema, "allOf", all);
}

static json_t *nest(const json_t *flat)
{
	static const char *const lists[] = { "anyOf", "oneOf" };
	json_t *schema = json_copy((json_t *)(uintptr_t)flat), *item, *list;
	const char *name;
	size_t i;

	json_object_del(schema, "$schema");
	json_object_del(schema, "properties");
	json_object_del(schema, "required");
	json_object_del(schema, "dependentRequired");
	json_object_foreach(json_object_get(flat, "properties"), name, item) {
		place_property(schema, name, item);
	}
	json_array_foreach(json_object_get(flat, "required"), i, item) {
		if (json_text_value(item) != NULL)
			require_path(schema, json_text_value(item));
	}
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
		if (json_object_get(flat, lists[k]) == NULL)
			continue;
		list = json_array();
		json_array_foreach(json_object_get(flat, lists[k]), i, item) {
			json_array_append_new(list, nest(item));
		}
		json_object_set_new(schema, lists[k], list);
	}
	if (json_object_get(flat, "dependentRequired") != NULL)
		nest_dependent(schema, json_object_get(flat, "dependentRequired"));
	return schema;
}

/* Said with the request: which choice it is. */
static void fix_word(json_t *schema, const json_t *choice, const char *name, bool needed)
{
	const char *value = json_text(choice, name);

	if (value == NULL)
		return;
	json_object_set_new(object_in(schema, "properties"), name, json_pack("{s:s,s:s}", "type", "string", "const", value));
	if (needed)
		require_path(schema, name);
}

json_t *request_schema_of_choice(const json_t *choice)
{
	json_t *schema = nest(json_object_get(choice, "schema"));
	const char *kind = json_text(choice, "kind"), *label = json_text(choice, "label");

	if (label != NULL)
		json_object_set_new(schema, "title", json_string(label));
	if (kind == NULL || strcmp(kind, "gpu") == 0)
		return schema;
	fix_word(schema, choice, "model", true);
	fix_word(schema, choice, "mode", json_text(choice, "model") == NULL);
	return schema;
}
