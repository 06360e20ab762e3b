/* counters.c - each counter is there once for every group of cores; who reads adds them up. Any thread. */
#include "base/counters.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"

#define GROUPS 8 /* a power of two */
#define LINE_BYTES 64
#define PER_LINE (LINE_BYTES / sizeof(uint64_t))

struct counters {
	size_t stride; /* counters from one group to the next, in whole cache lines */
	_Atomic uint64_t *values;
	void *block; /* where they are, at the first line; groups that no core is in are never backed by memory */
};

struct counters *counters_new(size_t count)
{
	struct counters *counters = memory_new(sizeof *counters);

	counters->stride = (count + PER_LINE - 1) / PER_LINE * PER_LINE;
	counters->block = memory_new(GROUPS * counters->stride * sizeof *counters->values + LINE_BYTES);
	counters->values = (void *)(((uintptr_t)counters->block + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
	return counters;
}

void counters_free(struct counters *counters)
{
	if (counters == NULL)
		return;
	free(counters->block);
	free(counters);
}

void counters_add(struct counters *counters, size_t index, uint64_t amount)
{
	size_t group = (size_t)sched_getcpu() & (GROUPS - 1); /* an error is a group too */

	atomic_fetch_add_explicit(&counters->values[group * counters->stride + index], amount, memory_order_relaxed);
}

uint64_t counters_sum(const struct counters *counters, size_t index)
{
	uint64_t sum = 0;

	for (size_t group = 0; group < GROUPS; group++)
		sum += atomic_load_explicit(&counters->values[group * counters->stride + index], memory_order_relaxed);
	return sum;
}
