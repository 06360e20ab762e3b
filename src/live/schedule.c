/* schedule.c - what a job wants now: it is looked at when its timer comes, when somebody asks, and after each of its steps. Engine thread. */
#include "live/internal.h"

#include "base/clock.h"
#include "base/test_setting.h"

/* 0 to 1; for spreading, not for secrets (xorshift). */
double schedule_jitter(struct live *live)
{
	live->random ^= live->random << 13;
	live->random ^= live->random >> 7;
	live->random ^= live->random << 17;
	return (double)(live->random >> 11) / 9007199254740992.0;
}

int64_t schedule_after(double seconds)
{
	return clock_monotonic_ns() + (int64_t)(seconds * 1e9 / (double)test_setting(TEST_HURRY, 1));
}

void schedule_in(struct live *live, struct live_job *job, double seconds)
{
	timer_set(live, &job->timer, schedule_after(seconds));
}

/* A job without a timer is due: one that waits for somebody has a timer that never comes. */
void schedule_never(struct live *live, struct live_job *job)
{
	timer_set(live, &job->timer, INT64_MAX);
}

/* In the queue a job's timer is its deadline; out of it, when it may be tried again. */
static void schedule_queued(struct live *live, struct live_job *job)
{
	int64_t left_ms = job->live.deadline_ms - clock_unix_ms();

	if (provider_queue_leaves_unsent(live, job))
		return;
	if (job->queue == NULL && job->timer.place != 0)
		return;
	if (job->queue == NULL) {
		provider_queue_wait(job);
		timer_set(live, &job->timer, clock_monotonic_ns() + left_ms * 1000000);
	}
	provider_queue_send(live, job->provider_queue);
}

static bool is_due(const struct live_job *job)
{
	return job->timer.place == 0 || job->timer.due_ns <= clock_monotonic_ns();
}

enum action schedule_wanted(const struct live_job *job)
{
	bool over = job->live.stop_ms != 0 && clock_unix_ms() >= job->live.stop_ms;

	if (job->live.phase == LIVE_UNKNOWN)
		return ACTION_RECONCILE;
	if (job->vendor_webhooks != NULL)
		return ACTION_WEBHOOK;
	return job->want_cancel || over ? ACTION_CANCEL : ACTION_POLL;
}

/* Its script made requests a moment ago: who asks for the next call, a client or a vendor's delivery, waits for it. */
static bool rests(struct live *live, struct live_job *job)
{
	if (clock_monotonic_ns() >= job->rests_ns)
		return false;
	if (job->timer.place == 0 || job->timer.due_ns > job->rests_ns)
		timer_set(live, &job->timer, job->rests_ns);
	return true;
}

/* Deliveries that came soon after one that made it poll. */
static void take_nudge(struct live *live, struct live_job *job)
{
	int64_t now = clock_monotonic_ns();

	if (job->nudge_due_ns == 0)
		return;
	if (now < job->nudge_due_ns) {
		if (job->timer.place != 0 && job->timer.due_ns > job->nudge_due_ns)
			timer_set(live, &job->timer, job->nudge_due_ns);
		return;
	}
	job->nudge_due_ns = 0;
	job->nudged_ns = now;
	job->want_poll = true;
}

static void schedule_sent(struct live *live, struct live_job *job)
{
	take_nudge(live, job);
	if (job->want_cancel || ((job->vendor_webhooks != NULL || job->want_poll || is_due(job)) && !rests(live, job)))
		provider_queue_call(live, job);
}

static void schedule_unknown(struct live *live, struct live_job *job)
{
	if ((job->want_poll || is_due(job)) && !rests(live, job))
		provider_queue_call(live, job);
}

void schedule_job(struct live *live, struct live_job *job)
{
	if (job->action != ACTION_NONE || job->completing || engine_is_stopping(live->engine))
		return;
	if (job->resolution != NULL && job->live.phase != LIVE_QUEUED) {
		provider_queue_leave(job);
		outcome_resolve(live, job);
		return;
	}
	switch (job->live.phase) {
	case LIVE_QUEUED: schedule_queued(live, job); break;
	case LIVE_SENT: schedule_sent(live, job); break;
	case LIVE_UNKNOWN: schedule_unknown(live, job); break;
	case LIVE_SENDING:
	case LIVE_ENDED: break;
	}
}

void schedule_due(struct live *live, struct timer *timer)
{
	struct live_job *job = (struct live_job *)(void *)timer;

	if (job->unwritten)
		record_retry(live, job);
	else if (job->completing)
		completion_retry(live, job);
	else
		schedule_job(live, job);
}
