/* live.c - opens and closes the folder's parts. Opened before any other thread can ask; from then on jobs belong to the engine's thread. */
#include "live/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"

void live_leave(struct live *live)
{
	if (live == NULL)
		return;
	atomic_store(&live->leaving, true);
	elsewhere_stop(live);
}

struct live_counts live_counts(struct live *live)
{
	return (struct live_counts){ .queued = atomic_load(&live->counts[LIVE_QUEUED]),
		.sending = atomic_load(&live->counts[LIVE_SENDING]),
		.sent = atomic_load(&live->counts[LIVE_SENT]),
		.unknown = atomic_load(&live->counts[LIVE_UNKNOWN]) };
}

/* Outputs are copied again after the next start, but for those of a vendor that answered the submit with the work itself: it cannot be polled. */
static bool live_must_end(const struct live_job *job)
{
	return job->action != ACTION_NONE && (job->action != ACTION_COPY || job->live.phase == LIVE_SENDING);
}

/* Something is under way that must be written before the host may go. */
static bool live_is_busy(void *context)
{
	struct live *live = context;

	for (size_t i = 0; i < JOB_CHAINS; i++)
		for (const struct live_job *job = live->chains[i]; job != NULL; job = job->next)
			if (live_must_end(job))
				return true;
	return false;
}

static enum error_code live_prepare(struct live *live, const struct live_options *options, struct error *error)
{
	live->engine = options->engine;
	live->store = options->store;
	live->cluster = options->cluster;
	live->events = options->events;
	live->gate = options->gate;
	live->loader = options->loader;
	live->artifacts = options->artifacts;
	live->webhooks_in = options->webhooks_in;
	live->models = options->models;
	pthread_mutex_init(&live->history_lock, NULL);
	pthread_mutex_init(&live->asking_lock, NULL);
	pthread_mutex_init(&live->excess_lock, NULL);
	pthread_mutex_init(&live->switch_lock, NULL);
	live->gate_timer = (struct timer){ .due_ns = INT64_MAX, .fire = switch_gate_due };
	if (getrandom(&live->random, sizeof live->random, 0) != sizeof live->random || live->random == 0)
		live->random = (uint64_t)clock_unix_ms();
	return switch_open(live, options->data, error) == ERROR_NONE ? takeover_open(live, error) : error->code;
}

/* The jobs are read on the thread that they belong to: what becomes of the first may be written while the last is read. */
struct opening {
	struct engine_note note; /* first */
	struct live *live;
	bool restored;
	enum error_code code;
	struct error *error;
	sem_t done;
};

static void on_live_open(struct engine_note *note)
{
	struct opening *opening = (struct opening *)(void *)note;
	struct live *live = opening->live;

	opening->code = observed_open(live, opening->error);
	if (opening->code == ERROR_NONE)
		opening->code = restore_jobs(live, opening->restored, opening->error);
	if (opening->code == ERROR_NONE) {
		engine_set_clock(live->engine, timers_fire, live_is_busy, live);
		provider_queues_send(live);
	}
	sem_post(&opening->done);
}

enum error_code live_open(const struct live_options *options, struct live **live, struct error *error)
{
	struct opening opening = {
		.note.run = on_live_open, .live = memory_new(sizeof **live), .restored = options->restored, .error = error
	};

	opening.code = live_prepare(opening.live, options, error);
	sem_init(&opening.done, 0, 0);
	if (opening.code == ERROR_NONE) {
		engine_run(options->engine, &opening.note);
		while (sem_wait(&opening.done) == -1 && errno == EINTR)
			;
	}
	sem_destroy(&opening.done);
	if (opening.code == ERROR_NONE)
		opening.code = elsewhere_open(opening.live, error);
	if (opening.code != ERROR_NONE) {
		live_close(opening.live);
		return opening.code;
	}
	takeover_begin(opening.live);
	*live = opening.live;
	return ERROR_NONE;
}

void live_close(struct live *live)
{
	struct live_job *job;

	if (live == NULL)
		return;
	elsewhere_free(live);
	job_calls_free(live);
	for (size_t i = 0; i < JOB_CHAINS; i++)
		while ((job = live->chains[i]) != NULL)
			job_remove(job);
	while ((job = live->forgotten) != NULL) {
		live->forgotten = job->next;
		job_free(job);
	}
	provider_queues_free(live);
	timers_free(&live->timers);
	history_free(live);
	observed_free(live->observed);
	excess_free(live);
	pthread_mutex_destroy(&live->history_lock);
	pthread_mutex_destroy(&live->asking_lock);
	pthread_mutex_destroy(&live->excess_lock);
	pthread_mutex_destroy(&live->switch_lock);
	takeover_free(live);
	free(live);
}
