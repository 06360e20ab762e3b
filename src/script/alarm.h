/* alarm.h - looks after script code that a count of instructions alone would let run for minutes: each of them may be a long call
 * into C (a slow pattern, a copy of megabytes).
 *
 * A thread that runs scripts gets ticks: signals, while it computes, from a timer on its own CPU clock, or from whoever looks after it. The first tick in
 * a call sets the hook that counts; one that comes when the watched state is over its time sets the hook to the very next instruction, as lua.c does
 * for an interrupt. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#define ALARM_SIGNAL SIGUSR2

struct script_state;

/* From now on this thread runs code of `state`; NULL: of none. False when no ticks come: then the caller must set a hook itself. */
bool script_alarm_watch(struct script_state *state);

/* This thread is sent ticks by another one while it runs scripts: it needs no timer. */
void script_alarm_take_ticks(void);
