/* model_choice.c - turns what a vendor publishes of a model into what a form or an agent needs to ask us for it. */
#include "api/model_choice.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define PATH_BYTES (LIMIT_DIRECTORY_NAME_BYTES + LIMIT_INPUT_TEXT_BYTES + 2)

static json_t *read_model(const struct directory_model *model)
{
	return model != NULL ? json_read_stored(model->text) : NULL;
}

bool model_choice_can(const struct directory_model *model)
{
	json_t *tree = read_model(model);
	bool can = json_is_object(json_object_get(tree, "inputs"));

	json_decref(tree);
	return can;
}

static const char *path_of(const char *name, const char *kind, const char *place, char path[PATH_BYTES])
{
	if (strcmp(kind, "gpu") != 0 && strcmp(name, "prompt") == 0)
		return name;
	snprintf(path, PATH_BYTES, "%s%s", place, name);
	return path;
}

/* A copy of the vendor's schema whose properties have the paths of a request; what else it says stays. */
static json_t *schema_of_request(const json_t *inputs, const char *kind, const char *place)
{
	json_t *schema = json_copy((json_t *)(uintptr_t)inputs), *properties = json_object(), *required = json_array();
	char path[PATH_BYTES];
	const char *name;
	json_t *item;
	size_t i;

	json_object_foreach(json_object_get(inputs, "properties"), name, item) {
		json_object_set(properties, path_of(name, kind, place, path), item);
	}
	json_array_foreach(json_object_get(inputs, "required"), i, item) {
		if (json_text_value(item) != NULL)
			json_array_append_new(required, json_string(path_of(json_text_value(item), kind, place, path)));
	}
	json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(schema, "type", json_string("object"));
	json_object_set_new(schema, "properties", properties);
	json_object_set_new(schema, "required", required);
	return schema;
}

/* "$0.025 / megapixels"; the vendor's own words where it has only those. */
static void write_choice_price(const struct directory_model *model, struct buffer *out)
{
	json_t *price = json_read_stored(model->price);
	const json_t *usd = json_object_get(price, "usd");
	const char *unit = json_text(price, "unit"), *text = json_text(price, "text");
	char words[256];

	if (text == NULL && json_is_number(usd) && unit != NULL) {
		snprintf(words, sizeof words, "$%.6g / %.200s", json_number_value(usd), unit);
		text = words;
	}
	json_member_text(out, "price", text);
	json_decref(price);
}

void model_choice_write(const struct directory_model *model, const char *kind, const char *place, struct buffer *out)
{
	json_t *tree = read_model(model), *schema = schema_of_request(json_object_get(tree, "inputs"), kind, place);

	buffer_char(out, '{');
	json_member_text(out, "kind", kind);
	json_member_text(out, "mode", NULL);
	json_member_text(out, "model", model->id);
	json_member_text(out, "operation", NULL);
	json_member_text(out, "label", json_text(tree, "name") != NULL ? json_text(tree, "name") : model->id);
	json_member_text(out, "makes", model->kind);
	write_choice_price(model, out);
	buffer_text(out, "\"schema\":");
	json_write(out, schema);
	buffer_char(out, '}');
	json_decref(schema);
	json_decref(tree);
}
