/* alarm.h - looks after script code that a count of instructions alone would let run for minutes: each of them may be a long call
 * into C (a slow pattern, a copy of megabytes).
 *
 * Each thread that runs scripts gets a timer on its own CPU clock. Its first tick in a call sets the hook that counts; one that comes when the
 * watched state is over its time sets the hook to the very next instruction, as lua.c does for an interrupt. */
#pragma once

#include <stdbool.h>

struct script_state;

/* From now on this thread runs code of `state`; NULL: of none. False when there is no timer: then the caller must set a hook itself. */
bool script_alarm_watch(struct script_state *state);
