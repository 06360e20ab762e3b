/* trim.c - keeps a shelf within its limits. The directory's thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "directory/internal.h"

static void forget_text(struct shelf *shelf, const char *id)
{
	struct directory_model *model = shelf_edit(shelf, id);

	text_replace(&model->text, NULL);
	text_replace(&model->etag, NULL);
	model->has_inputs = false;
	model->text_ms = 0;
	shelf_keep_model(shelf, model);
}

/* Described, and asked for the longest ago; NULL: there is none. */
static const struct directory_model *oldest_text(const struct shelf *shelf)
{
	const struct directory_model *oldest = NULL;

	for (size_t i = 0; i < shelf->count; i++)
		if (shelf->models[i]->text != NULL && (oldest == NULL || shelf->models[i]->text_ms < oldest->text_ms))
			oldest = shelf->models[i];
	return oldest;
}

static void trim_bytes(struct shelf *shelf)
{
	const struct directory_model *oldest;
	size_t bytes = 0;

	for (size_t i = 0; i < shelf->count; i++)
		bytes += model_bytes(shelf->models[i]);
	while (bytes > LIMIT_DIRECTORY_BYTES && (oldest = oldest_text(shelf)) != NULL) {
		bytes -= strlen(oldest->text);
		forget_text(shelf, oldest->id);
	}
}

/* Nobody lists it, and nothing is known of it: it only stands for an answer that is not to be asked for again yet. */
static bool is_unknown_model(const struct directory_model *model)
{
	return !model->listed && model->text == NULL;
}

static bool is_over(const struct directory_model *model, int64_t now_ms)
{
	if (is_unknown_model(model))
		return model->missing_until_ms <= now_ms && model->next_try_ms <= now_ms &&
		       now_ms - model->text_checked_ms > LIMIT_DIRECTORY_MISSING_MS;
	if (model->gone_ms != 0 && now_ms - model->gone_ms > LIMIT_DIRECTORY_GONE_MS)
		return true;
	return !model->listed && now_ms - model->text_checked_ms > LIMIT_DIRECTORY_GONE_MS;
}

static void trim_unknown(struct shelf *shelf)
{
	int64_t now = clock_unix_ms();
	size_t unknown = 0;

	for (size_t i = shelf->count; i-- > 0;) {
		const struct directory_model *model = shelf->models[i];

		if (is_unknown_model(model))
			unknown++;
		if (!is_over(model, now) && !(is_unknown_model(model) && unknown > LIMIT_DIRECTORY_UNKNOWN))
			continue;
		directory_file_remove(shelf->directory->file, shelf->id, PART_MODEL, model->id);
		directory_file_remove(shelf->directory->file, shelf->id, PART_PRICE, model->id);
		shelf_remove(shelf, i);
	}
}

void shelf_trim(struct shelf *shelf)
{
	trim_unknown(shelf);
	trim_bytes(shelf);
}
