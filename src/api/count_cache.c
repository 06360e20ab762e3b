/* count_cache.c - keeps answers under a mutex that is held to copy one. */
#include "api/count_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

#define SECOND_NS 1000000000LL
#define MOST_NS (60 * SECOND_NS)
#define SHARE 20 /* of a processor, at most, counts for one query */

struct counted {
	char *query; /* NULL: the place is free */
	char *text;  /* the answer; NULL: it is counted for the first time */
	int64_t counted_ns, used_ns;
	int64_t took_ns;      /* of CPU time */
	int64_t newest_event; /* when counting began */
	bool counting;	      /* some thread does */
};

struct count_cache {
	pthread_mutex_t lock;
	struct counted places[LIMIT_COUNT_PAGES];
};

struct count_cache *count_cache_new(void)
{
	struct count_cache *cache = memory_new(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void count_cache_free(struct count_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < LIMIT_COUNT_PAGES; i++) {
		free(cache->places[i].query);
		free(cache->places[i].text);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static bool still_counts(const struct counted *place, int64_t now_ns, int64_t newest_event)
{
	int64_t age_ns = now_ns - place->counted_ns;
	int64_t kept_ns = SHARE * place->took_ns > SECOND_NS ? SHARE * place->took_ns : SECOND_NS;

	if (place->text == NULL || age_ns > MOST_NS)
		return false;
	return age_ns < kept_ns || place->newest_event == newest_event || place->counting;
}

/* The query's place, or the one that was not used for longest. */
static struct counted *count_place(struct count_cache *cache, const char *query)
{
	struct counted *oldest = &cache->places[0];

	for (struct counted *place = cache->places; place < cache->places + LIMIT_COUNT_PAGES; place++) {
		if (place->query != NULL && strcmp(place->query, query) == 0)
			return place;
		if (place->used_ns < oldest->used_ns)
			oldest = place;
	}
	return oldest;
}

char *count_cache_get(struct count_cache *cache, const char *query, int64_t newest_event)
{
	int64_t now_ns = clock_monotonic_ns();
	struct counted *place;
	char *text = NULL;

	pthread_mutex_lock(&cache->lock);
	place = count_place(cache, query);
	if (place->query != NULL && strcmp(place->query, query) == 0) {
		if (still_counts(place, now_ns, newest_event))
			text = memory_copy_text(place->text);
		else
			place->counting = true;
		place->used_ns = now_ns;
	}
	pthread_mutex_unlock(&cache->lock);
	return text;
}

void count_cache_put(struct count_cache *cache, const char *query, const char *text, int64_t took_ns, int64_t newest_event)
{
	struct counted *place;

	pthread_mutex_lock(&cache->lock);
	place = count_place(cache, query);
	if (place->query == NULL || strcmp(place->query, query) != 0) {
		free(place->query);
		free(place->text);
		*place = (struct counted){ .query = memory_copy_text(query) };
	}
	place->counting = false;
	place->used_ns = clock_monotonic_ns();
	if (text != NULL) {
		free(place->text);
		place->text = memory_copy_text(text);
		place->counted_ns = place->used_ns;
		place->took_ns = took_ns;
		place->newest_event = newest_event;
	}
	pthread_mutex_unlock(&cache->lock);
}
