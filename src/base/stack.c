/* stack.c - switches the stack pointer around one call. Some instructions where the machine is known; elsewhere makecontext(), which costs two system
 * calls for the signal mask. Sanitizers and valgrind are told, since they keep books of stacks. */
#include "base/stack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/sanitizer.h"

#if ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

struct stack {
	char *memory;
	size_t bytes; /* with the guard page */
	unsigned valgrind_id;
};

/* Of one stack_run(); it lies on the thread's own stack. */
struct visit {
	void (*run)(void *context);
	void *context;
	const void *own_bottom; /* the thread's stack, for the address sanitizer */
	size_t own_size;
};

struct stack *stack_new(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct stack *stack = memory_new(sizeof *stack);

	stack->bytes = (bytes + page - 1) / page * page + page;
	stack->memory =
		mmap(NULL, stack->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stack->memory == MAP_FAILED || mprotect(stack->memory, page, PROT_NONE) != 0) {
		if (stack->memory != MAP_FAILED)
			munmap(stack->memory, stack->bytes);
		free(stack);
		return NULL;
	}
	stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->memory, stack->memory + stack->bytes);
	return stack;
}

void stack_free(struct stack *stack)
{
	if (stack == NULL)
		return;
	VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
	munmap(stack->memory, stack->bytes);
	free(stack);
}

/* On the new stack. */
static void arrive(void *argument)
{
	struct visit *visit = argument;

#if ADDRESS_SANITIZER
	__sanitizer_finish_switch_fiber(NULL, &visit->own_bottom, &visit->own_size);
#endif
	visit->run(visit->context);
#if ADDRESS_SANITIZER
	__sanitizer_start_switch_fiber(NULL, visit->own_bottom, visit->own_size);
#endif
}

#if defined(__x86_64__)

/* call_on(argument, function, top): the frame pointer keeps the old stack, as callee-saved registers survive the call. */
void call_on(void *argument, void (*function)(void *argument), void *top);
__asm__(".text\n.globl call_on\n.hidden call_on\n.type call_on, @function\n"
	"call_on:\n"
	".cfi_startproc\n"
	"pushq %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n"
	"movq %rsp, %rbp\n.cfi_def_cfa_register %rbp\n"
	"movq %rdx, %rsp\n"
	"callq *%rsi\n"
	"movq %rbp, %rsp\n"
	"popq %rbp\n.cfi_def_cfa %rsp, 8\n"
	"ret\n"
	".cfi_endproc\n.size call_on, . - call_on\n");

#elif defined(__aarch64__)

void call_on(void *argument, void (*function)(void *argument), void *top);
__asm__(".text\n.globl call_on\n.hidden call_on\n.type call_on, %function\n"
	"call_on:\n"
	".cfi_startproc\n"
	"stp x29, x30, [sp, #-16]!\n.cfi_def_cfa_offset 16\n.cfi_offset 29, -16\n.cfi_offset 30, -8\n"
	"mov x29, sp\n.cfi_def_cfa_register 29\n"
	"mov sp, x2\n"
	"blr x1\n"
	"mov sp, x29\n"
	"ldp x29, x30, [sp], #16\n.cfi_def_cfa 31, 0\n.cfi_restore 29\n.cfi_restore 30\n"
	"ret\n"
	".cfi_endproc\n.size call_on, . - call_on\n");

#else

#include <stdint.h>
#include <ucontext.h>

/* makecontext() passes ints only. */
static void call_halves(unsigned high_function, unsigned low_function, unsigned high_argument, unsigned low_argument)
{
	void (*function)(void *) = (void (*)(void *))(uintptr_t)((uint64_t)high_function << 32 | low_function);

	function((void *)(uintptr_t)((uint64_t)high_argument << 32 | low_argument));
}

static void call_on(void *argument, void (*function)(void *argument), void *top)
{
	uint64_t a = (uint64_t)(uintptr_t)argument, f = (uint64_t)(uintptr_t)function;
	ucontext_t here, there;
	size_t half = 64 * 1024; /* only its end counts, where the stack begins */

	getcontext(&there);
	there.uc_stack.ss_sp = (char *)top - half;
	there.uc_stack.ss_size = half;
	there.uc_link = &here;
	makecontext(&there, (void (*)(void))call_halves, 4, (unsigned)(f >> 32), (unsigned)f, (unsigned)(a >> 32), (unsigned)a);
	swapcontext(&here, &there);
}

#endif

void stack_run(struct stack *stack, void (*run)(void *context), void *context)
{
	struct visit visit = { .run = run, .context = context };

#if ADDRESS_SANITIZER
	void *fake_stack;

	__sanitizer_start_switch_fiber(&fake_stack, stack->memory, stack->bytes);
#endif
	call_on(&visit, arrive, stack->memory + stack->bytes);
#if ADDRESS_SANITIZER
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
}
