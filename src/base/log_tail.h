/* log_tail.h - the newest lines of the log in memory, numbered since the start, for who looks on.
 *
 * Who logs never waits for who reads: a reader holds the lock for a few lines at a time. At most LIMIT_LOG_TAIL_LINES are kept, each as long as it is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct log_tail_line {
	uint64_t n; /* from 1 */
	enum log_level level;
	char text[LOG_LINE_BYTES + 1]; /* without its newline */
};

/* A line that is logged, cleaned and whole, with its newline. Any thread. */
void log_tail_add(const struct log_line *line);

/* The numbers of the oldest and the newest line in memory; both 0: there is none. Any thread. */
void log_tail_range(uint64_t *oldest, uint64_t *newest);

/* Copies up to `count` lines from number `from` on, in order; of those that are gone by now the first that is left comes first. Returns how many. Any
 * thread. */
size_t log_tail_read(uint64_t from, struct log_tail_line *lines, size_t count);

/* Frees all lines; the numbers go on. */
void log_tail_clear(void);
