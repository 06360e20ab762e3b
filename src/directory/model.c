/* model.c - models, a shelf's working copy of them, and the snapshots that others read. Counted; what a snapshot has is never changed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "directory/internal.h"

struct directory_model *model_new(const char *id)
{
	struct directory_model *model = memory_new(sizeof *model);

	atomic_init(&model->holders, 1);
	model->id = memory_copy_text(id);
	model->kind = "other";
	model->status = "active";
	return model;
}

struct directory_model *model_hold(struct directory_model *model)
{
	atomic_fetch_add_explicit(&model->holders, 1, memory_order_relaxed);
	return model;
}

void model_release(struct directory_model *model)
{
	if (model == NULL || atomic_fetch_sub_explicit(&model->holders, 1, memory_order_acq_rel) != 1)
		return;
	char *texts[] = { model->id, model->brief, model->folded, model->text, model->price, model->etag, model->failure,
		model->price_failure };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	free(model);
}

static size_t bytes_of(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

size_t model_bytes(const struct directory_model *model)
{
	if (model->bytes != 0)
		return model->bytes;
	return sizeof *model + bytes_of(model->id) + bytes_of(model->brief) + bytes_of(model->folded) + bytes_of(model->text) +
	       bytes_of(model->price) + bytes_of(model->etag);
}

static struct directory_model *model_copy(const struct directory_model *model)
{
	struct directory_model *copy = model_new(model->id);
	char *id = copy->id;

	memcpy(copy, model, sizeof *copy);
	atomic_init(&copy->holders, 1);
	copy->id = id;
	copy->brief = memory_copy_text(model->brief);
	copy->folded = memory_copy_text(model->folded);
	copy->text = memory_copy_text(model->text);
	copy->price = memory_copy_text(model->price);
	copy->etag = memory_copy_text(model->etag);
	copy->failure = memory_copy_text(model->failure);
	copy->price_failure = memory_copy_text(model->price_failure);
	return copy;
}

void text_replace(char **place, char *text)
{
	if (*place != text)
		free(*place);
	*place = text;
}

void model_take_shape(struct directory_model *model, struct model_shape *shape, int64_t now_ms)
{
	text_replace(&model->brief, shape->brief);
	text_replace(&model->folded, shape->folded);
	model->kind = shape->kind;
	model->status = shape->status;
	if (shape->text != NULL) {
		text_replace(&model->text, shape->text);
		text_replace(&model->etag, shape->etag);
		shape->etag = NULL;
		model->has_inputs = shape->has_inputs;
		model->text_ms = model->text_checked_ms = now_ms;
		model->next_try_ms = model->missing_until_ms = 0;
		model->failures = 0;
		text_replace(&model->failure, memory_copy_text(shape->problem));
	}
	if (shape->price != NULL) {
		text_replace(&model->price, shape->price);
		model->price_ms = model->price_checked_ms = now_ms;
	}
	shape->brief = shape->folded = shape->text = shape->price = NULL;
	model_shape_free(shape);
}

/* ---- the working copy ---- */

