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
	_Atomic int stage;			       /* enum awaited_stage */
	sem_t written;
};

enum awaited_stage {
	STAGE_OPEN = 0,
	STAGE_LEFT,  /* nobody waits for it any more */
	STAGE_ENDED, /* the store has answered: write.outcome */
};

enum awaited_end {
	AWAITED_ANSWERED = 0, /* write.outcome says what became of it */
	AWAITED_REFUSED,      /* the store does not take it now; the error says why */
	AWAITED_WITHDRAWN, /* it was taken back before the store began: the error says why. As when it was refused, nothing was changed */
	AWAITED_LEFT, /* it is being written, and takes too long */
};

/* What is asked every LIMIT_CALL_LOOK_MS: why it should not wait any longer for the store to begin, or NULL. */
struct awaited_patience {
	const char *(*over)(void *context);
	void *context;
};

/* Held by who made it, until awaited_write_release(); then it is forgotten, when the store has let go of it too. Any thread. */
void awaited_write_open(struct awaited_write *awaited, void (*forget)(struct awaited_write *awaited));
void awaited_write_release(struct awaited_write *awaited);

/* Gives it to the store and waits; `patience` may be NULL. HTTP threads. */
enum awaited_end awaited_write_wait(
	struct awaited_write *awaited, struct task_store *store, const struct awaited_patience *patience, struct error *error);

/* The same of one whose `forget` is set, from its opening to its release. *outcome: what became of it, if ERROR_NONE: it was written, or the store says
 * that there was no need. ERROR_BUSY: the registry did not get to it, nothing was changed; ERROR_PENDING: it may be written yet; else what the store said. It is
 * forgotten in any case, perhaps later. HTTP threads. */
enum error_code awaited_write_run(
	struct awaited_write *awaited, struct task_store *store, enum store_outcome *outcome, struct error *error);
