/* model_names.c - see model_names.h. */
#include "openai/model_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"

/* capabilities.models is a list of ids, or an object by id. */
static bool is_listed(const json_t *capabilities, const char *name)
{
	const json_t *models = json_object_get(capabilities, "models");
	const char *text;

	if (json_is_object(models))
		return json_object_get(models, name) != NULL;
	for (size_t i = 0; i < json_array_size(models); i++) {
		text = json_text_value(json_array_get(models, i));
		if (text != NULL && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

const char *model_name_of(const struct manifest_choice *choice, const json_t *capabilities)
{
	const char *end = choice->model != NULL ? strrchr(choice->model, '/') : NULL;

	if (end == NULL || is_listed(capabilities, choice->model) || !is_listed(capabilities, end + 1))
		return choice->model;
	return end + 1;
}

bool model_name_means(const char *word, const struct manifest_choice *choice, const json_t *capabilities)
{
	return choice->model != NULL &&
	       (strcmp(word, choice->model) == 0 || strcmp(word, model_name_of(choice, capabilities)) == 0);
}

json_t *model_facts(const struct manifest_choice *choice)
{
	struct buffer text;
	json_t *facts = NULL;

	buffer_init(&text, LIMIT_INPUT_SCHEMA_BYTES);
	buffer_char(&text, '{');
	buffer_text(&text, choice->facts != NULL ? choice->facts : "");
	if (!text.failed && text.length > 1)
		text.length--; /* the last comma */
	buffer_char(&text, '}');
	if (!text.failed)
		facts = json_read(text.data, text.length, NULL);
	buffer_free(&text);
	return facts != NULL ? facts : json_object();
}