static bool find_place(struct directory_model *const *models, size_t count, const char *id, size_t *place)
{
	size_t low = 0, high = count, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = strcmp(models[middle]->id, id);
		if (order == 0) {
			*place = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return false;
}

bool shelf_place(const struct shelf *shelf, const char *id, size_t *place)
{
	return find_place(shelf->models, shelf->count, id, place);
}

struct directory_model *shelf_find(const struct shelf *shelf, const char *id)
{
	size_t place;

	return shelf_place(shelf, id, &place) ? shelf->models[place] : NULL;
}

static void insert_model(struct shelf *shelf, size_t place, struct directory_model *model)
{
	if (shelf->count == shelf->room) {
		shelf->room = shelf->room > 0 ? 2 * shelf->room : 64;
		shelf->models = memory_resize(shelf->models, shelf->room * sizeof *shelf->models);
	}
	memmove(shelf->models + place + 1, shelf->models + place, (shelf->count - place) * sizeof *shelf->models);
	shelf->models[place] = model;
	shelf->count++;
}

struct directory_model *shelf_edit(struct shelf *shelf, const char *id)
{
	struct directory_model *model;
	size_t place;

	shelf->changed = true;
	if (!shelf_place(shelf, id, &place)) {
		if (shelf->count >= LIMIT_DIRECTORY_MODELS + LIMIT_DIRECTORY_UNKNOWN)
			return NULL;
		model = model_new(id);
		insert_model(shelf, place, model);
		return model;
	}
	model = shelf->models[place];
	if (atomic_load(&model->holders) == 1) { /* no snapshot has it */
		model->bytes = 0;
		return model;
	}
	shelf->models[place] = model_copy(model);
	shelf->models[place]->bytes = 0;
	model_release(model);
	return shelf->models[place];
}

void shelf_remove(struct shelf *shelf, size_t place)
{
	shelf->changed = true;
	model_release(shelf->models[place]);
	shelf->count--;
	memmove(shelf->models + place, shelf->models + place + 1, (shelf->count - place) * sizeof *shelf->models);
}

void shelf_empty(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		model_release(shelf->models[i]);
	free(shelf->models);
	shelf->models = NULL;
	shelf->count = shelf->room = 0;
	text_replace(&shelf->failure, NULL);
	text_replace(&shelf->etag, NULL);
	crawl_free(shelf->crawl);
	shelf->crawl = NULL;
	shelf->as_of_ms = shelf->checked_ms = shelf->next_try_ms = shelf->failing_since_ms = 0;
	shelf->failures = 0;
	shelf->complete = shelf->loaded = false;
}

/* ---- snapshots ---- */

static struct directory_snapshot *make_snapshot(const struct shelf *shelf)
{
	struct directory_snapshot *snapshot = memory_new(sizeof *snapshot);

	atomic_init(&snapshot->holders, 1);
	memcpy(snapshot->provider, shelf->id, sizeof snapshot->provider);
	snapshot->models = memory_new_array(shelf->count + 1, sizeof *snapshot->models);
	snapshot->count = shelf->count;
	for (size_t i = 0; i < shelf->count; i++) {
		snapshot->models[i] = model_hold(shelf->models[i]);
		snapshot->shown += shelf->models[i]->brief != NULL;
		snapshot->described += shelf->models[i]->text != NULL;
		shelf->models[i]->bytes = model_bytes(shelf->models[i]); /* one that was changed nobody else has yet */
		snapshot->bytes += shelf->models[i]->bytes;
	}
	snapshot->complete = shelf->complete;
	snapshot->as_of_ms = shelf->as_of_ms;
	snapshot->checked_ms = shelf->checked_ms;
	snapshot->failing_since_ms = shelf->failing_since_ms;
	snapshot->failure = memory_copy_text(shelf->failure);
	return snapshot;
}

void shelf_publish(struct shelf *shelf)
{
	struct directory *directory = shelf->directory;
	struct directory_snapshot *snapshot = shelf->loaded ? make_snapshot(shelf) : NULL, *before;

	shelf->changed = false;
	pthread_mutex_lock(&directory->lock);
	before = shelf->snapshot;
	shelf->snapshot = snapshot;
	pthread_cond_broadcast(&directory->news);
	pthread_mutex_unlock(&directory->lock);
	directory_release(before);
}

struct directory_snapshot *directory_acquire(struct directory *directory, const char *provider)
{
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot;

	if (shelf == NULL)
		return NULL;
	pthread_mutex_lock(&directory->lock);
	snapshot = shelf->snapshot;
	if (snapshot != NULL)
		atomic_fetch_add_explicit(&snapshot->holders, 1, memory_order_relaxed);
	pthread_mutex_unlock(&directory->lock);
	return snapshot;
}

void directory_release(struct directory_snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub_explicit(&snapshot->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < snapshot->count; i++)
		model_release(snapshot->models[i]);
	free(snapshot->models);
	free(snapshot->failure);
	free(snapshot);
}

const struct directory_model *snapshot_find(const struct directory_snapshot *snapshot, const char *id)
{
	size_t place;

	return snapshot != NULL && find_place(snapshot->models, snapshot->count, id, &place) ? snapshot->models[place] : NULL;
}

const struct directory_model *directory_find(const struct directory_snapshot *snapshot, const char *id)
{
	const struct directory_model *model = snapshot_find(snapshot, id);

	return model != NULL && model->brief != NULL ? model : NULL;
}
