/* restore.c - goes on after a restart: the open jobs of the registry, and what is remembered of the newest ended ones. Engine thread. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/cluster.h"

#define ADOPTED_SECONDS 1.0 /* that the first polls of adopted jobs are spread over: somebody may be waiting */

#define RECALLED_JOBS 1024

struct restoring {
	struct live *live;
	bool restored;
	int64_t run;
	double poll_seconds; /* that first polls are spread over */
};

struct live_job *restore_row(struct live *live, const struct task *task, int64_t run)
{
	struct live_job *job = job_new(live, &task->id, task->kind, task->provider);

	job->live = *task->live;
	job->live.owner = run;
	job->live.caller = memory_copy_text(task->live->caller);
	job->live.request = memory_copy_text(task->live->request);
	job->live.state = memory_copy_text(task->live->state);
	job->live.reason = memory_copy_text(task->live->reason);
	job->live.trace = memory_copy_text(task->live->trace);
	job->live.expected = memory_copy_text(task->live->expected);
	job->vendor_id = memory_copy_text(task->vendor_id);
	job->payload = memory_copy_text(task->payload);
	observed_name_job(job, task->estimates);
	if (task->money != NULL)
		job->money = *task->money;
	job->money.basis = NULL;
	job->status = task->status;
	job->progress = task->progress;
	job->created_ms = task->created_ms;
	job->want_cancel = job->live.cancel_asked;
	if (job->live.phase == LIVE_UNKNOWN) /* since it was written so */
		job->place_ns = schedule_after(LIMIT_LIVE_LOST_PLACE_SECONDS) - (clock_unix_ms() - task->updated_ms) * 1000000;
	return job;
}

/* Where it stands now that a former run has ended: what was under way is not known; what the vendor has is polled, spread over a while. */
static void restore_place(const struct restoring *restoring, struct live_job *job)
{
	bool unknown = job->live.phase == LIVE_SENDING || (restoring->restored && job->live.phase != LIVE_UNKNOWN);

	job->provider_queue = provider_queue_of(job->owner, job->provider);
	if (cluster_is_shared(job->owner->cluster))
		job->adopted_ns = clock_monotonic_ns();
	job_add(job);
	if (job->live.slotted)
		lane_take(job);
	if (unknown) {
		outcome_unknown(job, restoring->restored ? "a backup was put back: what became of this job since is not known"
							 : "the host stopped while the paid request was under way");
		return;
	}
	schedule_in(job, job->live.phase == LIVE_QUEUED ? 0 : restoring->poll_seconds * pause_jitter(job->owner));
}

void restore_adopted(struct live_job *job)
{
	const struct restoring restoring = { .live = job->owner, .poll_seconds = ADOPTED_SECONDS };

	restore_place(&restoring, job);
}

static bool restore_job(void *context, const struct task *task)
{
	const struct restoring *restoring = context;

	restore_place(restoring, restore_row(restoring->live, task, restoring->run));
	return true;
}

/* How long the newest live jobs took. */
static bool restore_recall(void *context, const struct task *task)
{
	struct live *live = context;

	if (task->live != NULL && task->live->phase == LIVE_ENDED && task->status == TASK_DONE && task->live->submitted_ms > 0)
		history_note(live, task->provider, task->kind, task->updated_ms - task->live->submitted_ms);
	return true;
}

/* What a former run of this host left, and what others did. */
static enum error_code restore_adopt(struct live *live, struct error *error)
{
	enum error_code code;
	int64_t *sequences, run;
	size_t count;

	do {
		code = takeover_adopt(live, LIMIT_LIVE_JOBS, &run, &sequences, &count, error);
		free(sequences);
	} while (code == ERROR_NONE && count == LIMIT_LIVE_JOBS);
	return code;
}

enum error_code restore_jobs(struct live *live, bool restored, struct error *error)
{
	struct restoring restoring = {
		.live = live, .restored = restored, .run = cluster_host(live->cluster), .poll_seconds = LIMIT_LIVE_POLL_SECONDS
	};
	enum error_code code = task_store_recent_jobs(live->store, RECALLED_JOBS, restore_recall, live, error);

	if (code == ERROR_NONE)
		code = restore_adopt(live, error);
	if (code == ERROR_NONE)
		code = task_store_open_jobs(live->store, restoring.run, restore_job, &restoring, error);
	if (code == ERROR_NONE && restored) /* behind what was just written of its jobs */
		task_store_accept(live->store);
	if (code == ERROR_NONE && live->jobs > 0)
		log_message(LOG_INFO, "live.restored", "%zu open jobs", live->jobs);
	return code;
}
