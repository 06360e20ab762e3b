/* count_cache.h - what queries for counts were answered with lately. Any thread.
 *
 * Counting looks at an index entry for each job, so an answer counts for a second, for twenty times the CPU time that counting took, or until an event is written,
 * whatever is longest, but for no longer than a minute. While one thread counts anew the others are told what was counted before. The last
 * LIMIT_COUNT_PAGES queries are kept. */
#pragma once

#include <stdint.h>

struct count_cache;

struct count_cache *count_cache_new(void);
void count_cache_free(struct count_cache *cache);

/* The answer to a query, to be free()d. NULL: count, and count_cache_put(). `newest_event`: the number of the newest one now. */
char *count_cache_get(struct count_cache *cache, const char *query, int64_t newest_event);

/* Keeps an answer that took so much CPU time, and the number of the newest event before; NULL: it could not be counted. Copies both texts. */
void count_cache_put(struct count_cache *cache, const char *query, const char *answer, int64_t took_ns, int64_t newest_event);
