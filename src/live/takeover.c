/* takeover.c - jobs that come from other hosts, and go to them.
 *
 * A job whose host has died, or has given it away, is adopted by whoever comes first: in the registry, under the lock of those that write, then in memory. It is
 * treated as after a restart: what was queued is sent by this host, what was under way is not known and never sent again, what the vendor has is polled. A host
 * that was declared dead itself forgets its jobs without a word to the vendor. The cluster's thread asks, the engine's has the jobs. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "cluster/cluster.h"
#include "registry/host_change.h"

#define ADOPTED_AT_ONCE 200

/* ---- they come ---- */

enum error_code takeover_adopt(struct live *live, int limit, int64_t **sequences, size_t *count, struct error *error)
{
	struct host_change change = { .kind = HOST_ADOPTS, .limit = limit };
	enum store_outcome outcome;
	enum error_code code = host_change_run(live->store, &change, &outcome, error);

	*sequences = change.jobs;
	*count = change.job_count;
	return code;
}

/* Jobs on their way to the engine. */
struct adoption {
	struct engine_note note; /* first */
	struct live *live;
	int64_t run;
	struct live_job *first, **last;
};

static bool adoption_add(void *context, const struct task *task)
{
	struct adoption *adoption = context;

	*adoption->last = restore_row(adoption->live, task, adoption->run);
	adoption->last = &(*adoption->last)->next;
	return true;
}

static struct live_job *adoption_next(struct adoption *adoption)
{
	struct live_job *job = adoption->first;

	if (job != NULL)
		adoption->first = job->next;
	return job;
}

/* Engine thread. */
static void on_adopted(struct engine_note *note)
{
	struct adoption *adoption = (struct adoption *)(void *)note;
	struct live *live = adoption->live;
	struct live_job *job;

	while ((job = adoption_next(adoption)) != NULL) {
		if (adoption->run == cluster_host(live->cluster))
			restore_adopted(job);
		else /* it is over meanwhile */
			job_free(job);
	}
	free(adoption);
	provider_queues_send(live);
}

static void adoption_drop(struct adoption *adoption)
{
	struct live_job *job;

	while ((job = adoption_next(adoption)) != NULL)
		job_free(job);
	free(adoption);
}

/* What is this run's in the registry by now, into memory. */
static enum error_code takeover_read(struct live *live, struct error *error)
{
	struct adoption *adoption = memory_new(sizeof *adoption);
	enum error_code code;

	adoption->note.run = on_adopted;
	adoption->live = live;
	adoption->run = cluster_host(live->cluster);
	adoption->last = &adoption->first;
	code = task_store_jobs(live->store, live->unread, live->unread_count, adoption_add, adoption, error);
	if (code != ERROR_NONE) {
		adoption_drop(adoption);
		return code;
	}
	free(live->unread);
	live->unread = NULL;
	live->unread_count = 0;
	if (engine_run(live->engine, &adoption->note) != ERROR_NONE) /* it stops, and gives them away */
		adoption_drop(adoption);
	return ERROR_NONE;
}

/* Cluster's thread. What was adopted and cannot be read is read later. */
static void takeover_orphans(void *context)
{
	struct live *live = context;
	enum error_code code = ERROR_NONE;
	struct error error;

	if (live->unread_count == 0) {
		code = takeover_adopt(live, ADOPTED_AT_ONCE, &live->unread, &live->unread_count, &error);
		if (code == ERROR_NONE && live->unread_count > 0)
			log_message(LOG_INFO, "live.adopted", "%zu open jobs of hosts that are gone", live->unread_count);
	}
	if (code == ERROR_NONE && live->unread_count > 0)
		code = takeover_read(live, &error);
	if (code != ERROR_NONE)
		log_message(LOG_ERROR, "live.adopted", "jobs of hosts that are gone cannot be taken over yet: %s", error.message);
}

/* Cluster's thread. */
static void takeover_turn(void *context)
{
	struct live *live = context;

	if (live->unread_count > 0)
		takeover_orphans(live);
}

/* ---- they go ---- */

void live_give_away(struct live *live)
{
	struct host_change change = { .kind = HOST_LEAVES };
	enum store_outcome outcome;
	struct error error;

	if (live == NULL || !cluster_is_shared(live->cluster) || cluster_host(live->cluster) == 0)
		return;
	if (host_change_run(live->store, &change, &outcome, &error) != ERROR_NONE)
		log_message(LOG_WARN, "live.given", "other hosts take this one's jobs over when they see that it is gone: %s",
			error.message);
	host_change_clear(&change);
}

/* Something that all jobs are looked through for. */
struct inspection {
	struct engine_note note; /* first */
	struct live *live;
};

/* Those of runs that are over. One that steps may take others with it, so each look begins anew. */
static struct live_job *takeover_lost(struct live *live, int64_t run)
{
	for (size_t i = 0; i < JOB_CHAINS; i++)
		for (struct live_job *job = live->chains[i]; job != NULL; job = job->next)
			if (job->live.owner != run)
				return job;
	return NULL;
}

/* Engine thread. */
static void on_dropped(struct engine_note *note)
{
	struct inspection *inspection = (struct inspection *)(void *)note;
	struct live *live = inspection->live;
	struct live_job *job;
	size_t count = 0;

	for (; (job = takeover_lost(live, cluster_host(live->cluster))) != NULL; count++)
		job_forget(job);
	if (count > 0)
		log_message(LOG_WARN, "live.dropped", "%zu open jobs go on at other hosts", count);
	free(inspection);
}

/* Cluster's thread. */
static void takeover_dropped(void *context)
{
	struct inspection *inspection = memory_new(sizeof *inspection);

	inspection->note.run = on_dropped;
	inspection->live = context;
	free(inspection->live->unread);
	inspection->live->unread = NULL;
	inspection->live->unread_count = 0;
	if (engine_run(inspection->live->engine, &inspection->note) != ERROR_NONE)
		free(inspection);
}

/* ---- the registry was moved ---- */

/* Engine thread. What is under way will be written anyway. */
static void on_moved(struct engine_note *note)
{
	struct live *live = ((struct inspection *)(void *)note)->live;

	for (size_t i = 0; i < JOB_CHAINS; i++)
		for (struct live_job *job = live->chains[i]; job != NULL; job = job->next)
			if (job->action == ACTION_NONE)
				record_job(job, true, NULL, schedule_next);
	free(note);
}

/* Store thread. Its rows may be older than what this host knows of its jobs: the vendor's id of one, say. */
static void takeover_moved(void *context)
{
	struct inspection *inspection = memory_new(sizeof *inspection);

	inspection->note.run = on_moved;
	inspection->live = context;
	if (engine_run(inspection->live->engine, &inspection->note) != ERROR_NONE)
		free(inspection);
}

void takeover_begin(struct live *live)
{
	if (!cluster_is_shared(live->cluster))
		return;
	task_store_on_moved(live->store, takeover_moved, live);
	takeover_dropped(live); /* of a run that was over before this one hears of such things */
	cluster_listen(live->cluster, &(struct cluster_listener){ .context = live,
					      .on_turn = takeover_turn,
					      .on_dropped = takeover_dropped,
					      .on_orphans = takeover_orphans,
					      .on_asks = asked_take,
					      .on_answers = asking_answered });
}
