/* setting_watch.c - a thread that reads what is new of the settings. While the registry is away nothing is, and what is known stays in force. */
#include "registry/setting_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"

struct setting_watch {
	struct task_store *store;
	void (*changed)(void *context, const char *name, const char *value, int64_t revision);
	void *context;
	int64_t revision; /* the newest that was told; the thread's */
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	bool told, stopping;
};

static void on_setting(void *context, const char *name, const char *value, int64_t revision)
{
	struct setting_watch *watch = context;

	watch->changed(watch->context, name, value, revision);
	watch->revision = revision;
}

/* Under the lock. */
static void watch_sleep(struct setting_watch *watch)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_SETTING_LOOK_MS / 1000;
	while (!watch->told && !watch->stopping && pthread_cond_timedwait(&watch->wake, &watch->lock, &until) == 0)
		;
	watch->told = false;
}

static void *watch_main(void *argument)
{
	struct setting_watch *watch = argument;
	struct error error;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stopping) {
		pthread_mutex_unlock(&watch->lock);
		task_store_settings(watch->store, watch->revision, on_setting, watch, &error);
		pthread_mutex_lock(&watch->lock);
		watch_sleep(watch);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

static void watch_free(struct setting_watch *watch)
{
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

enum error_code setting_watch_start(struct task_store *store,
	void (*changed)(void *context, const char *name, const char *value, int64_t revision), void *context,
	struct setting_watch **watch, struct error *error)
{
	struct setting_watch *new = memory_new(sizeof *new);
	enum error_code code;

	new->store = store;
	new->changed = changed;
	new->context = context;
	pthread_mutex_init(&new->lock, NULL);
	thread_init_condition(&new->wake);
	code = thread_start(&new->thread, "settings", 0, watch_main, new, error);
	if (code == ERROR_NONE)
		*watch = new;
	else
		watch_free(new);
	return code;
}

static void watch_tell(struct setting_watch *watch, bool stop)
{
	pthread_mutex_lock(&watch->lock);
	watch->told = true;
	watch->stopping |= stop;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
}

void setting_watch_look(struct setting_watch *watch)
{
	if (watch != NULL)
		watch_tell(watch, false);
}

void setting_watch_stop(struct setting_watch *watch)
{
	if (watch == NULL)
		return;
	watch_tell(watch, true);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
