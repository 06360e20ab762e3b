/* keep.c - a shelf's rows in the file, and what they mean. The directory's thread only. What is read back is checked as a script's answer is: the file is
 * on a disk that others can write to. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "directory/internal.h"

static void write_item(const struct directory_model *model, struct buffer *out)
{
	buffer_text(out, "{\"brief\":");
	buffer_text(out, model->brief);
	buffer_format(out, ",\"misses\":%d,\"gone_ms\":%lld}", model->misses, (long long)model->gone_ms);
}

void shelf_keep_list(struct shelf *shelf)
{
	struct directory_row row = { .provider = shelf->id,
		.part = PART_LIST,
		.key = "",
		.as_of_ms = shelf->as_of_ms,
		.checked_ms = shelf->checked_ms,
		.next_try_ms = shelf->next_try_ms,
		.etag = shelf->etag,
		.failure = shelf->failure };
	struct buffer out;
	bool first = true;

	buffer_init(&out, LIMIT_DIRECTORY_BYTES);
	buffer_format(&out, "{\"complete\":%s,\"failing_since_ms\":%lld,\"models\":[", shelf->complete ? "true" : "false",
		(long long)shelf->failing_since_ms);
	for (size_t i = 0; i < shelf->count; i++) {
		if (!shelf->models[i]->listed)
			continue;
		if (!first)
			buffer_char(&out, ',');
		write_item(shelf->models[i], &out);
		first = false;
	}
	buffer_text(&out, "]}");
	row.body = out.failed ? NULL : out.data;
	if (row.body != NULL)
		directory_file_put(shelf->directory->file, shelf->directory->gate, &row);
	buffer_free(&out);
}

void shelf_keep_model(struct shelf *shelf, const struct directory_model *model)
{
	if (model->text == NULL) { /* what is not known need not outlive the process */
		directory_file_remove(shelf->directory->file, shelf->id, PART_MODEL, model->id);
		return;
	}
	directory_file_put(shelf->directory->file, shelf->directory->gate,
		&(struct directory_row){ .provider = shelf->id,
			.part = PART_MODEL,
			.key = model->id,
			.body = model->text,
			.as_of_ms = model->text_ms,
			.checked_ms = model->text_checked_ms,
			.next_try_ms = model->next_try_ms,
			.etag = model->etag,
			.failure = model->failure });
}

void shelf_keep_price(struct shelf *shelf, const struct directory_model *model)
{
	directory_file_put(shelf->directory->file, shelf->directory->gate,
		&(struct directory_row){ .provider = shelf->id,
			.part = PART_PRICE,
			.key = model->id,
			.body = model->price,
			.as_of_ms = model->price_ms,
			.checked_ms = model->price_checked_ms,
			.next_try_ms = model->price_next_try_ms,
			.failure = model->price_failure });
}

/* ---- reading ---- */

static int64_t integer_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void load_item(struct shelf *shelf, const json_t *item)
{
	struct model_shape shape;
	struct directory_model *model;

	if (model_shape_read(json_object_get(item, "brief"), NULL, false, &shape, NULL) != ERROR_NONE)
		return;
	model = shelf_edit(shelf, shape.id);
	if (model == NULL) {
		model_shape_free(&shape);
		return;
	}
	model_take_shape(model, &shape, 0);
	model->listed = true;
	model->misses = (int)integer_of(item, "misses");
	model->gone_ms = integer_of(item, "gone_ms");
}

static void load_list(void *context, const struct directory_row *row)
{
	struct shelf *shelf = context;
	json_t *body = json_read_stored(row->body), *item;
	size_t i;

	if (body == NULL)
		return;
	json_array_foreach(json_object_get(body, "models"), i, item)
		load_item(shelf, item);
	shelf->complete = json_is_true(json_object_get(body, "complete"));
	shelf->failing_since_ms = integer_of(body, "failing_since_ms");
	shelf->as_of_ms = row->as_of_ms;
	shelf->checked_ms = row->checked_ms;
	shelf->next_try_ms = row->next_try_ms;
	text_replace(&shelf->etag, memory_copy_text(row->etag));
	text_replace(&shelf->failure, memory_copy_text(row->failure));
	json_decref(body);
}

/* One that is in the list keeps what the list says of it. */
static void load_model(void *context, const struct directory_row *row)
{
	struct shelf *shelf = context;
	json_t *body = json_read_stored(row->body);
	struct directory_model *model = NULL;
	struct model_shape shape;

	if (body != NULL && model_shape_read(body, row->key, true, &shape, NULL) == ERROR_NONE) {
		model = shelf_edit(shelf, row->key);
		if (model == NULL)
			model_shape_free(&shape);
	}
	json_decref(body);
	if (model == NULL)
		return;
	if (model->listed) {
		text_replace(&model->text, shape.text);
		model->has_inputs = shape.has_inputs;
		shape.text = NULL;
		model_shape_free(&shape);
	} else {
		model_take_shape(model, &shape, 0);
	}
	text_replace(&model->etag, memory_copy_text(row->etag));
	text_replace(&model->failure, memory_copy_text(row->failure));
	model->text_ms = row->as_of_ms;
	model->text_checked_ms = row->checked_ms;
	model->next_try_ms = row->next_try_ms;
}

static void load_price(void *context, const struct directory_row *row)
{
	struct directory_model *model = shelf_find(context, row->key);
	json_t *body = json_read_stored(row->body);

	if (model != NULL) {
		model = shelf_edit(context, row->key);
		text_replace(&model->price, body != NULL ? model_shape_price(body) : NULL);
		text_replace(&model->price_failure, memory_copy_text(row->failure));
		model->price_ms = row->as_of_ms;
		model->price_checked_ms = row->checked_ms;
		model->price_next_try_ms = row->next_try_ms;
	}
	json_decref(body);
}

void shelf_load(struct shelf *shelf)
{
	struct directory_file *file = shelf->directory->file;

	shelf->loaded = shelf->changed = true;
	directory_file_each(file, shelf->id, PART_LIST, load_list, shelf);
	directory_file_each(file, shelf->id, PART_MODEL, load_model, shelf);
	directory_file_each(file, shelf->id, PART_PRICE, load_price, shelf);
}
