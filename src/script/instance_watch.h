/* instance_watch.h - looks after calls that run on threads which are not made for scripts: a thread that tells those that take long of the time
 * (alarm.h), and pulses by which the watchdog sees one that never comes back. Threads of HTTP cannot have timers of their own: a signal that came a moment
 * late would interrupt their reading. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/watchdog.h"

struct instance_watch;

/* What is watched: calls, one at a time. The watch's own. */
struct watched {
	struct instance_watch *watch; /* or NULL: nobody watches */
	struct pulse *pulse;
	_Atomic int64_t since_ns; /* monotonic; 0: nothing runs, WATCHED_LATE */
	pthread_t thread;	  /* that runs it */
	struct watched *next;
};

#define WATCHED_LATE (-1) /* it has run for longer than LIMIT_SCRIPT_SLICE_MS, and is told of the time */

/* `watchdog` may be NULL. ERROR_IO: the thread cannot be started. */
enum error_code instance_watch_start(struct watchdog *watchdog, struct instance_watch **watch, struct error *error);
void instance_watch_stop(struct instance_watch *watch); /* when nothing is watched any more; NULL: does nothing */

/* From now on, or no longer. Without a watch they do nothing. */
void watched_open(struct watched *watched, struct instance_watch *watch);
void watched_close(struct watched *watched);

/* Around a stretch of script code on the calling thread; `file` and `step` are texts that stay until its end. Returns when it began (monotonic
 * nanoseconds). */
int64_t watched_begin(struct watched *watched, const char *file, const char *step, uint64_t digest);
void watched_end(struct watched *watched);

/* In between: it waits for something, which is no standstill. */
void watched_beat(struct watched *watched);

/* script_state.crowd of all that it watches; NULL without a watch. */
_Atomic size_t *instance_watch_memory(struct instance_watch *watch);

/* How many threads wait for an instance of any script; a wait begins or ends. Any thread. */
size_t instance_watch_waiting(const struct instance_watch *watch);
void instance_watch_wait(struct instance_watch *watch, bool begins);
