/* stack.h - a stack beside the thread's own, for what needs more of it than the thread has: civetweb's threads have 100 KiB. */
#pragma once

#include <stddef.h>

struct stack;

/* A stack of at least so many bytes, with a page below it that ends the process when it is touched. Memory is taken as it is used. NULL: the process
 * has no address space left. */
struct stack *stack_new(size_t bytes);
void stack_free(struct stack *stack); /* NULL: does nothing */

/* Calls run(context) on this stack and returns when it does. The thread stays the same, with its thread-local variables. It must not be running
 * on this stack already, and `run` must not leave by longjmp(). */
void stack_run(struct stack *stack, void (*run)(void *context), void *context);
