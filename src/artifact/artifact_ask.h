/* artifact_ask.h - what HTTP threads ask the artifacts thread to do, and wait for (for this folder of src/ only).
 *
 * Who asks waits on its own thread; the last of both frees it. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "net/loop.h"

struct artifact_ask {
	struct artifact_ask *next;
	sem_t done;
	_Atomic int holders;
	_Atomic bool ended; /* for ThreadSanitizer, which does not know sem_clockwait() */
	enum error_code code;
	struct error error;
	void (*run)(void *context,
		struct artifact_ask *ask); /* on the artifacts thread; artifact_ask_end() comes from there or later */
	void *context;
};

/* Those that wait for the thread. */
struct artifact_asks {
	pthread_mutex_t lock;
	struct artifact_ask *first, **last;
	struct loop *loop; /* of the thread */
};

void artifact_asks_init(struct artifact_asks *asks);
void artifact_asks_free(struct artifact_asks *asks);

/* The first member of something larger, of `bytes`, all zero else. */
void *artifact_ask_new(size_t bytes, void (*run)(void *context, struct artifact_ask *ask), void *context);

/* Asks, and waits at most so long. ERROR_BUSY: not in time; it may be done yet. The ask is not the caller's any more. */
enum error_code artifact_ask_wait(
	struct artifact_asks *asks, struct artifact_ask *ask, int timeout_ms, const char *late, struct error *error);

/* Asks, and does not wait. */
void artifact_ask_leave(struct artifact_asks *asks, struct artifact_ask *ask);

/* ---- the artifacts thread ---- */

/* Runs all that wait. */
void artifact_asks_run(struct artifact_asks *asks);

/* It is done, or has failed as its code says. */
void artifact_ask_end(struct artifact_ask *ask);
