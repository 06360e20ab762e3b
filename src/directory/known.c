/* known.c - what calls of scripts, HTTP threads and operators ask of the directory. Any thread; no disk, and no waiting but where it is said. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "directory/internal.h"

#define AWAIT_LOOK_NS 200000000LL /* between two looks whether the client is still there */

static bool is_old(int64_t at_ms, int64_t age_ms)
{
	return at_ms == 0 || clock_unix_ms() - at_ms >= age_ms;
}

/* ---- for scripts ---- */

static void put_time(json_t *object, const char *name, int64_t unix_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (unix_ms == 0)
		return;
	clock_format(unix_ms, text);
	json_object_set_new(object, name, json_string(text));
}

static json_t *price_tree(const struct directory_model *model)
{
	json_t *price = model->price != NULL && !is_old(model->price_ms, LIMIT_DIRECTORY_PRICE_AGE_MS)
				? json_read_stored(model->price)
				: NULL;

	if (price != NULL)
		put_time(price, "as_of", model->price_ms);
	return price;
}

static json_t *model_tree(const struct directory_model *model)
{
	json_t *tree = json_read_stored(model->text != NULL ? model->text : model->brief), *price;

	if (tree == NULL)
		return NULL;
	if (json_is_null(json_object_get(tree, "inputs"))) /* a script asks `if model.inputs` */
		json_object_del(tree, "inputs");
	put_time(tree, "as_of", model->text_ms);
	if (model->text_ms != 0)
		json_object_set_new(tree, "age_seconds", json_integer((clock_unix_ms() - model->text_ms) / 1000));
	price = price_tree(model);
	if (price != NULL)
		json_object_set_new(tree, "price", price);
	return tree;
}

/* Asks behind for what is missing or old. True: nobody has looked for it yet. */
static bool want_model(struct shelf *shelf, const struct directory_model *model, const char *id, bool live)
{
	int64_t now = clock_unix_ms(), age = atomic_load(&shelf->age_ms[PART_MODEL]);

	if (!atomic_load(&shelf->has[PART_MODEL]))
		return false;
	if (model != NULL && (model->missing_until_ms > now || model->next_try_ms > now))
		return false;
	if (live && age > LIMIT_DIRECTORY_LIVE_AGE_MS)
		age = LIMIT_DIRECTORY_LIVE_AGE_MS;
	if (model != NULL && !is_old(model->text_ms, age))
		return false;
	directory_ask(shelf, PART_MODEL, id, age, false);
	return model == NULL || model->text == NULL;
}

static void want_price(struct shelf *shelf, const struct directory_model *model)
{
	if (!atomic_load(&shelf->has[PART_PRICE]) || model->price_next_try_ms > clock_unix_ms() ||
		!is_old(model->price_ms, atomic_load(&shelf->age_ms[PART_PRICE])))
		return;
	directory_ask(shelf, PART_PRICE, model->id, atomic_load(&shelf->age_ms[PART_PRICE]), false);
}

static json_t *source_model(void *context, const char *provider, const char *id, bool live, bool *unseen)
{
	struct directory *directory = context;
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot;
	const struct directory_model *model;
	json_t *tree = NULL;

	*unseen = false;
	if (shelf == NULL || !model_shape_is_id(id))
		return NULL;
	snapshot = directory_acquire(directory, provider);
	model = snapshot_find(snapshot, id);
	*unseen = want_model(shelf, model, id, live);
	if (model != NULL && model->brief != NULL)
		tree = model_tree(model);
	directory_release(snapshot);
	return tree;
}

static json_t *source_price(void *context, const char *provider, const char *id)
{
	struct directory *directory = context;
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot;
	const struct directory_model *model;
	json_t *price = NULL;

	if (shelf == NULL)
		return NULL;
	snapshot = directory_acquire(directory, provider);
	model = snapshot_find(snapshot, id);
	if (model != NULL && model->brief != NULL) {
		want_price(shelf, model);
		price = price_tree(model);
	}
	directory_release(snapshot);
	return price;
}

