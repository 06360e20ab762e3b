/* live.c - opens and closes the room, takes orders, goes on after a restart, and holds the switch that stops everything.
 *
 * Opened before any other thread can ask; from then on jobs belong to the engine's thread. */
#include "live/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "event/host_event.h"

#define STOP_FILE "live.stopped"

/* ---- the switch ---- */

bool live_is_stopped(struct live *live)
{
	return atomic_load_explicit(&live->stopped, memory_order_relaxed);
}

/* A file whose presence says it: seen by whoever looks into the folder, and there after a restart. */
static enum error_code keep_switch(struct live *live, bool stopped, struct error *error)
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
	code = keep_switch(live, stopped, &why);
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

void live_leave(struct live *live)
{
	if (live != NULL)
		atomic_store(&live->leaving, true);
}

static void on_wake(struct engine_note *note)
{
	struct live *live = (struct live *)(void *)((char *)note - offsetof(struct live, wake_note));

	atomic_store(&live->wake_posted, false);
	provider_queues_send(live);
}

void live_wake(struct live *live)
{
	if (atomic_exchange(&live->wake_posted, true))
		return;
	live->wake_note.run = on_wake;
	if (engine_run(live->engine, &live->wake_note) != ERROR_NONE)
		atomic_store(&live->wake_posted, false);
}

static void gate_due(struct live *live, struct timer *timer)
{
	(void)timer;
	provider_queues_send(live);
}

/* ---- after a restart ---- */

struct restoring {
	struct live *live;
	bool restored;
};

static void restore_row(struct live_job *job, const struct task *task)
{
	job->live = *task->live;
	job->live.caller = memory_copy_text(task->live->caller);
	job->live.request = memory_copy_text(task->live->request);
	job->live.state = memory_copy_text(task->live->state);
	job->live.reason = memory_copy_text(task->live->reason);
	job->live.trace = memory_copy_text(task->live->trace);
	job->vendor_id = memory_copy_text(task->vendor_id);
	job->payload = memory_copy_text(task->payload);
	if (task->money != NULL)
		job->money = *task->money;
	job->money.basis = NULL;
	job->status = task->status;
	job->progress = task->progress;
	job->created_ms = task->created_ms;
	job->want_cancel = job->live.cancel_asked;
}

/* Where it stands now that a former run has ended: what was under way is not known; what the vendor has is asked for, spread over a while. */
static void place_job(const struct restoring *restoring, struct live_job *job)
{
	struct live *live = restoring->live;
	bool unknown = job->live.phase == LIVE_SENDING || (restoring->restored && job->live.phase != LIVE_UNKNOWN);

	job_add(live, job);
	if (job->live.phase == LIVE_SENT || unknown)
		provider_queue_note_vendor_id(job->provider_queue, job->vendor_id);
	if (unknown) {
		outcome_unknown(live, job,
			restoring->restored ? "a backup was put back: what became of this job since is not known"
					    : "the host stopped while the paid request was under way");
		return;
	}
	provider_queue_count(job, job->live.phase == LIVE_SENT);
	schedule_in(live, job, job->live.phase == LIVE_QUEUED ? 0 : LIMIT_LIVE_POLL_SECONDS * schedule_jitter(live));
}

static bool restore_job(void *context, const struct task *task)
{
	const struct restoring *restoring = context;
	struct live_job *job = job_make(restoring->live, &task->id, task->kind, task->provider);

	restore_row(job, task);
	place_job(restoring, job);
	return true;
}

/* The newest live jobs' ids at the vendors, and how long they took. */
static bool recall_task(void *context, const struct task *task)
{
	struct live *live = context;
	struct provider_queue *queue;

	if (task->live == NULL || task->live->phase != LIVE_ENDED)
		return true;
	queue = provider_queue_of(live, task->provider);
	if (task->vendor_id != NULL)
		provider_queue_note_vendor_id(queue, task->vendor_id);
	if (task->status == TASK_DONE && task->live->submitted_ms > 0)
		history_note(live, task->provider, task->updated_ms - task->live->submitted_ms);
	return true;
}

static enum error_code restore(struct live *live, bool restored, struct error *error)
{
	struct restoring restoring = { .live = live, .restored = restored };
	enum error_code code = task_store_recent_jobs(live->store, KNOWN_VENDOR_IDS, recall_task, live, error);

