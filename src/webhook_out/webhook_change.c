/* webhook_change.c - one change of a webhook, written and waited for with a deadline. HTTP threads; ends on the store's.
 *
 * Who gives up takes the change back, or says that it may have been made: the write owns all it needs, and outlives who waits for it. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/test_setting.h"

#define CHANGE_TEXTS 5

struct awaited_change {
	struct store_write write; /* first */
	struct webhook_change change;
	char *texts[CHANGE_TEXTS];
	_Atomic int holders; /* who waits, and the store */
	sem_t written;
	_Atomic bool ended; /* for ThreadSanitizer, which does not know sem_clockwait() */
};

static void copy_change(struct awaited_change *awaited, const struct webhook_change *change)
{
	struct webhook_row *row = &awaited->change.webhook;
	const char **texts[CHANGE_TEXTS] = { &row->url, &row->events, &row->secret, &row->earlier_secret, &row->caller };

	awaited->change = *change;
	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		*texts[i] = awaited->texts[i] = memory_copy_text(*texts[i]);
}

static void release_change(struct awaited_change *awaited)
{
	if (atomic_fetch_sub(&awaited->holders, 1) > 1)
		return;
	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		webhook_wipe(awaited->texts[i]);
	sem_destroy(&awaited->written);
	free(awaited);
}

/* Store thread. */
static void on_change_written(struct store_write *write)
{
	struct awaited_change *awaited = (struct awaited_change *)(void *)write;

	atomic_store(&awaited->ended, true);
	sem_post(&awaited->written);
	release_change(awaited);
}

static bool await_change(struct awaited_change *awaited, int64_t wait_ms)
{
	int64_t until_ns = clock_monotonic_ns() + wait_ms * 1000000;
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	while (sem_clockwait(&awaited->written, CLOCK_MONOTONIC, &until) == -1)
		if (errno != EINTR)
			return false;
	return atomic_load(&awaited->ended);
}

/* After task_store_put(). */
static enum error_code outcome_of_change(struct awaited_change *awaited, struct task_store *store, struct error *error)
{
	if (!await_change(awaited, test_setting(TEST_CALL_WAIT_MS, LIMIT_CALL_WAIT_MS))) {
		if (task_store_withdraw(store, &awaited->write)) {
			release_change(awaited); /* the store's hold */
			return error_set(error, ERROR_BUSY, NULL, "the registry did not get to it in time: nothing was changed");
		}
		if (!await_change(awaited, test_setting(TEST_COMMIT_WAIT_MS, LIMIT_COMMIT_WAIT_MS)))
			return error_set(error, ERROR_PENDING, NULL,
				"the registry is slow: it may have been stored all the same, and is in force after the next "
				"start then");
	}
	if (awaited->write.outcome == STORE_WRITTEN)
		return ERROR_NONE;
	*error = awaited->write.error;
	return error->code;
}

enum error_code webhook_change_store(struct task_store *store, const struct webhook_change *change, struct error *error)
{
	struct awaited_change *awaited = memory_new(sizeof *awaited);
	enum error_code code;

	sem_init(&awaited->written, 0, 0);
	atomic_init(&awaited->holders, 2);
	copy_change(awaited, change);
	awaited->write = (struct store_write){ .kind = STORE_WEBHOOKS,
		.webhook_changes = &awaited->change,
		.webhook_change_count = 1,
		.durable = true,
		.done = on_change_written };
	code = task_store_put(store, &awaited->write);
	if (code == ERROR_NONE) {
		code = outcome_of_change(awaited, store, error);
	} else {
		*error = awaited->write.error;
		release_change(awaited); /* the store's hold */
	}
	release_change(awaited);
	return code;
}
