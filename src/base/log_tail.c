/* log_tail.c - a ring of the newest lines. Any thread.
 *
 * Owns the lines, under a mutex that no writer of files takes: it is held to put one pointer into the ring, or to copy a few lines out of it. Memory is
 * taken and given back outside of it. */
#include "base/log_tail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

#define LINES_AT_ONCE 8 /* copied under the lock: 16 KiB at most */

struct kept_line {
	enum log_level level;
	size_t length;
	char text[];
};

static struct {
	pthread_mutex_t lock;
	struct kept_line *lines[LIMIT_LOG_TAIL_LINES]; /* number n stands at n % LIMIT_LOG_TAIL_LINES */
	uint64_t newest;
	uint64_t kept; /* of the newest, how many are there */
} tail = { .lock = PTHREAD_MUTEX_INITIALIZER };

void log_tail_add(const struct log_line *line)
{
	size_t length = line->length > 0 ? line->length - 1 : 0;
	struct kept_line *fresh = memory_new(sizeof *fresh + length + 1), *old;
	struct kept_line **place;

	fresh->level = line->level;
	fresh->length = length;
	memcpy(fresh->text, line->text, length);
	pthread_mutex_lock(&tail.lock);
	place = &tail.lines[++tail.newest % LIMIT_LOG_TAIL_LINES];
	old = *place;
	*place = fresh;
	if (tail.kept < LIMIT_LOG_TAIL_LINES)
		tail.kept++;
	pthread_mutex_unlock(&tail.lock);
	free(old);
}

void log_tail_range(uint64_t *oldest, uint64_t *newest)
{
	pthread_mutex_lock(&tail.lock);
	*newest = tail.newest;
	*oldest = tail.kept > 0 ? tail.newest - tail.kept + 1 : 0;
	pthread_mutex_unlock(&tail.lock);
}

static void copy_line(const struct kept_line *line, uint64_t n, struct log_tail_line *copy)
{
	copy->n = n;
	copy->level = line->level;
	memcpy(copy->text, line->text, line->length + 1);
}

/* Under the lock for some lines at most. */
static size_t read_few(uint64_t from, struct log_tail_line *lines, size_t count)
{
	size_t copied = 0;

	pthread_mutex_lock(&tail.lock);
	if (from + tail.kept <= tail.newest)
		from = tail.newest - tail.kept + 1;
	while (copied < count && tail.kept > 0 && from <= tail.newest) {
		copy_line(tail.lines[from % LIMIT_LOG_TAIL_LINES], from, &lines[copied++]);
		from++;
	}
	pthread_mutex_unlock(&tail.lock);
	return copied;
}

size_t log_tail_read(uint64_t from, struct log_tail_line *lines, size_t count)
{
	size_t copied = 0, few, wanted;

	do {
		wanted = count - copied < LINES_AT_ONCE ? count - copied : LINES_AT_ONCE;
		few = read_few(from, lines + copied, wanted);
		if (few > 0)
			from = lines[copied + few - 1].n + 1;
		copied += few;
	} while (few == wanted && copied < count);
	return copied;
}

void log_tail_clear(void)
{
	pthread_mutex_lock(&tail.lock);
	for (size_t i = 0; i < LIMIT_LOG_TAIL_LINES; i++) {
		free(tail.lines[i]);
		tail.lines[i] = NULL;
	}
	tail.kept = 0;
	pthread_mutex_unlock(&tail.lock);
}
