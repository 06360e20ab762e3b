/* schedule.c - what a job wants now: it is looked at when its timer comes, when a request comes, and after each of its steps. Engine thread. */
#include "live/internal.h"

#include "base/clock.h"
#include "base/test_setting.h"
#include "cluster/cluster.h"

#define TRUST_NS 250000000LL

int64_t schedule_after(double seconds)
{
	return clock_monotonic_ns() + (int64_t)(seconds * 1e9 / (double)test_setting(TEST_HURRY, 1));
}

/* One of unknown outcome gives its place back in time, whatever else it waits for. */
static int64_t schedule_least(const struct live_job *job, int64_t due_ns)
{
	bool keeps = job->live.phase == LIVE_UNKNOWN && job->live.slotted;

	return keeps && job->place_ns < due_ns ? job->place_ns : due_ns;
}

void schedule_in(struct live_job *job, double seconds)
{
	timer_set(job->owner, &job->timer, schedule_least(job, schedule_after(seconds)));
}

/* A job without a timer is due: one that waits for somebody has a timer that never comes. */
void schedule_never(struct live_job *job)
{
	timer_set(job->owner, &job->timer, schedule_least(job, INT64_MAX));
}

/* In the queue a job's timer is its deadline; out of it, when it may be tried again. */
static void schedule_queued(struct live_job *job)
{
	int64_t left_ms = job->live.deadline_ms - clock_unix_ms();

	if (provider_queue_leaves_unsent(job))
		return;
	if (job->queue == NULL && job->timer.place != 0)
		return;
	if (job->queue == NULL) {
		provider_queue_wait(job);
		timer_set(job->owner, &job->timer, clock_monotonic_ns() + left_ms * 1000000);
	}
	provider_queue_send(job->provider_queue);
}

static bool schedule_is_due(const struct live_job *job)
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

/* Its script made requests a moment ago: what wants the next call, a client or a vendor's webhook, waits for it. */
static bool schedule_rests(struct live_job *job)
{
	if (clock_monotonic_ns() >= job->rests_ns)
		return false;
	if (job->timer.place == 0 || job->timer.due_ns > job->rests_ns)
		timer_set(job->owner, &job->timer, job->rests_ns);
	return true;
}

/* Webhooks that came soon after one that made it poll. */
static void schedule_nudged(struct live_job *job)
{
	int64_t now = clock_monotonic_ns();

	if (job->nudge_due_ns == 0)
		return;
	if (now < job->nudge_due_ns) {
		if (job->timer.place != 0 && job->timer.due_ns > job->nudge_due_ns)
			timer_set(job->owner, &job->timer, job->nudge_due_ns);
		return;
	}
	job->nudge_due_ns = 0;
	job->nudged_ns = now;
	job->want_poll = true;
}

/* A host that has not reached the registry for a while may not be the job's any more: it asks no vendor, and looks again soon. */
static bool schedule_waits_for_trust(struct live_job *job)
{
	if (cluster_trusts(job->owner->cluster, false))
		return false;
	if (job->timer.place == 0 || schedule_is_due(job))
		timer_set(job->owner, &job->timer, clock_monotonic_ns() + TRUST_NS);
	return true;
}

static void schedule_sent(struct live_job *job)
{
	schedule_nudged(job);
	if (job->want_cancel ||
		((job->vendor_webhooks != NULL || job->want_poll || schedule_is_due(job)) && !schedule_rests(job)))
		provider_queue_call(job);
}

static void schedule_unknown(struct live_job *job)
{
	if (job->live.slotted && clock_monotonic_ns() >= job->place_ns)
		outcome_leave_place(job);
	else if ((job->want_poll || schedule_is_due(job)) && !schedule_rests(job))
		provider_queue_call(job);
}

void schedule_job(struct live_job *job)
{
	if (job->action != ACTION_NONE || job->completion != NULL || engine_is_stopping(job->owner->engine))
		return;
	if (job->resolution != NULL && job->live.phase != LIVE_QUEUED) {
		provider_queue_leave(job);
		outcome_resolve(job);
		return;
	}
	if (job->late != NULL && job->live.phase == LIVE_UNKNOWN) {
		late_step(job);
		return;
	}
	switch (job->live.phase) {
	case LIVE_QUEUED: schedule_queued(job); break;
	case LIVE_SENT:
		if (!schedule_waits_for_trust(job))
			schedule_sent(job);
		break;
	case LIVE_UNKNOWN:
		if (!schedule_waits_for_trust(job))
			schedule_unknown(job);
		break;
	case LIVE_SENDING:
	case LIVE_ENDED: break;
	}
}

void schedule_next(struct live_job *job)
{
	job_notify(job, false, ERROR_NONE, NULL);
	schedule_job(job);
}

void schedule_due(struct timer *timer)
{
	struct live_job *job = (struct live_job *)(void *)timer;

	if (job->unwritten)
		record_retry(job);
	else if (job->completion != NULL)
		completion_go_on(job);
	else
		schedule_job(job);
}
