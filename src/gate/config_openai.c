/* config_openai.c - openai: what programs for OpenAI's API find here: names of models, what a dry run answers, how long an image is waited for. At start
 * and on the loader thread; the look-up: any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "gate/config_parts.h"

/* A name of theirs, and "provider/mode-or-model" of ours: whether there is such a one shows when it is asked for, since scripts come and go. */
static const char *refuse_name(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > LIMIT_OPENAI_NAME_BYTES)
		return "expected a name of 1 to 200 bytes";
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "has a control character in it";
	return NULL;
}

static enum error_code read_alias(struct field_reader *reader, const char *name, const json_t *value, void *to)
{
	struct config_openai *openai = to;
	const char *target = json_text_value(value), *refusal = refuse_name(name);

	if (target == NULL)
		return field_fail_type(reader, "text: a provider and a mode or model of it, such as \"fal/flux\"", value);
	if (refusal == NULL)
		refusal = refuse_name(target);
	if (refusal != NULL)
		return field_fail(reader, "%s", refusal);
	openai->models[openai->model_count++] =
		(struct config_openai_model){ .name = memory_copy_text(name), .target = memory_copy_text(target) };
	return ERROR_NONE;
}

static enum error_code read_aliases(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct config_openai *openai = to;
	enum error_code code = ERROR_NONE;
	const char *name;
	json_t *target;
	size_t mark;

	(void)field;
	if (!json_is_object(value))
		return field_fail_type(reader, "an object: names, each with a model of this host", value);
	if (json_object_size(value) > LIMIT_OPENAI_NAMES)
		return field_fail(reader, "has more than %d names", LIMIT_OPENAI_NAMES);
	openai->models = memory_new_array(json_object_size(value) + 1, sizeof *openai->models);
	json_object_foreach((json_t *)(uintptr_t)value, name, target) {
		mark = field_enter(reader, name);
		code = read_alias(reader, name, target, openai);
		if (code != ERROR_NONE)
			return code;
		field_leave(reader, mark);
	}
	return code;
}

static enum error_code read_dry_run(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	const char *text = json_text_value(value);

	(void)field;
	if (text == NULL || (strcmp(text, "placeholder") != 0 && strcmp(text, "error") != 0))
		return field_fail(reader, "expected \"placeholder\" or \"error\"");
	((struct config_openai *)to)->dry_run_is_error = strcmp(text, "error") == 0;
	return ERROR_NONE;
}

const struct field config_openai_fields[] = {
	{ .key = "models", .read = read_aliases },
	{ .key = "dry_run", .read = read_dry_run },
	{ .key = "wait_seconds",
		.read = field_int,
		.offset = offsetof(struct config_openai, wait_seconds),
		.minimum = 1,
		.maximum = LIMIT_OPENAI_WAIT_SECONDS },
	{ .key = NULL },
};

const char *config_openai_model(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->openai.model_count; i++)
		if (strcmp(config->openai.models[i].name, name) == 0)
			return config->openai.models[i].target;
	return NULL;
}

void config_openai_free(struct config_openai *openai)
{
	for (size_t i = 0; i < openai->model_count; i++) {
		free(openai->models[i].name);
		free(openai->models[i].target);
	}
	free(openai->models);
}
