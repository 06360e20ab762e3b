/* provider_queue.c - one lane for each provider: who may be sent now, and who may have a call of the script. Engine thread.
 *
 * A job that is to be sent stands in its provider's lane, first come first served, until max_concurrent and rate_per_minute let it out. The rate
 * is a bucket that fills steadily and holds a few seconds' worth, so that jobs do not all leave at the beginning of a minute. Nothing is sent
 * while live execution is stopped, or the gate is shut for the provider. Calls that wait for the vendor are bounded, for each holds memory
 * of the script's state; what is due beyond that waits its turn. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

#define SECOND_NS 1000000000LL
#define BURST_SECONDS 10 /* of submits that the rate lets out at once */

static void lane_due(struct live *live, struct timer *timer)
{
	lane_send(live, (struct lane *)(void *)timer);
}

struct lane *lane_of(struct live *live, const char *provider)
{
	struct lane *lane;

	for (lane = live->lanes; lane != NULL; lane = lane->next)
		if (strcmp(lane->provider, provider) == 0)
			return lane;
	lane = calloc(1, sizeof *lane);
	if (lane == NULL)
		return NULL;
	lane->provider = strdup(provider);
	if (lane->provider == NULL || !timers_join(&live->timers)) {
		free(lane->provider);
		free(lane);
		return NULL;
	}
	lane->timer = (struct timer){ .due_ns = INT64_MAX, .fire = lane_due };
	lane->ready.last = &lane->ready.first;
	lane->due.last = &lane->due.first;
	lane->tokens = 1;
	lane->filled_ns = clock_monotonic_ns() - BURST_SECONDS * SECOND_NS;
	lane->next = live->lanes;
	live->lanes = lane;
	return lane;
}

void lanes_free(struct live *live)
{
	struct lane *next;

	for (; live->lanes != NULL; live->lanes = next) {
		next = live->lanes->next;
		for (size_t i = 0; i < LANE_CLAIMS; i++)
			free(live->lanes->claims[i]);
		free(live->lanes->provider);
		free(live->lanes);
	}
}

/* Remembered for a while: reconciling must not find a job that is another's. */
void lane_claim(struct lane *lane, const char *vendor_id)
{
	char *copy = vendor_id != NULL ? strdup(vendor_id) : NULL;

	if (copy == NULL)
		return;
	free(lane->claims[lane->claim_at]);
	lane->claims[lane->claim_at] = copy;
	lane->claim_at = (lane->claim_at + 1) % LANE_CLAIMS;
}

bool lane_has_claim(const struct lane *lane, const char *vendor_id)
{
	for (size_t i = 0; i < LANE_CLAIMS; i++)
		if (lane->claims[i] != NULL && strcmp(lane->claims[i], vendor_id) == 0)
			return true;
	return false;
}

void lane_count(struct live_job *job, bool open)
{
	if (job->lane == NULL || job->counted == open)
		return;
	job->counted = open;
	job->lane->open += open ? 1 : -1;
}

void lane_block(struct live *live, struct lane *lane, double seconds)
{
	int64_t until = schedule_after(seconds);

	if (until > lane->blocked_ns)
		lane->blocked_ns = until;
	timer_set(live, &lane->timer, lane->blocked_ns);
}

/* Those that were under way together count once. */
int lane_refused(struct lane *lane)
{
	return lane->blocked_ns > clock_monotonic_ns() ? lane->refusals - (lane->refusals > 0) : lane->refusals++;
}

void lane_taken(struct lane *lane)
{
	lane->refusals = 0;
}

/* ---- queues ---- */

static void enter(struct job_queue *queue, struct live_job *job)
{
	if (job->queue != NULL)
		return;
	job->queue = queue;
	job->next_queued = NULL;
	*queue->last = job;
	queue->last = &job->next_queued;
}

void lane_wait(struct live_job *job)
{
	enter(&job->lane->ready, job);
}

void lane_leave(struct live_job *job)
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

bool lane_has_room(const struct lane *lane, size_t bytes)
{
	return lane->calls == 0 || (lane->calls < LIMIT_LIVE_CALLS && lane->call_bytes + bytes <= LIMIT_LIVE_CALL_BYTES);
}

void lane_call(struct live *live, struct live_job *job)
{
	struct lane *lane = job->lane;

	if (job->queue == NULL && lane->due.first == NULL && lane_has_room(lane, 0))
		attempt_start(live, job, schedule_wanted(job));
	else
		enter(&lane->due, job);
}

void lane_calls_changed(struct live *live, struct lane *lane)
{
	struct live_job *job;

	while ((job = lane->due.first) != NULL && lane_has_room(lane, 0) && !engine_is_stopping(live->engine)) {
		lane_leave(job);
		attempt_start(live, job, schedule_wanted(job));
	}
	if (lane->ready.first != NULL)
		lane_send(live, lane);
}

/* ---- sending ---- */

static void fill(struct lane *lane, int rate_per_minute, int64_t now_ns)
{
	double per_second = rate_per_minute / 60.0;
	double most = per_second * BURST_SECONDS < 1 ? 1 : per_second * BURST_SECONDS;

	lane->tokens += (double)(now_ns - lane->filled_ns) / 1e9 * per_second;
	if (lane->tokens > most)
		lane->tokens = most;
	lane->filled_ns = now_ns;
}

