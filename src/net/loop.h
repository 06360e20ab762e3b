/* loop.h - the event loop of a thread that makes outgoing requests: its transfers (transfer.h), how long it sleeps, and who wakes it.
 *
 * An object without globals: each thread of the host that sends something has one, and is its owner. All but loop_wake() is for the owner. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct loop;
struct pulse;

/* `pulse`, or NULL, is told when the owner sleeps, and when it goes on. ERROR_IO: there is no descriptor left. Before the owner's thread starts. */
enum error_code loop_new(struct pulse *pulse, struct loop **loop, struct error *error);

/* When no transfer is under way (transfers_abort()) and nobody can wake it any more. NULL does nothing. */
void loop_free(struct loop *loop);

/* The next, or present, loop_run_once() does not sleep: called after something was put where the owner looks for it. Costs a system call only when
 * the owner sleeps. Any thread; never blocks. */
void loop_wake(struct loop *loop);

/* Sleeps until `until_ns` (monotonic; 0: not at all, INT64_MAX: for as long as it takes), until something comes for a transfer, or until it is woken.
 * Then drives the transfers, and calls `done` for those that have ended. */
void loop_run_once(struct loop *loop, int64_t until_ns);
