/* store_parts.h - the registry's front from within: store.c is its doors, store_thread.c the thread that writes. */
#ifndef REGISTRY_STORE_PARTS_H
#define REGISTRY_STORE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "registry/kept_rows.h"
#include "registry/ledger_audit.h"
#include "registry/reads.h"
#include "registry/sources.h"
#include "registry/store.h"
#include "registry/upkeep.h"
#include "registry/writes.h"

/* What the store's thread does while it has nothing to do. */
enum store_sleep {
	STORE_AWAKE = 0,
	STORE_GATHERS, /* rows that are kept become more: it is woken when they are many, */
	STORE_SLEEPS,  /* and here by the first */
};

/* Who is told of what was written. Set before anything is. */
struct listener {
	void (*events)(void *context, int64_t newest);
	void *events_context;
	void (*fenced)(void *context, int64_t run);
	void *fenced_context;
	void (*moved)(void *context);
	void *moved_context;
};

struct task_store {
	struct database_place *place;
	struct sources sources;
	struct writer writer; /* store thread */
	struct kept_rows kept;
	struct upkeep upkeep; /* store thread */
	struct reads reads;
	struct ledger_audit audit;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	struct store_write *first;
	struct store_write **last;
	size_t waiting;
	int keep_days;
	int64_t run; /* of this host, in whose name it writes */
	bool asleep;
	_Atomic int sleep;	/* enum store_sleep: who keeps a row reads it without the lock */
	pthread_cond_t carried; /* some more of the rows that were kept are in the database, or cannot be */
	int settling;		/* readers who wait for that */
	bool stopping;
	_Atomic int64_t newest_event; /* of those that are committed */
	struct listener listener;
	_Atomic int64_t writing_since_ns; /* 0: it writes nothing now */
	_Atomic uint64_t commit_times[HISTOGRAM_COUNTERS];
	bool failing;		     /* the last write failed for the database's sake, and since then none succeeded */
	_Atomic bool away;	     /* for its server cannot be reached */
	_Atomic bool readers_wanted; /* connections for reading are gone */
	char failure[256];
	int64_t probe_ns; /* store thread: when to try whether it works again, */
	int64_t carry_ns; /* and whether the rows that were kept can be carried */
	struct store_write acceptance;
};

/* Are the first `count` rows that were kept in the database? Any thread. */
bool store_has_carried(const struct task_store *store, uint64_t count);

/* Notes the number of the newest event that is committed: numbers only grow, whoever tells them. False: it was known already. Any thread. */
bool store_raise_newest(struct task_store *store, int64_t newest);

/* What the store's thread does: until the store stops, and nothing waits any more. `argument`: the store. */
void *store_main(void *argument);

#endif