static void source_doubt(void *context, const char *provider, const char *id)
{
	struct shelf *shelf = directory_shelf(context, provider);

	if (shelf != NULL && model_shape_is_id(id) && atomic_load(&shelf->has[PART_MODEL]))
		directory_ask(shelf, PART_MODEL, id, 0, false);
}

void model_source_open(struct directory *directory)
{
	directory->source = (struct model_source){
		.context = directory, .model = source_model, .price = source_price, .doubt = source_doubt
	};
}

const struct model_source *directory_source(struct directory *directory)
{
	return &directory->source;
}

/* ---- for clients ---- */

static const char *state_name(const struct shelf *shelf, const struct directory_snapshot *snapshot)
{
	if (shelf == NULL)
		return "off";
	if (snapshot != NULL && snapshot->failure != NULL)
		return "failing";
	if (snapshot == NULL || (snapshot->as_of_ms == 0 && snapshot->shown == 0))
		return "empty";
	return is_old(snapshot->as_of_ms, atomic_load(&shelf->age_ms[PART_LIST])) ? "old" : "fresh";
}

const char *directory_state(struct directory *directory, const char *provider)
{
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot = shelf != NULL ? directory_acquire(directory, provider) : NULL;
	const char *name = state_name(shelf, snapshot);

	directory_release(snapshot);
	return name;
}

void directory_write_state(struct directory *directory, const char *provider, struct buffer *out)
{
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot = shelf != NULL ? directory_acquire(directory, provider) : NULL;
	int64_t now = clock_unix_ms();

	buffer_char(out, '{');
	json_member_text(out, "state", state_name(shelf, snapshot));
	json_member_time(out, "as_of", snapshot != NULL ? snapshot->as_of_ms : 0);
	if (snapshot != NULL && snapshot->as_of_ms != 0)
		json_member_integer(out, "age_seconds", (now > snapshot->as_of_ms ? now - snapshot->as_of_ms : 0) / 1000);
	else
		buffer_text(out, "\"age_seconds\":null,");
	json_member_text(out, "failure", snapshot != NULL ? snapshot->failure : NULL);
	buffer_text(
		out, snapshot != NULL && snapshot->complete ? "\"complete\":true,\"models\":" : "\"complete\":false,\"models\":");
	buffer_unsigned(out, snapshot != NULL ? snapshot->shown : 0);
	buffer_char(out, '}');
	directory_release(snapshot);
}

static enum error_code refresh_model(struct shelf *shelf, const char *model, struct error *error)
{
	if (!model_shape_is_id(model))
		return error_set(error, ERROR_INVALID, "model", "no model can have this id");
	if (!atomic_load(&shelf->has[PART_MODEL]) && !atomic_load(&shelf->has[PART_PRICE]))
		return error_set(error, ERROR_CONFLICT, "model",
			"this provider's script describes no single models: leave `model` out to read its list anew");
	if ((atomic_load(&shelf->has[PART_MODEL]) && !directory_ask(shelf, PART_MODEL, model, 0, false)) ||
		(atomic_load(&shelf->has[PART_PRICE]) && !directory_ask(shelf, PART_PRICE, model, 0, false)))
		return error_set(error, ERROR_BUSY, "", "too many models of this provider wait to be read");
	return ERROR_NONE;
}

enum error_code directory_refresh(struct directory *directory, const char *provider, const char *model, struct error *error)
{
	struct shelf *shelf = directory_shelf(directory, provider);

	if (shelf == NULL)
		return error_set(error, ERROR_CONFLICT, "",
			"the directory is off for this provider, or its script reads none: directory.enabled and "
			"directory.providers.%.31s.enabled switch it on",
			provider);
	if (model != NULL)
		return refresh_model(shelf, model, error);
	if (!atomic_load(&shelf->has[PART_LIST]))
		return error_set(error, ERROR_CONFLICT, "", "this provider's script has no list of models to be read");
	directory_ask(shelf, PART_LIST, NULL, 0, false);
	return ERROR_NONE;
}

