/* awaited_write.c - waits for a write. HTTP threads; ends on the store's. */
#include "registry/awaited_write.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/test_setting.h"

static void release_awaited(struct awaited_write *awaited)
{
	if (atomic_fetch_sub(&awaited->holders, 1) > 1)
		return;
	sem_destroy(&awaited->written);
	awaited->forget(awaited);
}

/* Store thread. */
static void on_awaited_written(struct store_write *write)
{
	struct awaited_write *awaited = (struct awaited_write *)(void *)write;

	atomic_store(&awaited->ended, true);
	sem_post(&awaited->written);
	release_awaited(awaited);
}

static bool await_written(struct awaited_write *awaited, int64_t wait_ms)
{
	int64_t until_ns = clock_monotonic_ns() + wait_ms * 1000000;
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	while (sem_clockwait(&awaited->written, CLOCK_MONOTONIC, &until) == -1)
		if (errno != EINTR)
			return false;
	return atomic_load(&awaited->ended);
}

/* After task_store_put(). */
static enum error_code outcome_of_write(
	struct awaited_write *awaited, struct task_store *store, enum store_outcome *outcome, struct error *error)
{
	if (!await_written(awaited, test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS))) {
		if (task_store_withdraw(store, &awaited->write)) {
			release_awaited(awaited); /* the store's hold */
			return error_set(error, ERROR_BUSY, NULL, "the registry did not get to it in time: nothing was changed");
		}
		if (!await_written(awaited, test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS)))
			return error_set(error, ERROR_PENDING, NULL,
				"the registry is slow: it may have been stored all the same, and is in force after the next "
				"start then");
	}
	*outcome = awaited->write.outcome;
	if (*outcome == STORE_WRITTEN || *outcome == STORE_UNCHANGED)
		return ERROR_NONE;
	*error = awaited->write.error;
	return error->code;
}

enum error_code awaited_write_run(
	struct awaited_write *awaited, struct task_store *store, enum store_outcome *outcome, struct error *error)
{
	enum error_code code;

	sem_init(&awaited->written, 0, 0);
	atomic_init(&awaited->holders, 2);
	atomic_init(&awaited->ended, false);
	awaited->write.done = on_awaited_written;
	code = task_store_put(store, &awaited->write);
	if (code == ERROR_NONE) {
		code = outcome_of_write(awaited, store, outcome, error);
	} else {
		*error = awaited->write.error;
		release_awaited(awaited); /* the store's hold */
	}
	release_awaited(awaited);
	return code;
}
