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
#include "event/host_event.h"

#define STOP_FILE "live.stopped"

static void job_due(struct live *live, struct timer *timer)
{
	struct live_job *job = (struct live_job *)(void *)timer;

	if (job->unwritten)
		record_retry(live, job);
	else if (job->completing)
		completion_retry(live, job);
	else
		schedule_job(live, job);
}

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

/* ---- orders ---- */

static int64_t deadline_of(const char *kind, int64_t now_ms)
{
	int seconds = strcmp(kind, "image") == 0   ? LIMIT_LIVE_IMAGE_SECONDS
		      : strcmp(kind, "video") == 0 ? LIMIT_LIVE_VIDEO_SECONDS
						   : LIMIT_LIVE_GPU_SECONDS;

	return now_ms + seconds * 1000LL;
}

/* The high end of the estimate for each request that the script may pay for; what the client allows when there is no estimate. Not less than the
 * operator's floor, within what the client allows, and nothing only when the script says that it is free. */
static enum error_code find_price(const struct live_order *order, struct task_money *money, struct error *error)
{
	const struct script_call *call = order->call;
	const struct manifest *manifest = &call->provider->manifest;
	const struct config_live_provider *own = config_live_provider(order->view->config, manifest->id);
	int64_t floor = own != NULL ? own->min_reserve_micro_usd : 0;

	money->expected = call->estimate_micro_usd;
	money->reserved =
		call->estimate_high_micro_usd >= 0 ? call->estimate_high_micro_usd * manifest->paid_requests : order->max_cost;
	if (money->reserved < 0)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price is not known: say max_cost_usd, the most that this job may cost");
	if (call->estimate_high_micro_usd >= 0 && call->estimate_free)
		return ERROR_NONE;
	if (money->reserved == 0)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price comes to nothing, which is no price: give quantities that the vendor bills");
	if (call->estimate_high_micro_usd >= 0 && money->reserved < floor)
		money->reserved = floor;
	if (money->reserved < floor)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price is not known, and the operator lets no such job reserve less than %.6f USD "
			"(live.providers.%s.min_reserve_usd)",
			(double)floor / 1e6, manifest->id);
	if (order->max_cost >= 0 && money->reserved > order->max_cost)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"this job may cost %.6f USD, more than max_cost_usd allows", (double)money->reserved / 1e6);
	return ERROR_NONE;
}

static bool fill_job(struct live_job *job, const struct live_order *order)
{
	const struct script_call *call = order->call;
	struct buffer payload;
	bool filled;

	buffer_init(&payload, LIMIT_SCRIPT_MEMORY_BYTES);
	json_write_abbreviated(&payload, call->payload.data, call->payload.length, LIMIT_STORED_TEXT_BYTES);
	filled = !payload.failed && job_set_text(&job->payload, payload.data) &&
		 job_set_text((char **)(uintptr_t)&job->live.caller, order->caller) &&
		 job_set_text((char **)(uintptr_t)&job->live.trace, order->trace) &&
		 job_set_text((char **)(uintptr_t)&job->live.request, order->request);
	buffer_free(&payload);
	job->created_ms = clock_unix_ms();
	job->live.deadline_ms = deadline_of(job->kind, job->created_ms);
	job->live.paid_most = call->provider->manifest.paid_requests;
	job->timer.fire = job_due;
	return filled;
}

enum error_code live_order(
	struct live *live, const struct live_order *order, struct task *task, struct live_job **job, struct error *error)
{
	const struct manifest *manifest = &order->call->provider->manifest;
	struct live_job *made = NULL;
	struct budget_entry entry;
	enum error_code code;
	bool joined;

	if (live->jobs >= LIMIT_LIVE_JOBS)
		return error_set(error, ERROR_BUSY, NULL, "%d live jobs are open, the maximum", LIMIT_LIVE_JOBS);
	made = job_make(live, &task->id, manifest->kind, manifest->id);
	if (made == NULL)
		return error_memory(error);
	code = find_price(order, &made->money, error);
	made->money.day = budget_today();
	if (code == ERROR_NONE &&
		((made->provider_queue = provider_queue_of(live, manifest->id)) == NULL || !fill_job(made, order)))
		code = error_memory(error);
	joined = code == ERROR_NONE && timers_join(&live->timers);
	if (code == ERROR_NONE && !joined)
		code = error_memory(error);
	entry = money_entry(made);
	if (code == ERROR_NONE)
		code = budget_reserve(live->budget, order->view->config, &entry, error);
	if (code != ERROR_NONE) {
		if (joined)
			timers_leave(&live->timers);
		job_free(made);
		return code;
	}
	task->status = TASK_QUEUED;
	task->live = &made->live;
	task->money = &made->money;
	*job = made;
	return ERROR_NONE;
}

static void on_accepted(struct engine_note *note)
{
	struct live_job *job = (struct live_job *)(void *)((char *)note - offsetof(struct live_job, note));

	job_add(job->owner, job);
	schedule_job(job->owner, job);
}

void live_accept(struct live *live, struct live_job *job)
{
	job->note.run = on_accepted;
	if (engine_run(live->engine, &job->note) != ERROR_NONE)
		job_free(job); /* the host is stopping: the registry has it for the next start */
}

static void on_dropped(struct engine_note *note)
{
	struct live_job *job = (struct live_job *)(void *)((char *)note - offsetof(struct live_job, note));

	timers_leave(&job->owner->timers);
	job_free(job);
}

void live_drop(struct live *live, struct live_job *job)
{
	struct budget_entry entry = money_entry(job);

	budget_release(live->budget, &entry);
	job->note.run = on_dropped;
	if (engine_run(live->engine, &job->note) != ERROR_NONE)
		job_free(job);
}

/* ---- after a restart ---- */

struct restoring {
	struct live *live;
	bool restored;
	bool failed;
};

static bool copy_row(struct live_job *job, const struct task *task)
{
	job->live = *task->live;
	job->live.caller = job->live.request = job->live.state = job->live.reason = job->live.trace = NULL;
	job->money = task->money != NULL ? *task->money : (struct task_money){ .expected = -1, .spent = -1 };
	job->money.basis = NULL;
	job->status = task->status;
	job->progress = task->progress;
	job->created_ms = task->created_ms;
	job->want_cancel = job->live.cancel_asked;
	job->timer.fire = job_due;
	return job_set_text((char **)(uintptr_t)&job->live.caller, task->live->caller) &&
	       job_set_text((char **)(uintptr_t)&job->live.request, task->live->request) &&
	       job_set_text((char **)(uintptr_t)&job->live.state, task->live->state) &&
	       job_set_text((char **)(uintptr_t)&job->live.reason, task->live->reason) &&
	       job_set_text((char **)(uintptr_t)&job->live.trace, task->live->trace) &&
	       job_set_text(&job->vendor_id, task->vendor_id) && job_set_text(&job->payload, task->payload);
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
	struct restoring *restoring = context;
	struct live *live = restoring->live;
	struct live_job *job = job_make(live, &task->id, task->kind, task->provider);

	if (job == NULL || (job->provider_queue = provider_queue_of(live, task->provider)) == NULL || !copy_row(job, task) ||
		!timers_join(&live->timers)) {
		job_free(job);
		restoring->failed = true;
		return false;
	}
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
	if (queue != NULL && task->vendor_id != NULL)
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
	if (code == ERROR_NONE && restoring.failed)
		code = error_memory(error);
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
	if (live->stop_file == NULL || !timers_join(&live->timers))
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
		.note.run = on_open, .live = calloc(1, sizeof **live), .restored = options->restored, .error = error
	};

	if (opening.live == NULL)
		return error_memory(error);
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
