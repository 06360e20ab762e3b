/* history.c - how long the last jobs of each provider and kind took: what an ETA is made of. Any thread, under a mutex held for a copy. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define HISTORY 64

struct history {
	char *provider;
	char *kind;		  /* a video takes longer than an image */
	int64_t took_ms[HISTORY]; /* the last ones, in a ring */
	int count, at;
	struct history *next;
};

static struct history *history_find(struct live *live, const char *provider, const char *kind)
{
	struct history *history;

	for (history = live->history; history != NULL; history = history->next)
		if (strcmp(history->provider, provider) == 0 && strcmp(history->kind, kind) == 0)
			return history;
	return NULL;
}

static struct history *history_make(struct live *live, const char *provider, const char *kind)
{
	struct history *history = memory_new(sizeof *history);

	history->provider = memory_copy_text(provider);
	history->kind = memory_copy_text(kind);
	history->next = live->history;
	live->history = history;
	return history;
}

void history_note(struct live *live, const char *provider, const char *kind, int64_t took_ms)
{
	struct history *history;

	pthread_mutex_lock(&live->history_lock);
	history = history_find(live, provider, kind);
	if (history == NULL)
		history = history_make(live, provider, kind);
	history->took_ms[history->at] = took_ms;
	history->at = (history->at + 1) % HISTORY;
	history->count += history->count < HISTORY;
	pthread_mutex_unlock(&live->history_lock);
}

static int history_compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

int live_history(struct live *live, const char *provider, const char *kind, int64_t *p50_ms, int64_t *p90_ms)
{
	struct history copy = { .count = 0 };
	struct history *history;

	pthread_mutex_lock(&live->history_lock);
	history = history_find(live, provider, kind);
	if (history != NULL)
		copy = *history;
	pthread_mutex_unlock(&live->history_lock);
	if (copy.count == 0)
		return 0;
	qsort(copy.took_ms, (size_t)copy.count, sizeof *copy.took_ms, history_compare);
	*p50_ms = copy.took_ms[(copy.count - 1) / 2];
	*p90_ms = copy.took_ms[(copy.count - 1) * 9 / 10];
	return copy.count;
}

void history_free(struct live *live)
{
	struct history *next;

	for (; live->history != NULL; live->history = next) {
		next = live->history->next;
		free(live->history->provider);
		free(live->history->kind);
		free(live->history);
	}
}
