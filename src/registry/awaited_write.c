/* awaited_write.c - waits for a write. HTTP threads; ends on the store's. */
#include "registry/awaited_write.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/test_setting.h"

/* Store thread. Who waits lets go of it last, so what its end leads to has happened when the thread that waited goes on. */
static void on_awaited_written(struct store_write *write)
{
	struct awaited_write *awaited = (struct awaited_write *)(void *)write;

	if (atomic_exchange(&awaited->stage, STAGE_ENDED) == STAGE_LEFT) {
		awaited_write_release(awaited);
		return;
	}
	atomic_fetch_sub_explicit(&awaited->holders, 1, memory_order_acq_rel);
	sem_post(&awaited->written);
}

void awaited_write_open(struct awaited_write *awaited, void (*forget)(struct awaited_write *awaited))
{
	awaited->forget = forget;
	sem_init(&awaited->written, 0, 0);
	atomic_init(&awaited->holders, 1);
	atomic_init(&awaited->stage, STAGE_OPEN);
	awaited->write.done = on_awaited_written;
}

void awaited_write_release(struct awaited_write *awaited)
{
	if (atomic_fetch_sub_explicit(&awaited->holders, 1, memory_order_acq_rel) > 1)
		return;
	sem_destroy(&awaited->written);
	awaited->forget(awaited);
}

static bool await_written(struct awaited_write *awaited, int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	while (sem_clockwait(&awaited->written, CLOCK_MONOTONIC, &until) == -1)
		if (errno != EINTR)
			return false;
	return atomic_load(&awaited->stage) == STAGE_ENDED; /* ThreadSanitizer does not know sem_clockwait() */
}

/* It is being written, for too long. True: it has ended at this very moment. */
static bool leave(struct awaited_write *awaited)
{
	int open = STAGE_OPEN;

	return !atomic_compare_exchange_strong(&awaited->stage, &open, STAGE_LEFT) && await_written(awaited, INT64_MAX);
}

/* Why it should not wait any longer for the store to begin, or NULL. */
static const char *lose_patience(struct task_store *store, const struct awaited_patience *patience, int64_t deadline_ns)
{
	if (task_store_is_away(store))
		return "the registry cannot be reached";
	if (clock_monotonic_ns() >= deadline_ns)
		return "the registry did not get to it in time";
	return patience != NULL ? patience->over(patience->context) : NULL;
}

/* After task_store_put(). */
static enum awaited_end await_store(
	struct awaited_write *awaited, struct task_store *store, const struct awaited_patience *patience, struct error *error)
{
	int64_t now_ns = clock_monotonic_ns(), look_ns = now_ns;
	int64_t deadline_ns = now_ns + test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS) * 1000000;
	const char *why;

	do {
		look_ns += LIMIT_CALL_LOOK_MS * 1000000LL;
		if (await_written(awaited, look_ns < deadline_ns ? look_ns : deadline_ns))
			return AWAITED_ANSWERED;
		why = lose_patience(store, patience, deadline_ns);
		if (why != NULL && task_store_withdraw(store, &awaited->write)) {
			awaited_write_release(awaited); /* the store's hold */
			error_set(error, ERROR_BUSY, NULL, "%s", why);
			return AWAITED_WITHDRAWN;
		}
	} while (look_ns < deadline_ns);
	deadline_ns = clock_monotonic_ns() + test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS) * 1000000;
	return await_written(awaited, deadline_ns) || leave(awaited) ? AWAITED_ANSWERED : AWAITED_LEFT;
}

enum awaited_end awaited_write_wait(
	struct awaited_write *awaited, struct task_store *store, const struct awaited_patience *patience, struct error *error)
{
	atomic_fetch_add_explicit(&awaited->holders, 1, memory_order_relaxed);
	if (task_store_put(store, &awaited->write) == ERROR_NONE)
		return await_store(awaited, store, patience, error);
	*error = awaited->write.error;
	awaited_write_release(awaited);
	return AWAITED_REFUSED;
}

static enum error_code outcome_of_write(const struct awaited_write *awaited, enum store_outcome *outcome, struct error *error)
{
	*outcome = awaited->write.outcome;
	if (*outcome == STORE_WRITTEN || *outcome == STORE_UNCHANGED)
		return ERROR_NONE;
	*error = awaited->write.error;
	return error->code;
}

enum error_code awaited_write_run(
	struct awaited_write *awaited, struct task_store *store, enum store_outcome *outcome, struct error *error)
{
	struct error problem = { 0 };
	enum error_code code = ERROR_NONE;

	awaited_write_open(awaited, awaited->forget);
	switch (awaited_write_wait(awaited, store, NULL, &problem)) {
	case AWAITED_ANSWERED: code = outcome_of_write(awaited, outcome, error); break;
	case AWAITED_REFUSED:
		*error = problem;
		code = error->code;
		break;
	case AWAITED_WITHDRAWN: code = error_set(error, ERROR_BUSY, NULL, "%s: nothing was changed", problem.message); break;
	case AWAITED_LEFT:
		code = error_set(error, ERROR_PENDING, NULL,
			"the registry is slow: it may have been stored all the same, and is in force after the next start then");
		break;
	}
	awaited_write_release(awaited);
	return code;
}
