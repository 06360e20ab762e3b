/* watchdog.h - notices that a thread does not come back from what it does, and ends the process: what cannot be interrupted, C code in a loop
 * without end, must not hold everything else for ever.
 *
 * A thread that is watched has a pulse. It beats whenever the thread takes something new in hand, and says which script it stands in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define WATCHDOG_EXIT 70 /* the process's exit code: an internal software error */

struct pulse;
struct watchdog;

/* What stood still. */
struct standstill {
	const char *thread; /* "engine"; NULL: the host was told to stop, and did not */
	char file[256];	    /* the script's, "providers/image_fal.lua"; "" when it was in none */
	char step[32];	    /* its function, or "load" */
	uint64_t digest;    /* of the script's text */
	int64_t seconds;
};

#define STANDSTILL_TEXT_BYTES 480

/* "the engine has not come back from providers/image_fal.lua, submit for 8 s: ..." */
void standstill_write(const struct standstill *where, char text[STANDSTILL_TEXT_BYTES]);

/* `stopped` is called once, on the watchdog's thread, before the process ends. */
enum error_code watchdog_start(void (*stopped)(void *context, const struct standstill *standstill), void *context,
	struct watchdog **watchdog, struct error *error);
void watchdog_stop(struct watchdog *watchdog);

/* The process ends at this time (monotonic) whatever it does: it was told to stop, and does not. */
void watchdog_end_at(struct watchdog *watchdog, int64_t deadline_ns);

/* A pulse for a thread of this name (a static text); pulse_free() it before the watchdog stops, or the watchdog does. NULL without a watchdog. */
struct pulse *watchdog_pulse(struct watchdog *watchdog, const char *name);
void pulse_free(struct pulse *pulse);

/* The calling thread is the one that is watched from now on. `pulse` may be NULL in all that follows: nothing is watched. */
void pulse_own(struct pulse *pulse);

/* The thread works, and has taken something new in hand; or it waits for work. */
void pulse_beat(struct pulse *pulse);
void pulse_rest(struct pulse *pulse);

/* The thread goes into a script; or has come back. The texts stay until then. */
void pulse_enter(struct pulse *pulse, const char *file, const char *step, uint64_t digest);
void pulse_leave(struct pulse *pulse);

/* The same in one, of a pulse that is no thread's but a script's: the calling thread, `task` by gettid(), owns it until it has come back. */
void pulse_lend(struct pulse *pulse, int task, const char *file, const char *step, uint64_t digest);
void pulse_return(struct pulse *pulse);

/* Writes what a thread has stood in for more than a third of LIMIT_WATCHDOG_MS now. False: all come back. Any thread. */
bool watchdog_problem(struct watchdog *watchdog, char *text, size_t size);
