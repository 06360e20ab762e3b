/* provider_queue.c - one queue for each provider: who may be sent now, and who may have a call of the script. Engine thread.
 *
 * A job that is to be sent stands in its provider's queue, first come first served, until max_concurrent and rate_per_minute let it out: lane.c knows
 * about when, the store decides, and a job that it holds back stands where it stood. Nothing is sent
 * while live execution is stopped, or the gate is shut for the provider; of a kind whose flag is off nothing is, and others pass by. Calls that wait for the vendor are bounded, for each holds memory
 * of the script's state; what is due beyond that waits its turn. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cluster/cluster.h"

#define SECOND_NS 1000000000LL
#define TRUST_SECONDS 0.25

static void provider_queue_due(struct timer *timer)
{
	provider_queue_send((struct provider_queue *)(void *)timer);
}

struct provider_queue *provider_queue_of(struct live *live, const char *provider)
{
	struct provider_queue *queue;

	for (queue = live->provider_queues; queue != NULL; queue = queue->next)
		if (strcmp(queue->provider, provider) == 0)
			return queue;
	queue = memory_new(sizeof *queue);
	queue->live = live;
	queue->provider = memory_copy_text(provider);
	queue->timer = (struct timer){ .due_ns = INT64_MAX, .fire = provider_queue_due };
	for (size_t i = 0; i < QUEUE_KINDS; i++)
		queue->ready[i].last = &queue->ready[i].first;
	queue->due.last = &queue->due.first;
	queue->next = live->provider_queues;
	live->provider_queues = queue;
	return queue;
}

void provider_queues_free(struct live *live)
{
	struct provider_queue *next;

	for (; live->provider_queues != NULL; live->provider_queues = next) {
		next = live->provider_queues->next;
		json_decref(live->provider_queues->claimed);
		free(live->provider_queues->provider);
		free(live->provider_queues);
	}
}

void provider_queue_block(struct live_job *job, double seconds)
{
	int64_t until_ns = schedule_after(seconds);

	job->block_ms = (until_ns - clock_monotonic_ns()) / 1000000 + 1;
	lane_block(job->provider_queue, until_ns);
}

/* Those that were under way together count once. */
int provider_queue_refused(struct provider_queue *queue)
{
	return queue->blocked_ns > clock_monotonic_ns() ? queue->refusals - (queue->refusals > 0) : queue->refusals++;
}

void provider_queue_taken(struct provider_queue *queue)
{
	queue->refusals = 0;
}

/* ---- queues ---- */

static void provider_queue_enter(struct job_queue *queue, struct live_job *job)
{
	if (job->queue != NULL)
		return;
	job->queue = queue;
	job->next_queued = NULL;
	*queue->last = job;
	queue->last = &job->next_queued;
}

void provider_queue_wait(struct live_job *job)
{
	const struct kind *kind = kind_named(job->kind);

	if (job->queue == NULL)
		job->ready_number = ++job->provider_queue->readied;
	provider_queue_enter(&job->provider_queue->ready[kind != NULL ? kind_place(kind) : KIND_COUNT], job);
}

void provider_queue_return(struct live_job *job)
{
	const struct kind *kind = kind_named(job->kind);
	struct job_queue *queue = &job->provider_queue->ready[kind != NULL ? kind_place(kind) : KIND_COUNT];
	struct live_job **link = &queue->first;

	while (*link != NULL && (*link)->ready_number < job->ready_number)
		link = &(*link)->next_queued;
	job->next_queued = *link;
	*link = job;
	if (job->next_queued == NULL)
		queue->last = &job->next_queued;
	job->queue = queue;
}

static bool provider_queue_has_ready(const struct provider_queue *queue)
{
	for (size_t i = 0; i < QUEUE_KINDS; i++)
		if (queue->ready[i].first != NULL)
			return true;
	return false;
}

void provider_queue_leave(struct live_job *job)
{
	struct job_queue *queue = job->queue;
	struct live_job **link;

	if (queue == NULL)
		return;
	for (link = &queue->first; *link != job; link = &(*link)->next_queued)
		;
	*link = job->next_queued;
	if (job->next_queued == NULL)
		queue->last = link;
	job->queue = NULL;
}

/* ---- calls ---- */

static bool provider_queue_has_room(const struct provider_queue *queue, size_t bytes)
{
	return queue->calls == 0 || (queue->calls < LIMIT_LIVE_CALLS && queue->call_bytes + bytes <= LIMIT_LIVE_CALL_BYTES);
}

void provider_queue_call(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;

	if (job->queue == NULL && queue->due.first == NULL && provider_queue_has_room(queue, 0))
		job_call_start(job, schedule_wanted(job));
	else
		provider_queue_enter(&queue->due, job);
}

void provider_queue_calls_changed(struct provider_queue *queue)
{
	struct live_job *job;

	while ((job = queue->due.first) != NULL && provider_queue_has_room(queue, 0) &&
		!engine_is_stopping(queue->live->engine)) {
		provider_queue_leave(job);
		job_call_start(job, schedule_wanted(job));
	}
	if (provider_queue_has_ready(queue))
		provider_queue_send(queue);
}

