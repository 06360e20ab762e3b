/* counters.h - counters that many threads add to, without a lock and without meeting at one cache line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct counters;

/* `count` counters, all 0. */
struct counters *counters_new(size_t count);
void counters_free(struct counters *counters);

/* Any thread. */
void counters_add(struct counters *counters, size_t index, uint64_t amount);

/* What was added so far; what is being added may be missing. Any thread. */
uint64_t counters_sum(const struct counters *counters, size_t index);
