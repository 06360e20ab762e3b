/* fields_choice.c - which of a script's declared forms of request is meant. See fields_map.h. */
#include <string.h>

#include "base/json.h"
#include "openai/fields_map.h"

/* Is an input a picture that goes into what is made, and no mask? In one of three ways: a file, a list of files, a list of objects that have one. */
static bool is_picture(const char *path, const json_t *input)
{
	const json_t *items = json_object_get(input, "items"), *inner;
	const char *file = json_text(input, "x_file"), *name;

	if (file == NULL)
		file = json_text(items, "x_file");
	json_object_foreach(json_object_get(items, "properties"), name, inner) {
		if (file == NULL)
			file = json_text(inner, "x_file");
	}
	return file != NULL && strcmp(file, "image") == 0 && strstr(path, "mask") == NULL;
}

static bool is_required(const json_t *schema, const char *path)
{
	const json_t *required = json_object_get(schema, "required");
	const char *text;

	for (size_t i = 0; i < json_array_size(required); i++) {
		text = json_text_value(json_array_get(required, i));
		if (text != NULL && strcmp(text, path) == 0)
			return true;
	}
	return false;
}

static bool takes_picture(const json_t *schema, bool *requires)
{
	const char *path;
	json_t *input;
	bool takes = false;

	*requires = false;
	json_object_foreach(json_object_get(schema, "properties"), path, input) {
		if (!is_picture(path, input))
			continue;
		takes = true;
		*requires |= is_required(schema, path);
	}
	return takes;
}

/* How well a choice goes with what comes with the request. */
static int fitness(const struct openai_fields *fields, const json_t *schema)
{
	bool requires, takes = takes_picture(schema, &requires);

	if (fields->has_picture)
		return takes ? 2 : 1;
	return requires ? 1 : 2;
}

/* Of the forms in which the script has a model that the client named, the one that fits; of a mode, or of none, its first, which is the default. Of a model
 * that the script does not describe it is what the vendor publishes. */
void fields_choose(struct openai_fields *fields)
{
	const struct manifest *manifest = &fields->model->provider->manifest;
	int best = 0;

	for (size_t i = 0; i < manifest->choice_count && best < 2; i++) {
		json_t *schema;
		int fit;

		if (!openai_model_has(fields->model, &manifest->choices[i]))
			continue;
		schema = json_read_stored(manifest->choices[i].schema);
		fit = fields->model->model[0] == '\0' ? 2 : fitness(fields, schema);
		if (fit > best) {
			best = fit;
			json_decref(fields->schema);
			fields->schema = json_incref(schema);
			fields->choice = &manifest->choices[i];
		}
		json_decref(schema);
	}
	if (fields->choice == NULL && fields->model->model[0] != '\0')
		fields->schema = openai_model_schema(fields->host, fields->model);
	fields->properties = json_object_get(fields->schema, "properties");
}
