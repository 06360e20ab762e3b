/* sources.h - where tasks come from: the pairs of kind and provider, as small integers.
 *
 * A row holds the number of its pair instead of two texts. The table only grows and stays in memory, so readers turn numbers
 * into texts, and filters into numbers, without a query. What another host has added is loaded when it is first met. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/limits.h"
#include "database/database.h"
#include "registry/task.h"

struct source {
	char *kind;
	char *provider;
	_Atomic uint64_t became[TASK_STATUSES]; /* tasks that reached each status since the start; the store thread counts */
};

struct sources {
	struct source entries[LIMIT_STORE_SOURCES]; /* number n is entries[n - 1] */
	_Atomic int count;			    /* published after the entry is complete; entries never change or go */
	pthread_mutex_t lock;			    /* whoever loads has it */
};

void sources_init(struct sources *sources);
void sources_free(struct sources *sources);

/* Reads what was added to the table since. Any thread, by a connection of its own. */
enum error_code sources_load(struct sources *sources, struct database *db, struct error *error);

/* The pair's number; 0: it is not known. Any thread. */
int sources_number(const struct sources *sources, const char *kind, const char *provider);

/* The pair of a number. NULL if there is none. Any thread. */
const struct source *sources_get(const struct sources *sources, int number);

/* How many there are: numbers 1 to this. Any thread. */
int sources_count(const struct sources *sources);

/* Pairs of one kind and of some providers. */
struct source_filter {
	const char *kind;	      /* NULL: any */
	const char *const *providers; /* ids */
	size_t provider_count;	      /* 0: any */
};

bool source_passes(const struct source *source, const struct source_filter *filter);
