/* model.c - whatever a script says of a model: what is kept of it is bounded, is JSON without control characters, and reads back as the same. */
#include "fuzz.h"

#include "base/json.h"
#include "base/limits.h"
#include "directory/model_inputs.h"
#include "directory/model_shape.h"
#include "directory/model_text.h"
#include "script/model_source.h"

/* No text of it could surprise who prints it. */
static void check_texts(const json_t *value)
{
	const char *name;
	json_t *item;
	uint64_t wide;
	size_t i;

	if (json_is_string(value) && !json_wide(value, &wide) && json_string_length(value) > 0)
		FUZZ_CHECK(!model_text_is_odd(json_string_value(value)));
	json_array_foreach(value, i, item)
		check_texts(item);
	json_object_foreach((json_t *)(uintptr_t)value, name, item) {
		FUZZ_CHECK(!model_text_is_odd(name));
		check_texts(item);
	}
}

static json_t *check_object(const char *text, size_t most)
{
	struct error error;
	json_t *value;

	FUZZ_CHECK(strlen(text) <= most);
	value = json_read(text, strlen(text), &error);
	FUZZ_CHECK(json_is_object(value));
	check_texts(value);
	return value;
}

/* As it is read from the file at the next start. */
static void check_again(const struct model_shape *shape, const json_t *kept)
{
	struct model_shape again;
	struct error error;

	FUZZ_CHECK(model_shape_read(kept, shape->id, true, &again, &error) == ERROR_NONE);
	FUZZ_CHECK(strcmp(again.text, shape->text) == 0 && strcmp(again.brief, shape->brief) == 0);
	FUZZ_CHECK(strcmp(again.folded, shape->folded) == 0);
	FUZZ_CHECK(again.kind == shape->kind && again.status == shape->status);
	model_shape_free(&again);
}

static void check_shape(struct model_shape *shape)
{
	json_t *kept;

	FUZZ_CHECK(model_shape_is_id(shape->id));
	json_decref(check_object(shape->brief, LIMIT_DIRECTORY_MODEL_BYTES));
	if (shape->price != NULL)
		json_decref(check_object(shape->price, LIMIT_DIRECTORY_EXAMPLE_BYTES));
	if (shape->text == NULL)
		return;
	kept = check_object(shape->text, LIMIT_DIRECTORY_MODEL_BYTES);
	check_again(shape, kept);
	json_decref(model_inputs_narrowed(json_object_get(kept, "inputs"), json_object_get(kept, "inputs")));
	model_shape_fill(shape, "{\"id\":\"x\",\"status\":\"gone\"}");
	json_decref(check_object(shape->text, LIMIT_DIRECTORY_MODEL_BYTES + LIMIT_DIRECTORY_NAME_BYTES));
	json_decref(kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct error error;
	json_t *value = json_read(text, size, &error);
	struct model_shape shape;

	for (int whole = 0; value != NULL && whole <= 1; whole++) {
		if (model_shape_read(value, whole ? "a/model" : NULL, whole, &shape, &error) != ERROR_NONE)
			continue;
		check_shape(&shape);
		model_shape_free(&shape);
	}
	json_decref(value);
	free(text);
	return 0;
}
