/* directory.c - the directory's life: its shelves, its switches, its thread.
 *
 * The thread is there only while a provider is switched on. It takes what came back, keeps it, publishes it, and begins what is due; it never runs Lua and
 * never waits for the network. */
#include "directory/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "base/thread.h"

#define REFRESH_HOURS 24 /* directory.refresh_hours as shipped: the scripts' own ages */

/* ---- shelves ---- */

static struct shelf *shelf_named(struct directory *directory, const char *provider)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (strcmp(directory->shelves[i]->id, provider) == 0)
			return directory->shelves[i];
	return NULL;
}

struct shelf *directory_shelf(struct directory *directory, const char *provider)
{
	struct shelf *shelf = shelf_named(directory, provider);

	return shelf != NULL && atomic_load(&shelf->on) ? shelf : NULL;
}

bool directory_is_on(struct directory *directory, const char *provider)
{
	return directory_shelf(directory, provider) != NULL;
}

/* Loader thread. NULL: there is no room for more. */
static struct shelf *make_shelf(struct directory *directory, const char *provider)
{
	size_t count = atomic_load(&directory->shelf_count);
	struct shelf *shelf;

	if (count == LIMIT_PROVIDERS || strlen(provider) >= sizeof shelf->id)
		return NULL;
	shelf = memory_new(sizeof *shelf);
	memcpy(shelf->id, provider, strlen(provider) + 1);
	shelf->directory = directory;
	directory->shelves[count] = shelf;
	atomic_store_explicit(&directory->shelf_count, count + 1, memory_order_release);
	return shelf;
}

/* ---- switches; loader thread ---- */

static void set_up(struct shelf *shelf, const struct manifest *manifest, const struct config *config)
{
	const struct manifest_directory *own = &manifest->directory;
	int64_t hours = config->directory.refresh_hours;

	atomic_store(&shelf->has[PART_LIST], manifest->has[FUNCTION_MODELS]);
	atomic_store(&shelf->has[PART_SEARCH], manifest->has[FUNCTION_MODELS]);
	atomic_store(&shelf->has[PART_MODEL], manifest->has[FUNCTION_DESCRIBE]);
	atomic_store(&shelf->has[PART_PRICE], manifest->has[FUNCTION_PRICES]);
	atomic_store(&shelf->age_ms[PART_LIST], 1000LL * own->list_seconds * hours / REFRESH_HOURS);
	atomic_store(&shelf->age_ms[PART_MODEL], 1000LL * own->describe_seconds * hours / REFRESH_HOURS);
	atomic_store(&shelf->age_ms[PART_PRICE], 1000LL * own->price_seconds);
	atomic_store(&shelf->pace_ms, own->pace_ms / test_setting(TEST_HURRY, 1));
	atomic_store(&shelf->on, true);
}

static bool is_in(const struct provider_set *set, const struct config *config, const char *id)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct provider *provider = set->entries[i].provider;

		if (provider != NULL && provider->manifest.directory.declared && strcmp(provider->manifest.id, id) == 0)
			return config_asks_directory(config, id);
	}
	return false;
}

/* Returns whether any is on. */
static bool turn_switches(struct directory *directory, const struct provider_set *set, const struct config *config)
{
	struct shelf *shelf;
	bool any = false;

	for (size_t i = 0; i < directory->shelf_count; i++)
		if (!is_in(set, config, directory->shelves[i]->id))
			atomic_store(&directory->shelves[i]->on, false);
	for (size_t i = 0; i < set->count; i++) {
		const struct provider *provider = set->entries[i].provider;

		if (provider == NULL || !is_in(set, config, provider->manifest.id))
			continue;
		shelf = shelf_named(directory, provider->manifest.id);
		if (shelf == NULL)
			shelf = make_shelf(directory, provider->manifest.id);
		if (shelf == NULL)
			continue;
		set_up(shelf, &provider->manifest, config);
		any = true;
	}
	return any;
}

/* ---- the thread ---- */

static struct directory_call *take_finished(struct directory *directory)
{
	struct directory_call *finished;

	pthread_mutex_lock(&directory->lock);
	finished = directory->finished;
	directory->finished = NULL;
	directory->woken = false;
	pthread_mutex_unlock(&directory->lock);
	return finished;
}

/* What was switched on is read from the file, what was switched off leaves memory. */
static void follow_switches(struct directory *directory)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++) {
		struct shelf *shelf = directory->shelves[i];
		bool on = atomic_load(&shelf->on);

		if (on && !shelf->loaded)
			shelf_load(shelf);
		if (!on && shelf->loaded) {
			shelf_empty(shelf);
			shelf->changed = true;
		}
	}
}

static void publish_changed(struct directory *directory)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (directory->shelves[i]->changed)
			shelf_publish(directory->shelves[i]);
}

