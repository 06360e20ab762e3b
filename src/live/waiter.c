/* waiter.c - threads that wait for something about a job. They wait on HTTP threads, and are notified on the engine's. */
#include "live/internal.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

#define WAIT_SLICE_NS 250000000LL

struct waiter *waiter_make(enum waiting waiting)
{
	struct waiter *waiter = memory_new(sizeof *waiter);

	sem_init(&waiter->notified, 0, 0);
	atomic_init(&waiter->holders, 2);
	waiter->waiting = waiting;
	return waiter;
}

struct waiter *waiter_make_of_ask(struct live *live, int64_t ask, int64_t asker, enum waiting waiting)
{
	struct waiter *waiter = waiter_make(waiting);

	waiter->live = live;
	waiter->ask = ask;
	waiter->asker = asker;
	atomic_store(&waiter->stage, WAITER_TAKEN);
	waiter_release(waiter);
	return waiter;
}

struct waiter *waiter_hold(struct waiter *waiter)
{
	atomic_fetch_add(&waiter->holders, 1);
	return waiter;
}

void waiter_release(struct waiter *waiter)
{
	if (atomic_fetch_sub_explicit(&waiter->holders, 1, memory_order_acq_rel) != 1)
		return;
	sem_destroy(&waiter->notified);
	free(waiter);
}

bool waiter_take(struct waiter *waiter)
{
	int stage = WAITER_WAITS;

	return atomic_compare_exchange_strong(&waiter->stage, &stage, WAITER_TAKEN) || stage == WAITER_TAKEN;
}

bool waiter_give_up(struct waiter *waiter)
{
	int stage = WAITER_WAITS;

	return atomic_compare_exchange_strong(&waiter->stage, &stage, WAITER_GAVE_UP);
}

/* In slices, so that a host that stops does not wait for its clients' patience. */
bool waiter_wait(struct live *live, struct waiter *waiter, const struct live_patience *patience)
{
	int64_t until = clock_monotonic_ns() + patience->timeout_ms * 1000000LL;
	struct timespec slice;
	int64_t now, next;

	while ((now = clock_monotonic_ns()) < until && !atomic_load_explicit(&live->leaving, memory_order_relaxed)) {
		next = now + WAIT_SLICE_NS < until ? now + WAIT_SLICE_NS : until;
		slice = (struct timespec){ .tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000) };
		if (sem_clockwait(&waiter->notified, CLOCK_MONOTONIC, &slice) == 0)
			return atomic_load_explicit(&waiter->done, memory_order_acquire);
		if (patience->over != NULL && patience->over(patience->context))
			break;
	}
	return false;
}

void waiter_notify(struct waiter *waiter, enum error_code code, const struct error *error)
{
	if (waiter->ask != 0) {
		asked_answer(waiter->live, waiter->ask, waiter->asker, code, error);
		waiter_release(waiter);
		return;
	}
	waiter->code = code;
	if (error != NULL)
		waiter->error = *error;
	atomic_store_explicit(&waiter->done, true, memory_order_release);
	sem_post(&waiter->notified);
	waiter_release(waiter);
}

/* A cancel is answered by the end alone, or by its refusal. */
static bool waiter_waits_on(const struct waiter *waiter, enum error_code code)
{
	return waiter->waiting == WAIT_END || (waiter->waiting == WAIT_CANCEL && code != ERROR_CONFLICT);
}

void job_notify(struct live_job *job, bool ended, enum error_code code, const struct error *error)
{
	struct waiter **link = &job->waiters, *waiter;

	while ((waiter = *link) != NULL) {
		if (!ended && waiter_waits_on(waiter, code)) {
			link = &waiter->next;
		} else {
			*link = waiter->next;
			waiter_notify(waiter, code, error);
		}
	}
}

void job_leave_waiters(struct live_job *job)
{
	struct waiter *waiter, *next;
	struct error error;

	error_set(&error, ERROR_BUSY, NULL, "another host has taken the job over: ask again");
	for (waiter = job->waiters; waiter != NULL; waiter = next) {
		next = waiter->next;
		if (waiter->ask != 0)
			waiter_release(waiter);
		else
			waiter_notify(waiter, ERROR_BUSY, &error);
	}
	job->waiters = NULL;
}
