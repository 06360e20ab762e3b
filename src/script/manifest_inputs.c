/* manifest_inputs.c - what may be asked for: the choices of `inputs`, each with the schema of its request. Loader thread (or lint) only.
 *
 * They are read by way of their JSON, which is what is kept of them: nothing of a choice is looked into after the script was loaded. */
#include "script/manifest_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/input_schema.h"

static const char *const choice_keys[] = { "kind", "mode", "model", "operation", "label", "makes", "price", "schema", NULL };
static const char *const kinds_made[] = { "image", "video", "audio", "text", "3d", "json", "other", NULL };

/* One of them while it is read. */
struct choice_reading {
	struct reading *reading;
	json_t *table;
	char path[40]; /* "inputs[3]" */
};

__attribute__((format(printf, 3, 4))) static void complain_of_choice(
	const struct choice_reading *choice, const char *key, const char *format, ...)
{
	char path[256], text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	snprintf(path, sizeof path, "%s%s%s", choice->path, *key != '\0' ? "." : "", key);
	reading_complain(choice->reading, path, "%s", text);
}

static bool is_choice_word(const char *text, const char *const *list)
{
	while (*list != NULL && strcmp(*list, text) != 0)
		list++;
	return *list != NULL;
}

static void check_choice_keys(const struct choice_reading *choice)
{
	const char *name, *nearest;
	json_t *value;

	json_object_foreach(choice->table, name, value) {
		if (is_choice_word(name, choice_keys))
			continue;
		nearest = text_nearest(name, choice_keys);
		complain_of_choice(choice, name, "unknown key%s%s%s", nearest != NULL ? "; did you mean '" : "",
			nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
	}
}

/* The caller's copy; NULL when it is absent. */
static char *choice_text(const struct choice_reading *choice, const char *key)
{
	const json_t *value = json_object_get(choice->table, key);
	const char *text = json_text_value(value);

	if (value == NULL)
		return NULL;
	if (text == NULL || *text == '\0' || strlen(text) != json_string_length(value))
		complain_of_choice(choice, key, "expected text");
	else if (strlen(text) > LIMIT_INPUT_TEXT_BYTES)
		complain_of_choice(choice, key, "longer than %d bytes", LIMIT_INPUT_TEXT_BYTES);
	return memory_copy_text(text);
}

/* What is shown of it, beside its schema: members, each with a comma behind it. */
static char *choice_facts(const struct choice_reading *reading, const struct manifest_choice *choice)
{
	char *label = choice_text(reading, "label"), *makes = choice_text(reading, "makes"),
	     *price = choice_text(reading, "price");
	struct buffer facts;

	if (makes != NULL && !is_choice_word(makes, kinds_made))
		complain_of_choice(reading, "makes", "expected image, video, audio, text, 3d, json or other, got '%.40s'", makes);
	buffer_init(&facts, LIMIT_INPUT_SCHEMA_BYTES);
	json_member_text(&facts, "kind", choice->kind);
	json_member_text(&facts, "mode", choice->mode);
	json_member_text(&facts, "model", choice->model);
	json_member_text(&facts, "operation", choice->operation);
	json_member_text(&facts, "label", label);
	json_member_text(&facts, "makes", makes);
	json_member_text(&facts, "price", price);
	free(label);
	free(makes);
	free(price);
	return buffer_take(&facts);
}

static char *choice_schema(const struct choice_reading *reading)
{
	json_t *schema = json_object_get(reading->table, "schema");
	struct error error = { 0 };
	struct buffer text;
	char path[200];

	if (input_schema_check(schema, &error) != ERROR_NONE) {
		snprintf(path, sizeof path, "schema%s%s", error.path[0] != '\0' ? "." : "", error.path);
		complain_of_choice(reading, path, "%s", error.message);
		return NULL;
	}
	json_object_set_new(schema, "type", json_string("object"));
	json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	buffer_init(&text, LIMIT_INPUT_SCHEMA_BYTES);
	json_write(&text, schema);
	if (text.failed && !text.starved)
		complain_of_choice(reading, "schema", "more than %d KiB of JSON", LIMIT_INPUT_SCHEMA_BYTES / 1024);
	return buffer_take(&text);
}

static void check_kind_of_choice(const struct choice_reading *reading, const char *name)
{
	const struct kind *kind = name != NULL ? kind_named(name) : NULL;

	if (name != NULL && kind == NULL)
		complain_of_choice(reading, "kind", "expected 'gpu', 'image' or 'video', got '%.40s'", name);
	else if (kind != NULL && !manifest_has_kind(reading->reading->manifest, kind))
		complain_of_choice(reading, "kind", "'%s' is none of the script's kinds", name);
}

static void read_choice(const struct choice_reading *reading, struct manifest_choice *choice)
{
	if (!json_is_object(reading->table)) {
		complain_of_choice(reading, "", "expected a table");
		return;
	}
	check_choice_keys(reading);
	choice->kind = choice_text(reading, "kind");
	if (choice->kind == NULL)
		choice->kind = memory_copy_text(reading->reading->manifest->kind);
	check_kind_of_choice(reading, choice->kind);
	choice->mode = choice_text(reading, "mode");
	choice->model = choice_text(reading, "model");
	choice->operation = choice_text(reading, "operation");
	choice->facts = choice_facts(reading, choice);
	choice->schema = choice_schema(reading);
}

/* ---- all of them ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void check_choice_is_new(const struct choice_reading *reading, const struct manifest *manifest, size_t at)
{
	const struct manifest_choice *choice = &manifest->choices[at], *other;

	for (size_t i = 0; i < at; i++) {
		other = &manifest->choices[i];
		if (is_same_text(choice->kind, other->kind) && is_same_text(choice->mode, other->mode) &&
			is_same_text(choice->model, other->model) && is_same_text(choice->operation, other->operation))
			complain_of_choice(reading, "", "inputs[%zu] has the same kind, mode, model and operation", i + 1);
	}
}

static void read_choices(struct reading *reading, json_t *list)
{
	struct manifest *manifest = reading->manifest;
	struct choice_reading choice = { .reading = reading };
	size_t i;

	if (!json_is_array(list)) {
		if (json_object_size(list) > 0) /* Lua's empty table is no choice at all */
			reading_complain(reading, "inputs", "expected a list of choices");
		return;
	}
	if (json_array_size(list) > LIMIT_INPUT_CHOICES) {
		reading_complain(reading, "inputs", "at most %d choices", LIMIT_INPUT_CHOICES);
		return;
	}
	manifest->choices = memory_new_array(json_array_size(list) + 1, sizeof *manifest->choices);
	json_array_foreach(list, i, choice.table) {
		snprintf(choice.path, sizeof choice.path, "inputs[%zu]", i + 1);
		manifest->choice_count = i + 1;
		read_choice(&choice, &manifest->choices[i]);
		check_choice_is_new(&choice, manifest, i);
		if (reading->failed)
			return;
	}
}

void manifest_read_inputs(struct reading *reading)
{
	char *text = reading_json(reading, "inputs", false);
	struct error error = { 0 };
	json_t *list;

	if (text == NULL)
		return;
	if (strlen(text) > LIMIT_INPUTS_BYTES) {
		reading_complain(reading, "inputs", "more than %d MiB of JSON", LIMIT_INPUTS_BYTES / 1048576);
		free(text);
		return;
	}
	list = json_read(text, strlen(text), &error);
	free(text);
	if (list == NULL) {
		reading_complain(reading, "inputs", "%s%s%s", error.path, error.path[0] != '\0' ? ": " : "", error.message);
		return;
	}
	read_choices(reading, list);
	json_decref(list);
}

void manifest_free_inputs(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->choice_count; i++) {
		free(manifest->choices[i].kind);
		free(manifest->choices[i].mode);
		free(manifest->choices[i].model);
		free(manifest->choices[i].operation);
		free(manifest->choices[i].facts);
		free(manifest->choices[i].schema);
	}
	free(manifest->choices);
}
