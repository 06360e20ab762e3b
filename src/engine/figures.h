/* figures.h - what an engine counts of itself and of vendors. The engine's thread writes, any thread reads. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/limits.h"
#include "net/response.h"

enum upstream_outcome { UPSTREAM_2XX = 0, UPSTREAM_3XX, UPSTREAM_4XX, UPSTREAM_5XX, UPSTREAM_FAILED, UPSTREAM_OUTCOMES };

struct upstream_figures {
	char provider[64];
	_Atomic uint64_t outcomes[UPSTREAM_OUTCOMES];
	_Atomic uint64_t times[HISTOGRAM_COUNTERS];
};

struct engine_figures {
	_Atomic uint64_t calls;	    /* taken from the mailbox */
	_Atomic uint64_t waited_us; /* they waited there, all together */
	_Atomic int64_t lag_us;	    /* the newest of them */
	_Atomic int upstream_count; /* published after its entry is complete */
	struct upstream_figures upstream[LIMIT_PROVIDERS];
};

/* Engine thread. */
void figures_note_wait(struct engine_figures *figures, int64_t waited_us);
void figures_note_answer(
	struct engine_figures *figures, const char *provider, const struct response *response, int64_t microseconds);