static size_t request_bytes(const struct live_job *job)
{
	return job->live.request != NULL ? strlen(job->live.request) : 0;
}

/* When the lane may send its next job; 0: now; INT64_MAX: when one of its jobs or calls has ended. */
static int64_t lane_opens(struct lane *lane, const struct config_live_provider *own, int64_t now_ns)
{
	if (lane->blocked_ns > now_ns)
		return lane->blocked_ns;
	if (lane->open >= own->max_concurrent || !lane_has_room(lane, request_bytes(lane->ready.first)))
		return INT64_MAX;
	fill(lane, own->rate_per_minute, now_ns);
	if (lane->tokens >= 1)
		return 0;
	return now_ns + (int64_t)((1 - lane->tokens) * 60e9 / own->rate_per_minute) + 1;
}

/* A job that was told to cancel, or is overdue, does not wait for its turn. */
bool lane_leaves_unsent(struct live *live, struct live_job *job)
{
	bool overdue = clock_unix_ms() >= job->live.deadline_ms;

	if (job->action != ACTION_NONE || (!job->want_cancel && !overdue))
		return false;
	lane_leave(job);
	if (job->want_cancel)
		outcome_end(live, job, TASK_CANCELED, "canceled", "canceled before it was sent", false);
	else
		outcome_end(live, job, TASK_ERROR, "timeout", "the job waited too long to be sent; nothing was sent", false);
	return true;
}

const char *lane_held_back(struct live *live, const char *id, const struct gate_view *view, const char *kind,
	const struct config_live_provider **own)
{
	struct catalog_set *set;
	struct provider *provider;
	struct verdict verdict;
	const char *why = NULL;

	*own = config_live_provider(view->config, id);
	if (live_is_stopped(live))
		return "live execution is stopped: POST /api/live/start starts it again";
	if (*own == NULL)
		return "live execution is switched off for this provider";
	set = catalog_acquire(live->catalog);
	provider = catalog_find(set, kind, id);
	if (provider == NULL)
		why = "the provider's script is not there";
	else if (provider_rests(provider)) /* else each job of the lane would be tried and written down in vain */
		why = "the provider's script rests: it went over its limits again and again";
	else if (gate_judge(view, &provider->subject, NULL, false, &verdict) != ERROR_NONE)
		why = "out of memory";
	else {
		if (!verdict.live_allowed)
			why = "live execution is switched off for this provider: flag, switch, budget or credential";
		verdict_free(&verdict);
	}
	catalog_release(set);
	return why;
}

const char *live_held_back(struct live *live, const char *kind, const char *provider)
{
	const struct gate_view *view = gate_acquire(live->gate);
	const struct config_live_provider *own;
	const char *why = lane_held_back(live, provider, view, kind, &own);

	gate_release(live->gate, view);
	return why;
}

static void said(struct live *live, struct live_job *job)
{
	job_tell(job, false, ERROR_NONE, NULL);
	schedule_job(live, job);
}

/* In the registry too, where clients look. The jobs keep their places while that is written. */
static void say_held_back(struct live *live, struct lane *lane, const char *why)
{
	for (struct live_job *job = lane->ready.first; job != NULL; job = job->next_queued) {
		if (job->action != ACTION_NONE || (job->live.reason != NULL && strcmp(job->live.reason, why) == 0))
			continue;
		if (job_set_text((char **)(uintptr_t)&job->live.reason, why))
			record_job(live, job, false, "queued", said);
	}
	timer_set(live, &live->gate_timer, clock_monotonic_ns() + LIMIT_LIVE_GATE_SECONDS * SECOND_NS);
}

void lane_send(struct live *live, struct lane *lane)
{
	const struct gate_view *view;
	const struct config_live_provider *own = NULL;
	const char *why = NULL;
	int64_t opens = 0, now_ns = clock_monotonic_ns();
	struct live_job *job;

	/* what cannot be sent comes back here from within the loop below: it goes on by itself, the stack would not hold a long lane */
	if (lane->sending)
		return;
	lane->sending = true;
	view = gate_acquire(live->gate);
	/* one whose reason is being written comes back when it is */
	while (lane->ready.first != NULL && lane->ready.first->action == ACTION_NONE && !engine_is_stopping(live->engine)) {
		if (lane_leaves_unsent(live, lane->ready.first))
			continue;
		if (own == NULL && (why = lane_held_back(live, lane->provider, view, lane->ready.first->kind, &own)) != NULL)
			break;
		opens = lane_opens(lane, own, now_ns);
		if (opens != 0)
			break;
		job = lane->ready.first;
		lane_leave(job);
		timer_clear(live, &job->timer);
		lane->tokens -= 1;
		lane_count(job, true);
		attempt_start(live, job, ACTION_SUBMIT);
	}
	lane->sending = false;
	if (lane->ready.first != NULL && why != NULL)
		say_held_back(live, lane, why);
	else if (lane->ready.first != NULL && opens != 0 && opens != INT64_MAX)
		timer_set(live, &lane->timer, opens);
	gate_release(live->gate, view);
}

void lanes_send(struct live *live)
{
	for (struct lane *lane = live->lanes; lane != NULL; lane = lane->next)
		lane_send(live, lane);
}
