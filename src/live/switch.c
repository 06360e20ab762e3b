/* switch.c - may anything be sent that costs? The switch that stops everything, and what configuration, flags and scripts say. Any thread, but for
 * what a note or a timer runs. */
#include "live/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "registry/setting.h"

#define STOP_FILE "live.stopped"

bool live_is_stopped(struct live *live)
{
	return atomic_load_explicit(&live->stopped, memory_order_relaxed);
}

/* The file of earlier versions, whose presence said it; the registry does now. */
static void switch_leave_file(const char *path, bool stopped)
{
	struct error error;

	if (!stopped)
		log_message(LOG_WARN, "live.stopped",
			"%s is not read: live execution is started in the registry; remove the file", path);
	else if (file_remove_durably(path, &error) != ERROR_NONE)
		log_message(
			LOG_WARN, "live.stopped", "%s is not needed any more, and cannot be removed: %s", path, error.message);
}

enum error_code switch_open(struct live *live, const char *data, struct error *error)
{
	char *path = file_join(data, STOP_FILE), *value = NULL;
	bool there = access(path, F_OK) == 0 || errno != ENOENT; /* one that cannot be seen may be there */
	enum error_code code = setting_once(live->store, SETTING_STOPPED, there ? "true" : "false", &value, error);
	bool stopped = code == ERROR_NONE && strcmp(value, "false") != 0;

	atomic_init(&live->stopped, stopped);
	if (code == ERROR_NONE && there)
		switch_leave_file(path, stopped);
	free(value);
	free(path);
	return code;
}

/* What it is now in the registry is followed only if it is newer than this host's last. */
static void switch_note_own(struct live *live)
{
	struct error error;
	char *value = NULL;

	task_store_setting(live->store, SETTING_STOPPED, &value, &live->switch_revision, &error);
	free(value);
}

/* In the order in which they were taken in: registry, memory and event say the same. The lock is held while the registry is written, and nobody but
 * those who turn the switch ever takes it. */
enum error_code live_switch(struct live *live, bool stopped, struct error *error)
{
	const struct setting setting = { .name = SETTING_STOPPED,
		.value = stopped ? "true" : "false",
		.event = stopped ? "host.live.stopped" : "host.live.started" };
	struct error why;
	enum error_code code;

	pthread_mutex_lock(&live->switch_lock);
	if (stopped) /* at once, also when it will not last */
		atomic_store(&live->stopped, true);
	code = task_store_set(live->store, &setting, &why);
	if (code == ERROR_NONE) {
		atomic_store(&live->stopped, stopped);
		switch_note_own(live);
		log_message(LOG_WARN, stopped ? "live.stopped" : "live.started", "by request");
	} else {
		error_set(error, code, "registry", "%s: %.300s",
			stopped ? "live execution is stopped on this host, but only until the host is started again"
				: "live execution is not started",
			why.message);
	}
	pthread_mutex_unlock(&live->switch_lock);
	live_wake(live);
	return code;
}

void live_follow_switch(struct live *live, bool stopped, int64_t revision)
{
	bool changed = false;

	pthread_mutex_lock(&live->switch_lock);
	if (revision > live->switch_revision) {
		live->switch_revision = revision;
		changed = atomic_exchange(&live->stopped, stopped) != stopped;
	}
	pthread_mutex_unlock(&live->switch_lock);
	if (!changed)
		return;
	log_message(LOG_WARN, stopped ? "live.stopped" : "live.started", "at another host of this registry");
	live_wake(live);
}

bool live_look_at_switch(struct live *live)
{
	int64_t revision;
	struct error error;
	char *value = NULL;

	if (task_store_is_shared(live->store) &&
		task_store_setting(live->store, SETTING_STOPPED, &value, &revision, &error) == ERROR_NONE)
		live_follow_switch(live, strcmp(value, "false") != 0, revision);
	free(value);
	return live_is_stopped(live);
}

/* Engine thread. */
static void on_live_wake(struct engine_note *note)
{
	struct live *live = (struct live *)(void *)((char *)note - offsetof(struct live, wake_note));

	atomic_store(&live->wake_posted, false);
	provider_queues_send(live);
}

void live_wake(struct live *live)
{
	if (atomic_exchange(&live->wake_posted, true))
		return;
	live->wake_note.run = on_live_wake;
	if (engine_run(live->engine, &live->wake_note) != ERROR_NONE)
		atomic_store(&live->wake_posted, false);
}

void switch_gate_due(struct timer *timer)
{
	provider_queues_send((struct live *)(void *)((char *)timer - offsetof(struct live, gate_timer)));
}

/* ---- may it be sent? ---- */

const char *switch_held_back(struct live *live, const struct gate_view *view, const char *kind, const char *provider_id,
	const struct config_live_provider **own)
{
	struct provider_set *set;
	struct provider *provider;
	struct verdict verdict;
	const char *why = NULL;

	*own = config_live_provider(view->config, provider_id);
	if (live_is_stopped(live))
		return "live execution is stopped: POST /api/live/start starts it again";
	if (*own == NULL)
		return "live execution is switched off for this provider";
	set = provider_loader_acquire(live->loader);
	provider = provider_set_find(set, kind, provider_id);
	if (provider == NULL)
		why = "the provider's script is not there";
	else if (provider_rests(provider)) /* else each job of the queue would be tried and written down in vain */
		why = "the provider's script rests: it went over its limits again and again";
	else {
		gate_judge(view, &provider->subject, provider_as(provider, kind)->flag, NULL, false, &verdict);
		if (!verdict.live_allowed)
			why = "live execution is switched off for this provider: flag, switch, budget or credential";
		verdict_free(&verdict);
	}
	provider_set_release(set);
	return why;
}

const char *live_held_back(struct live *live, const char *kind, const char *provider)
{
	const struct gate_view *view = gate_acquire(live->gate);
	const struct config_live_provider *own;
	const char *why = switch_held_back(live, view, kind, provider, &own);

	gate_release(live->gate, view);
	return why;
}
