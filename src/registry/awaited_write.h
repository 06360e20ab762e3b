/* awaited_write.h - a write of the store that a thread waits for, with a deadline.
 *
 * Who gives up takes it back, or says that it may have been made: it owns all that it needs, and outlives who waits for it. */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include "registry/store.h"

struct awaited_write {
	struct store_write write;		       /* first; all but `done` is filled in by who makes it */
	void (*forget)(struct awaited_write *awaited); /* frees it, and what its write points to; any thread */
	_Atomic int holders;			       /* who waits, and the store */
	sem_t written;
	_Atomic bool ended; /* for ThreadSanitizer, which does not know sem_clockwait() */
};

/* Gives it to the store and waits. *outcome: what became of it, if ERROR_NONE: it was written, or the store says that there was no need. ERROR_BUSY: the
 * registry did not get to it, nothing was changed; ERROR_PENDING: it may be written yet; else what the store said. It is forgotten in any case, perhaps later.
 * HTTP threads. */
enum error_code awaited_write_run(
	struct awaited_write *awaited, struct task_store *store, enum store_outcome *outcome, struct error *error);
