/* run_queue.h - which call the engine runs next: a queue for each script, and turns between scripts. For this folder only.
 *
 * Whoever calls holds the engine's lock. Nothing here allocates: the lists go through scripts and calls. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct run_queue {
	struct provider *first, **last; /* scripts that have something to run; the first has its turn next */
};

enum run_kind { RUN_FRESH = 0, RUN_ANSWERED, RUN_PAUSED };

void run_queue_init(struct run_queue *queue);
void run_queue_add(struct run_queue *queue, struct engine_call *call, enum run_kind kind);

/* Takes a call out that is not begun. False: it is not there (any more). */
bool run_queue_withdraw(struct run_queue *queue, struct engine_call *call);

/* The next call, or NULL. */
struct engine_call *run_queue_take(struct run_queue *queue, int64_t now_ns, enum run_kind *kind);

/* When there is something to take (monotonic); INT64_MAX: the queue is empty. */
int64_t run_queue_due(const struct run_queue *queue);
