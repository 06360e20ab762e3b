/* elsewhere.c - jobs of other hosts that share the registry: what those tell that have ended there, and waiting for the end of one.
 *
 * Owns one thread ("elsewhere"), where the registry is shared: it reads the ends in the log behind the newest that it has seen, and notes how long the jobs took
 * and what they cost, as this host does with its own. Who waits for a job follows the log like a stream. */
#include "live/internal.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "cluster/cluster.h"
#include "event/hub.h"
#include "registry/ended_reads.h"

#define PAUSE_NS INT64_C(500000000) /* between two looks: many ends are one */
#define WAIT_SLICE_MS 250

struct elsewhere {
	struct live *live;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping; /* under the lock */
	int64_t seen;  /* event of the log; the thread's, as is the next */
	bool troubled;
};

/* ---- what ends tell ---- */

/* Observed prices are the engine's thread's. */
struct ended_note {
	struct engine_note note; /* first */
	struct live *live;
	char *provider, *model, *drivers;
	int64_t micro_usd, at_ms;
};

static void free_ended_note(struct ended_note *ended)
{
	free(ended->provider);
	free(ended->model);
	free(ended->drivers);
	free(ended);
}

/* Engine thread. */
static void note_observed_elsewhere(struct engine_note *note)
{
	struct ended_note *ended = (struct ended_note *)(void *)note;

	observed_note(ended->live, &(struct store_observation){ .provider = ended->provider,
					   .model = ended->model,
					   .drivers = ended->drivers,
					   .micro_usd = ended->micro_usd,
					   .at_ms = ended->at_ms });
	free_ended_note(ended);
}

static void note_ended(void *context, const struct ended_job *job)
{
	struct live *live = context;
	struct ended_note *ended;

	history_note(live, job->provider, job->kind, job->took_ms);
	if (!job->observed)
		return;
	ended = memory_new(sizeof *ended);
	*ended = (struct ended_note){ .note.run = note_observed_elsewhere,
		.live = live,
		.provider = memory_copy_text(job->observation.provider),
		.model = memory_copy_text(job->observation.model),
		.drivers = memory_copy_text(job->observation.drivers),
		.micro_usd = job->observation.micro_usd,
		.at_ms = job->observation.at_ms };
	if (engine_run(live->engine, &ended->note) != ERROR_NONE)
		free_ended_note(ended);
}

/* Under the lock. */
static void pause_for(struct elsewhere *elsewhere, int64_t pause_ns)
{
	int64_t until_ns = clock_monotonic_ns() + pause_ns;
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = (long)(until_ns % 1000000000) };

	while (!elsewhere->stopping && pthread_cond_timedwait(&elsewhere->wake, &elsewhere->lock, &until) == 0)
		;
}

static void look(struct elsewhere *elsewhere)
{
	struct live *live = elsewhere->live;
	struct error error;
	enum error_code code =
		task_store_ended_elsewhere(live->store, cluster_host(live->cluster), &elsewhere->seen, note_ended, live, &error);

	if (code != ERROR_NONE && !elsewhere->troubled)
		log_message(LOG_WARN, "live.elsewhere", "what other hosts' jobs tell waits: %s", error.message);
	elsewhere->troubled = code != ERROR_NONE;
}

static void *elsewhere_main(void *argument)
{
	struct elsewhere *elsewhere = argument;

	pthread_mutex_lock(&elsewhere->lock);
	while (!elsewhere->stopping) {
		pause_for(elsewhere, PAUSE_NS);
		pthread_mutex_unlock(&elsewhere->lock);
		if (elsewhere->seen < task_store_newest_event(elsewhere->live->store))
			look(elsewhere);
		pthread_mutex_lock(&elsewhere->lock);
	}
	pthread_mutex_unlock(&elsewhere->lock);
	return NULL;
}

enum error_code elsewhere_open(struct live *live, struct error *error)
{
	struct elsewhere *elsewhere;

	if (!cluster_is_shared(live->cluster))
		return ERROR_NONE;
	elsewhere = live->elsewhere = memory_new(sizeof *elsewhere);
	elsewhere->live = live;
	elsewhere->seen = task_store_newest_event(live->store);
	pthread_mutex_init(&elsewhere->lock, NULL);
	thread_init_condition(&elsewhere->wake);
	elsewhere->started = thread_start(&elsewhere->thread, "elsewhere", 0, elsewhere_main, elsewhere, error) == ERROR_NONE;
	return elsewhere->started ? ERROR_NONE : error->code;
}

void elsewhere_stop(struct live *live)
{
	struct elsewhere *elsewhere = live->elsewhere;

	if (elsewhere == NULL || !elsewhere->started)
		return;
	pthread_mutex_lock(&elsewhere->lock);
	elsewhere->stopping = true;
	pthread_cond_signal(&elsewhere->wake);
	pthread_mutex_unlock(&elsewhere->lock);
	pthread_join(elsewhere->thread, NULL);
	elsewhere->started = false;
}

void elsewhere_free(struct live *live)
{
	if (live->elsewhere == NULL)
		return;
	pthread_cond_destroy(&live->elsewhere->wake);
	pthread_mutex_destroy(&live->elsewhere->lock);
	free(live->elsewhere);
}

/* ---- waiting ---- */

static void note_over(void *context, const struct task *task)
{
	*(bool *)context = task->live == NULL || task->live->phase == LIVE_ENDED;
}

static bool is_over(struct live *live, const struct id *id)
{
	struct error error;
	bool over = false;
	enum error_code code = task_store_get(live->store, id, note_over, &over, &error);

	return over || code == ERROR_NOT_FOUND;
}

bool elsewhere_wait(struct live *live, const struct id *id, const struct live_patience *patience, int64_t until_ns)
{
	struct event_filter filter = { .of_job = true, .job = *id };
	struct event_wait wait = { .push = NULL };
	struct event_subscription *subscription;
	enum event_news news = EVENT_NEWS;
	struct error error;
	int64_t from, left_ms;
	bool over = false;

	if (live->events == NULL ||
		event_subscribe(live->events, &filter, EVENT_BRIEF, INT_MAX, &subscription, &from, &error) != ERROR_NONE)
		return is_over(live, id);
	while (news != EVENT_END && !atomic_load_explicit(&live->leaving, memory_order_relaxed)) {
		over = news != EVENT_SILENCE && is_over(live, id);
		left_ms = (until_ns - clock_monotonic_ns()) / 1000000;
		if (over || left_ms <= 0 || (patience->over != NULL && patience->over(patience->context)))
			break;
		wait.timeout_ms = left_ms < WAIT_SLICE_MS ? (int)left_ms + 1 : WAIT_SLICE_MS;
		news = event_await(subscription, &wait);
		if (news == EVENT_NEWS)
			event_item_release(wait.item);
	}
	event_unsubscribe(subscription);
	return over;
}