void directory_ask_search(struct directory *directory, const char *provider, const char *text)
{
	struct shelf *shelf = directory_shelf(directory, provider);
	struct directory_snapshot *snapshot;
	bool complete;

	if (shelf == NULL || !atomic_load(&shelf->has[PART_SEARCH]) || !model_shape_is_id(text))
		return;
	snapshot = directory_acquire(directory, provider);
	complete = snapshot != NULL && snapshot->complete;
	directory_release(snapshot);
	if (!complete) /* else all that the vendor has is here */
		directory_ask(shelf, PART_SEARCH, text, 1, false);
}

/* Was it asked for since, whatever came of it? Under the lock. */
static bool was_answered(const struct shelf *shelf, const char *id, int64_t since_ms)
{
	const struct directory_model *model = snapshot_find(shelf->snapshot, id);

	return model != NULL && (model->text != NULL || model->text_checked_ms >= since_ms);
}

/* Waits for news until then. True: it was answered. */
static bool await_model_news(struct shelf *shelf, const char *id, int64_t since_ms, int64_t until_ns)
{
	struct directory *directory = shelf->directory;
	const struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };
	bool answered;

	pthread_mutex_lock(&directory->lock);
	answered = was_answered(shelf, id, since_ms);
	if (!answered) {
		pthread_cond_timedwait(&directory->news, &directory->lock, &until);
		answered = was_answered(shelf, id, since_ms);
	}
	pthread_mutex_unlock(&directory->lock);
	return answered;
}

bool directory_await_model(struct directory *directory, const char *provider, const char *id, int timeout_ms,
	bool (*over)(void *context), void *context)
{
	struct shelf *shelf = directory_shelf(directory, provider);
	int64_t since = clock_unix_ms(), now = clock_monotonic_ns(), deadline = now + timeout_ms * 1000000LL, look;

	if (shelf == NULL || !model_shape_is_id(id) ||
		atomic_load(&shelf->free_ns) >= deadline) /* the pace lets nothing leave in time */
		return false;
	if (!directory_ask(shelf, PART_MODEL, id, atomic_load(&shelf->age_ms[PART_MODEL]), true))
		return false;
	for (; now < deadline; now = clock_monotonic_ns()) {
		look = now + AWAIT_LOOK_NS < deadline ? now + AWAIT_LOOK_NS : deadline;
		if (await_model_news(shelf, id, since, look))
			return true;
		if (atomic_load(&directory->stopping) || !atomic_load(&shelf->on) || (over != NULL && over(context)))
			return false;
	}
	return false;
}

/* ---- figures ---- */

static void fill_figures(struct directory *directory, struct shelf *shelf, struct directory_figures *figures)
{
	struct directory_snapshot *snapshot = directory_acquire(directory, shelf->id);

	*figures = (struct directory_figures){ .on = atomic_load(&shelf->on),
		.requests = atomic_load(&shelf->requests),
		.failures = atomic_load(&shelf->failures_total) };
	memcpy(figures->provider, shelf->id, sizeof figures->provider);
	if (snapshot != NULL) {
		figures->models = snapshot->shown;
		figures->described = snapshot->described;
		figures->bytes = snapshot->bytes;
		figures->as_of_ms = snapshot->as_of_ms;
		figures->failing_since_ms = snapshot->failing_since_ms;
	}
	directory_release(snapshot);
}

size_t directory_figures(struct directory *directory, struct directory_figures *figures, size_t room)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);

	for (size_t i = 0; i < count && i < room; i++)
		fill_figures(directory, directory->shelves[i], &figures[i]);
	return count < room ? count : room;
}

bool directory_problem(struct directory *directory, size_t index, char *text, size_t size)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);
	struct directory_snapshot *snapshot;
	int64_t now = clock_unix_ms();
	bool found = false;

	for (size_t i = 0; i < count && !found; i++) {
		snapshot = directory_acquire(directory, directory->shelves[i]->id);
		if (snapshot != NULL && snapshot->failing_since_ms != 0 &&
			now - snapshot->failing_since_ms >= LIMIT_DIRECTORY_FAILING_MS && index-- == 0) {
			snprintf(text, size, "the directory of %s could not be read for %lld days: %.200s", snapshot->provider,
				(long long)((now - snapshot->failing_since_ms) / 86400000),
				snapshot->failure != NULL ? snapshot->failure : "");
			found = true;
		}
		directory_release(snapshot);
	}
	return found;
}