/* True: the thread is not needed any more, and says so. */
static bool may_end(struct directory *directory)
{
	size_t count = atomic_load_explicit(&directory->shelf_count, memory_order_acquire);
	bool needed = false;

	pthread_mutex_lock(&directory->lock);
	for (size_t i = 0; i < count; i++)
		needed |= atomic_load(&directory->shelves[i]->on) || directory->shelves[i]->loaded;
	needed |= directory->calls > 0 || directory->finished != NULL;
	if (!needed || atomic_load(&directory->stopping))
		directory->thread_ended = true;
	pthread_mutex_unlock(&directory->lock);
	return directory->thread_ended;
}

static void await_work(struct directory *directory, int64_t due_ns)
{
	struct timespec until = { .tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000 };
	bool over = false;

	pthread_mutex_lock(&directory->lock);
	while (!over && directory->finished == NULL && !directory->woken && !atomic_load(&directory->stopping)) {
		if (due_ns == INT64_MAX)
			pthread_cond_wait(&directory->work, &directory->lock);
		else
			over = pthread_cond_timedwait(&directory->work, &directory->lock, &until) != 0;
	}
	pthread_mutex_unlock(&directory->lock);
}

static void take_all(struct directory *directory)
{
	struct directory_call *call = take_finished(directory), *next;

	if (call == NULL)
		return;
	directory_file_begin(directory->file);
	for (; call != NULL; call = next) {
		next = call->next;
		take_call(call);
	}
	directory_file_commit(directory->file);
}

static void *directory_main(void *argument)
{
	struct directory *directory = argument;

	directory->file = directory_file_open(directory->path);
	while (!may_end(directory)) {
		follow_switches(directory);
		take_all(directory);
		publish_changed(directory);
		await_work(directory, schedule_run(directory));
	}
	directory_file_close(directory->file);
	directory->file = NULL;
	return NULL;
}

/* ---- start, reload, stop ---- */

static void wake(struct directory *directory)
{
	pthread_mutex_lock(&directory->lock);
	directory->woken = true;
	pthread_cond_signal(&directory->work);
	pthread_cond_broadcast(&directory->news);
	pthread_mutex_unlock(&directory->lock);
}

/* Loader thread. */
static void start_thread(struct directory *directory)
{
	struct error error;
	bool ended;

	pthread_mutex_lock(&directory->lock);
	ended = directory->thread_ended;
	pthread_mutex_unlock(&directory->lock);
	if (directory->thread_there && !ended)
		return;
	if (directory->thread_there)
		pthread_join(directory->thread, NULL);
	directory->thread_there = directory->thread_ended = false;
	if (thread_start(&directory->thread, "directory", 0, directory_main, directory, &error) == ERROR_NONE)
		directory->thread_there = true;
	else
		log_message(LOG_ERROR, "directory.failed", "%s", error.message);
}

void directory_reload(struct directory *directory)
{
	const struct gate_view *view = gate_acquire(directory->gate);
	struct provider_set *set = provider_loader_acquire(directory->loader);
	bool any = turn_switches(directory, set, view->config);

	provider_set_release(set);
	gate_release(directory->gate, view);
	if (any && !atomic_load(&directory->stopping))
		start_thread(directory);
	wake(directory);
}

enum error_code directory_open(const struct directory_options *options, struct directory **directory, struct error *error)
{
	struct directory *made = memory_new(sizeof *made);

	(void)error;
	made->engine = options->engine;
	made->gate = options->gate;
	made->loader = options->loader;
	made->store = options->store;
	made->path = file_join(options->data, "directory.db");
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->work);
	thread_init_condition(&made->news);
	model_source_open(made);
	*directory = made;
	directory_reload(made);
	return ERROR_NONE;
}

void directory_leave(struct directory *directory)
{
	if (directory == NULL)
		return;
	atomic_store(&directory->stopping, true);
	wake(directory);
}

static void free_shelf(struct shelf *shelf)
{
	struct ask *next;

	for (struct ask *ask = shelf->asks; ask != NULL; ask = next) {
		next = ask->next;
		ask_free(ask);
	}
	shelf_empty(shelf);
	directory_release(shelf->snapshot);
	free(shelf);
}

void directory_close(struct directory *directory)
{
	struct directory_call *call, *next;

	if (directory == NULL)
		return;
	directory_leave(directory);
	if (directory->thread_there)
		pthread_join(directory->thread, NULL);
	for (call = directory->finished; call != NULL; call = next) {
		next = call->next;
		directory_call_free(call);
	}
	for (size_t i = 0; i < directory->shelf_count; i++)
		free_shelf(directory->shelves[i]);
	pthread_cond_destroy(&directory->work);
	pthread_cond_destroy(&directory->news);
	pthread_mutex_destroy(&directory->lock);
	free(directory->path);
	free(directory);
}
