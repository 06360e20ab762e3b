/* takeover.c - jobs that come from other hosts, and go to them.
 *
 * A job whose host has died, or has given it away, is adopted by whoever comes first: in the registry, under the lock of those that write, then in memory. It is
 * treated as after a restart: what was queued is sent by this host, what was under way is not known and never sent again, what the vendor has is polled. A host
 * that was declared dead itself forgets its jobs without a word to the vendor. The cluster's thread hears of it, one of this file does it, the engine's has the jobs. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "cluster/cluster.h"
#include "registry/host_change.h"

#define ADOPTED_AT_ONCE 200

/* ---- they come ---- */

enum error_code takeover_adopt(
	struct live *live, int limit, int64_t *run, int64_t **sequences, size_t *count, struct error *error)
{
	struct host_change change = { .kind = HOST_ADOPTS, .limit = limit };
	enum store_outcome outcome;
	enum error_code code = host_change_run(live->store, &change, &outcome, error);

	*run = change.run;
	*sequences = change.jobs;
	*count = change.job_count;
	return code;
}

/* What is this run's in the registry by now, and not in memory. */
struct unread {
	int64_t run;
	int64_t *sequences;
	size_t count;
};

static void unread_clear(struct unread *unread)
{
	free(unread->sequences);
	*unread = (struct unread){ .run = 0 };
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
		if (adoption->run == cluster_host(live->cluster) && job_find(live, &job->id) == NULL)
			restore_adopted(job);
		else /* the run is over meanwhile, or the job was here already */
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

static enum error_code takeover_read(struct live *live, struct unread *unread, struct error *error)
{
	struct adoption *adoption = memory_new(sizeof *adoption);
	enum error_code code;

	adoption->note.run = on_adopted;
	adoption->live = live;
	adoption->run = unread->run;
	adoption->last = &adoption->first;
	code = task_store_jobs(live->store, unread->sequences, unread->count, adoption_add, adoption, error);
	if (code != ERROR_NONE) {
		adoption_drop(adoption);
		return code;
	}
	unread_clear(unread);
	if (engine_run(live->engine, &adoption->note) != ERROR_NONE) /* it stops, and gives them away */
		adoption_drop(adoption);
	return ERROR_NONE;
}

/* ---- the thread ---- */

/* What the cluster's thread heard of. It must beat, so what may wait for the registry is done by this one. */
struct takeover {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards all below but `unread` */
	pthread_cond_t wake;
	bool stopping, orphans, asks, answers;
	bool unreadable;
	bool doubtful; /* jobs may have been adopted of which nothing was heard */
	struct unread unread;
};

/* Its own jobs in the registry: those that are not in memory are taken up. */
static enum error_code takeover_list_own(struct live *live, struct unread *unread, struct error *error)
{
	struct host_change change = { .kind = HOST_OWNS };
	enum store_outcome outcome;
	enum error_code code = host_change_run(live->store, &change, &outcome, error);

	*unread = (struct unread){ .run = change.run, .sequences = change.jobs, .count = change.job_count };
	return code;
}

static enum error_code takeover_look(struct live *live, bool orphans, bool *doubtful, struct error *error)
{
	struct unread *unread = &live->takeover->unread;
	enum error_code code = ERROR_NONE;

	if (unread->run != cluster_host(live->cluster))
		unread_clear(unread); /* the run is over, and they are others' */
	if (unread->count == 0 && *doubtful) {
		code = takeover_list_own(live, unread, error);
		*doubtful = code != ERROR_NONE;
	} else if (unread->count == 0 && orphans) {
		code = takeover_adopt(live, ADOPTED_AT_ONCE, &unread->run, &unread->sequences, &unread->count, error);
		*doubtful = code != ERROR_NONE && code != ERROR_BUSY;
		if (code == ERROR_NONE && unread->count > 0)
			log_message(LOG_INFO, "live.adopted", "%zu open jobs of hosts that are gone", unread->count);
	}
	return code == ERROR_NONE && unread->count > 0 ? takeover_read(live, unread, error) : code;
}

/* Called and left with the lock held, released in between. */
static void takeover_turn(struct live *live, struct takeover *takeover)
{
	bool orphans = takeover->orphans, asks = takeover->asks, answers = takeover->answers, doubtful = takeover->doubtful;
	struct error error;
	bool readable;

	takeover->orphans = takeover->asks = takeover->answers = false;
	pthread_mutex_unlock(&takeover->lock);
	if (answers)
		asking_answered(live);
	if (asks)
		asked_take(live);
	readable = takeover_look(live, orphans, &doubtful, &error) == ERROR_NONE;
	if (!readable)
		log_message(LOG_ERROR, "live.adopted", "jobs of hosts that are gone cannot be taken over yet: %s", error.message);
	pthread_mutex_lock(&takeover->lock);
	takeover->doubtful = doubtful;
	takeover->unreadable = !readable;
}

static void *takeover_main(void *argument)
{
	struct live *live = argument;
	struct takeover *takeover = live->takeover;

	pthread_mutex_lock(&takeover->lock);
	while (!takeover->stopping) {
		if (takeover->orphans || takeover->asks || takeover->answers)
			takeover_turn(live, takeover);
		else
			pthread_cond_wait(&takeover->wake, &takeover->lock);
	}
	pthread_mutex_unlock(&takeover->lock);
	return NULL;
}

/* Cluster's thread. */
static void takeover_wake(struct live *live, bool *what)
{
	pthread_mutex_lock(&live->takeover->lock);
	*what = true;
	pthread_cond_signal(&live->takeover->wake);
	pthread_mutex_unlock(&live->takeover->lock);
}

static void takeover_orphans(void *live)
{
	takeover_wake(live, &((struct live *)live)->takeover->orphans);
}

static void takeover_asks(void *live)
{
	takeover_wake(live, &((struct live *)live)->takeover->asks);
}

static void takeover_answers(void *live)
{
	takeover_wake(live, &((struct live *)live)->takeover->answers);
}

/* Cluster's thread, after each pulse: what could not be read is tried again. */
static void takeover_again(void *context)
{
	struct live *live = context;
	bool again;

	pthread_mutex_lock(&live->takeover->lock);
	again = live->takeover->doubtful || live->takeover->unreadable;
	pthread_mutex_unlock(&live->takeover->lock);
	if (again)
		takeover_orphans(live);
}

/* It is freed with `live`: until then the cluster's thread may tell it something. */
static void takeover_stop(struct live *live)
{
	struct takeover *takeover = live->takeover;

	if (!takeover->started)
		return;
	pthread_mutex_lock(&takeover->lock);
	takeover->stopping = true;
	pthread_cond_signal(&takeover->wake);
	pthread_mutex_unlock(&takeover->lock);
	pthread_join(takeover->thread, NULL);
	takeover->started = false;
}

/* ---- they go ---- */

void live_give_away(struct live *live)
{
	struct host_change change = { .kind = HOST_LEAVES };
	enum store_outcome outcome;
	struct error error;

	if (live == NULL || live->takeover == NULL)
		return;
	takeover_stop(live);
	if (cluster_host(live->cluster) == 0)
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

enum error_code takeover_open(struct live *live, struct error *error)
{
	struct takeover *takeover;
	enum error_code code;

	if (!cluster_is_shared(live->cluster))
		return ERROR_NONE;
	takeover = memory_new(sizeof *takeover);
	pthread_mutex_init(&takeover->lock, NULL);
	thread_init_condition(&takeover->wake);
	live->takeover = takeover;
	code = thread_start(&takeover->thread, "takeover", 0, takeover_main, live, error);
	takeover->started = code == ERROR_NONE;
	return code;
}

void takeover_begin(struct live *live)
{
	if (live->takeover == NULL)
		return;
	task_store_on_moved(live->store, takeover_moved, live);
	takeover_dropped(live); /* of a run that was over before this one hears of such things */
	cluster_listen(live->cluster, &(struct cluster_listener){ .context = live,
					      .on_turn = takeover_again,
					      .on_dropped = takeover_dropped,
					      .on_orphans = takeover_orphans,
					      .on_asks = takeover_asks,
					      .on_answers = takeover_answers });
}

void takeover_free(struct live *live)
{
	if (live->takeover == NULL)
		return;
	takeover_stop(live);
	unread_clear(&live->takeover->unread);
	pthread_cond_destroy(&live->takeover->wake);
	pthread_mutex_destroy(&live->takeover->lock);
	free(live->takeover);
}
