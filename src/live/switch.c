/* switch.c - may anything be sent that costs? The switch that stops everything, and what configuration, flags and scripts say. Any thread, but for
 * what a note or a timer runs. */
#include "live/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "event/host_event.h"

bool live_is_stopped(struct live *live)
{
	return atomic_load_explicit(&live->stopped, memory_order_relaxed);
}

/* A file whose presence says it: seen by whoever looks into the folder, and there after a restart. */
static enum error_code switch_keep(struct live *live, bool stopped, struct error *error)
{
	static const char text[] = "Live execution is stopped. POST /api/live/start starts it again.\n";

	return stopped ? file_write_durably(live->stop_file, text, sizeof text - 1, 0640, error)
		       : file_remove_durably(live->stop_file, error);
}

/* In the order in which they were taken in: file, memory and event say the same. The lock is held while the disk works, and nobody but those who
 * turn the switch ever takes it. */
enum error_code live_switch(struct live *live, bool stopped, struct error *error)
{
	struct error why;
	enum error_code code;

	pthread_mutex_lock(&live->switch_lock);
	if (stopped) /* at once, also when it will not last */
		atomic_store(&live->stopped, true);
	code = switch_keep(live, stopped, &why);
	if (code == ERROR_NONE) {
		atomic_store(&live->stopped, stopped);
		host_event_emit(live->store, stopped ? "host.live.stopped" : "host.live.started", NULL);
		log_message(LOG_WARN, stopped ? "live.stopped" : "live.started", "by request");
	} else {
		error_set(error, code, live->stop_file, "%s: %.300s",
			stopped ? "live execution is stopped, but only until the host is started again"
				: "live execution is not started",
			why.message);
	}
	pthread_mutex_unlock(&live->switch_lock);
	live_wake(live);
	return code;
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