/* ---- sending ---- */

static size_t provider_queue_bytes(const struct live_job *job)
{
	return job->live.request != NULL ? strlen(job->live.request) : 0;
}

/* When the queue may send this job; 0: now; INT64_MAX: when one of its jobs or calls has ended. */
static int64_t provider_queue_opens(
	struct provider_queue *queue, const struct live_job *job, const struct config_live_provider *own, int64_t now_ns)
{
	if (queue->blocked_ns <= now_ns && !provider_queue_has_room(queue, provider_queue_bytes(job)))
		return INT64_MAX;
	return lane_opens(queue, job, own, now_ns);
}

static bool provider_queue_wants_out(const struct live_job *job)
{
	return job->action == ACTION_NONE && (job->want_cancel || clock_unix_ms() >= job->live.deadline_ms);
}

/* A job that is to be canceled, or is overdue, does not wait for its turn. */
bool provider_queue_leaves_unsent(struct live_job *job)
{
	if (!provider_queue_wants_out(job))
		return false;
	provider_queue_leave(job);
	if (job->want_cancel)
		outcome_end(job, TASK_CANCELED, "canceled", "canceled before it was sent", false);
	else
		outcome_end(job, TASK_ERROR, "timeout", "the job waited too long to be sent; nothing was sent", false);
	return true;
}

/* One look at the queue: why jobs of each kind may not be sent now, found out once for each. */
struct queue_look {
	struct provider_queue *queue;
	const struct gate_view *view;
	const struct config_live_provider *own;
	bool asked[QUEUE_KINDS];
	const char *why[QUEUE_KINDS]; /* NULL: they may */
	bool holds;		      /* one of them */
};

static bool queue_look_holds(struct queue_look *look, size_t place, const struct live_job *job)
{
	if (!look->asked[place])
		look->why[place] = switch_held_back(look->queue->live, look->view, job->kind, look->queue->provider, &look->own);
	look->asked[place] = true;
	look->holds |= look->why[place] != NULL;
	return look->why[place] != NULL;
}

/* The first that wants out, or may be sent. NULL: none, or its reason is being written, and then it comes back. */
static struct live_job *queue_look_next(struct queue_look *look)
{
	struct live_job *next = NULL;

	for (size_t i = 0; i < QUEUE_KINDS; i++) {
		struct live_job *job = look->queue->ready[i].first;

		if (job == NULL)
			continue;
		if (provider_queue_wants_out(job))
			return job;
		if (!queue_look_holds(look, i, job) && (next == NULL || job->ready_number < next->ready_number))
			next = job;
	}
	return next != NULL && next->action == ACTION_NONE ? next : NULL;
}

static void queue_look_write_reason(struct live_job *first, const char *why)
{
	for (struct live_job *job = first; job != NULL; job = job->next_queued) {
		if (job->action != ACTION_NONE || (job->live.reason != NULL && strcmp(job->live.reason, why) == 0))
			continue;
		job_set_text(&job->live.reason, why);
		record_job(job, false, "queued", schedule_next);
	}
}

/* In the registry too, where clients look. The jobs keep their places while that is written. */
static void queue_look_write_reasons(struct queue_look *look)
{
	struct live *live = look->queue->live;

	for (size_t i = 0; i < QUEUE_KINDS; i++)
		if (look->why[i] != NULL)
			queue_look_write_reason(look->queue->ready[i].first, look->why[i]);
	timer_set(live, &live->gate_timer, clock_monotonic_ns() + LIMIT_LIVE_GATE_SECONDS * SECOND_NS);
}

static void provider_queue_send_one(struct live_job *job)
{
	provider_queue_leave(job);
	timer_clear(job->owner, &job->timer);
	lane_start(job);
	job_call_start(job, ACTION_SUBMIT);
}

void provider_queue_send(struct provider_queue *queue)
{
	struct queue_look look = { .queue = queue };
	int64_t opens = 0, now_ns = clock_monotonic_ns();
	struct live_job *job;

	/* what cannot be sent comes back here from within the loop below: it goes on by itself, the stack would not hold a long queue */
	if (queue->sending)
		return;
	if (!cluster_trusts(queue->live->cluster, true)) { /* nobody knows whose the jobs are now */
		timer_set(queue->live, &queue->timer, schedule_after(TRUST_SECONDS));
		return;
	}
	queue->sending = true;
	look.view = gate_acquire(queue->live->gate);
	while (!engine_is_stopping(queue->live->engine) && (job = queue_look_next(&look)) != NULL) {
		if (provider_queue_leaves_unsent(job))
			continue;
		opens = provider_queue_opens(queue, job, look.own, now_ns);
		if (opens != 0)
			break;
		provider_queue_send_one(job);
	}
	queue->sending = false;
	if (look.holds)
		queue_look_write_reasons(&look);
	if (opens != 0 && opens != INT64_MAX)
		timer_set(queue->live, &queue->timer, opens);
	gate_release(queue->live->gate, look.view);
}

void provider_queues_send(struct live *live)
{
	for (struct provider_queue *queue = live->provider_queues; queue != NULL; queue = queue->next)
		provider_queue_send(queue);
}