	if (code == ERROR_NONE)
		code = task_store_open_jobs(live->store, restore_job, &restoring, error);
	if (code == ERROR_NONE && restored) /* behind what was just written of its jobs */
		task_store_accept(live->store);
	if (code == ERROR_NONE && live->jobs > 0)
		log_message(LOG_INFO, "live.restored", "%zu open jobs", live->jobs);
	return code;
}

/* ---- open and close ---- */

struct budget_book *live_budget(struct live *live)
{
	return live->budget;
}

struct live_counts live_counts(struct live *live)
{
	return (struct live_counts){ .queued = atomic_load(&live->counts[LIVE_QUEUED]),
		.sending = atomic_load(&live->counts[LIVE_SENDING]),
		.sent = atomic_load(&live->counts[LIVE_SENT]),
		.unknown = atomic_load(&live->counts[LIVE_UNKNOWN]) };
}

/* Outputs are copied again after the next start, but for those of a vendor that answered the submit with the work itself: it cannot be asked. */
static bool must_end(const struct live_job *job)
{
	return job->action != ACTION_NONE && (job->action != ACTION_COPY || job->live.phase == LIVE_SENDING);
}

/* Something is under way that must be written before the host may go. */
static bool is_busy(void *context)
{
	struct live *live = context;

	for (size_t i = 0; i < JOB_CHAINS; i++)
		for (const struct live_job *job = live->chains[i]; job != NULL; job = job->next)
			if (must_end(job))
				return true;
	return false;
}

static enum error_code prepare(struct live *live, const struct live_options *options, struct error *error)
{
	live->engine = options->engine;
	live->store = options->store;
	live->gate = options->gate;
	live->loader = options->loader;
	live->artifacts = options->artifacts;
	live->webhooks_in = options->webhooks_in;
	pthread_mutex_init(&live->history_lock, NULL);
	pthread_mutex_init(&live->switch_lock, NULL);
	live->gate_timer = (struct timer){ .due_ns = INT64_MAX, .fire = gate_due };
	if (getrandom(&live->random, sizeof live->random, 0) != sizeof live->random || live->random == 0)
		live->random = (uint64_t)clock_unix_ms();
	live->stop_file = file_join(options->data, STOP_FILE);
	if (live->stop_file == NULL)
		return error_memory(error);
	atomic_init(
		&live->stopped, access(live->stop_file, F_OK) == 0 || errno != ENOENT); /* one that cannot be seen may be there */
	return budget_open(live->store, &live->budget, error);
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

static void on_open(struct engine_note *note)
{
	struct opening *opening = (struct opening *)(void *)note;
	struct live *live = opening->live;

	opening->code = restore(live, opening->restored, opening->error);
	if (opening->code == ERROR_NONE) {
		engine_set_clock(live->engine, timers_fire, is_busy, live);
		provider_queues_send(live);
	}
	sem_post(&opening->done);
}

enum error_code live_open(const struct live_options *options, struct live **live, struct error *error)
{
	struct opening opening = {
		.note.run = on_open, .live = memory_new(sizeof **live), .restored = options->restored, .error = error
	};

	opening.code = prepare(opening.live, options, error);
	sem_init(&opening.done, 0, 0);
	if (opening.code == ERROR_NONE) {
		engine_run(options->engine, &opening.note);
		while (sem_wait(&opening.done) == -1 && errno == EINTR)
			;
	}
	sem_destroy(&opening.done);
	if (opening.code != ERROR_NONE) {
		live_close(opening.live);
		return opening.code;
	}
	*live = opening.live;
	return ERROR_NONE;
}

void live_close(struct live *live)
{
	struct live_job *job;

	if (live == NULL)
		return;
	job_calls_free(live);
	for (size_t i = 0; i < JOB_CHAINS; i++)
		while ((job = live->chains[i]) != NULL)
			job_remove(live, job);
	provider_queues_free(live);
	timers_free(&live->timers);
	history_free(live);
	budget_close(live->budget);
	pthread_mutex_destroy(&live->history_lock);
	pthread_mutex_destroy(&live->switch_lock);
	free(live->stop_file);
	free(live);
}
