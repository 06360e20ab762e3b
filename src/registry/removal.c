/* removal.c - notes that a job's outputs were taken away, and waits until that is on the disk. HTTP threads.
 *
 * The write belongs to two, who waits and the store; the last of them frees it. */
#include "registry/store.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

struct removal {
	struct store_write write; /* first: what the store gives back is this */
	sem_t done;
	_Atomic int holders;
};

static void removal_release(struct removal *removal)
{
	if (atomic_fetch_sub_explicit(&removal->holders, 1, memory_order_acq_rel) != 1)
		return;
	sem_destroy(&removal->done);
	free(removal);
}

static void removal_written(struct store_write *write)
{
	struct removal *removal = (struct removal *)write;

	sem_post(&removal->done);
	removal_release(removal);
}

/* False: not in time. */
static bool removal_wait(struct removal *removal)
{
	int64_t until = clock_monotonic_ns() + LIMIT_STORE_WAIT_MS * INT64_C(1000000);
	struct timespec time = { .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
	int code;

	do
		code = sem_clockwait(&removal->done, CLOCK_MONOTONIC, &time);
	while (code != 0 && errno == EINTR);
	return code == 0;
}

static enum error_code removal_outcome(struct task_store *store, struct removal *removal, struct error *error)
{
	if (removal_wait(removal)) {
		if (removal->write.outcome == STORE_WRITTEN)
			return ERROR_NONE;
		*error = removal->write.error;
		return error->code;
	}
	if (!task_store_withdraw(store, &removal->write))
		return error_set(error, ERROR_PENDING, NULL, "the registry takes long to write it");
	removal_release(removal); /* for the store, which has let go of it */
	return error_set(error, ERROR_BUSY, NULL, "the registry has no time for it");
}

enum error_code task_store_remove_outputs(struct task_store *store, const struct id *id, struct error *error)
{
	struct removal *removal = memory_new(sizeof *removal);
	enum error_code code;

	removal->write = (struct store_write){ .kind = STORE_REMOVE, .task.id = *id, .durable = true, .done = removal_written };
	sem_init(&removal->done, 0, 0);
	atomic_init(&removal->holders, 2);
	code = task_store_put(store, &removal->write);
	if (code == ERROR_NONE) {
		code = removal_outcome(store, removal, error);
	} else {
		error_set(error, code, NULL, "too many writes of the registry are waiting");
		removal_release(removal);
	}
	removal_release(removal);
	return code;
}
