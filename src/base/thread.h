/* thread.h - threads with names, and the condition variables that they wait on. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "base/error.h"

/* Starts `run(context)` as a thread that is called `name` (at most 15 bytes), with a stack of so many bytes; 0: the system's. Whoever started it
 * joins it. ERROR_IO: the system gives no thread. */
enum error_code thread_start(
	pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *), void *context, struct error *error);

/* A condition variable whose deadlines are times of CLOCK_MONOTONIC: clocks that are set do not move them. */
void thread_init_condition(pthread_cond_t *condition);
