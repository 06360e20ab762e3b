/* reads.h - reading the registry: a pool of read-only connections. Any thread. What store.h and webhook_row.h offer to read is in task_reads.c,
 * artifact_reads.c, budget_sheet.c, count_reads.c, live_reads.c, event_reads.c, webhook_reads.c, quote_reads.c, setting.c and idempotency.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "database/database.h"
#include "registry/sources.h"
#include "registry/store.h"

#define READ_ROUND 512	   /* rows that a filtered listing finds at a time */
#define READ_SLACK_MS 1000 /* a row's number may be this much older than its created_ms */

enum read_statement {
	READ_INDEXED = 0,
	READ_ONE,
	READ_DRY, /* the same of a dry run, without the tables of live jobs: not where each question is a round trip */
	READ_UPSTREAM,
	READ_RANGE,
	READ_RANGE_OLDEST, /* the same, oldest first, as are the next two of that name */
	READ_LIVE,
	READ_OWN,
	READ_OWN_OLDEST,
	READ_INDEX,
	READ_INDEX_OLDEST,
	READ_LIVE_INDEX,
	READ_COUNT,
	READ_COUNT_LIVE,
	READ_SMALL,
	READ_SMALL_OWN,
	READ_TIMES,
	READ_ARTIFACTS,
	READ_OWN_ARTIFACTS,
	READ_ID_OF_VENDOR,
	READ_ID_OF_REQUEST,
	READ_KEY,
	READ_OPEN,
	READ_OPEN_ONE,
	READ_RECENT,
	READ_LEDGER,
	READ_BUDGETS,
	READ_BUDGET_DIFFERENCES,
	READ_OBSERVED,
	READ_EVENTS,
	READ_EVENTS_OF_LIVE,
	READ_EVENT_OF_DRY,
	READ_EVENT_TIME,
	READ_NEWEST_EVENT,
	READ_ENDED,
	READ_WEBHOOKS,
	READ_DELIVERIES,
	READ_WEBHOOK_OWNERS,
	READ_CALLBACK,
	READ_QUOTE,
	READ_ASKED_QUOTES,
	READ_SAME_REQUESTS,
	READ_WISHES,
	READ_SETTING,
	READ_SETTINGS,
	READ_STATEMENTS
};

extern const struct sql read_statements[READ_STATEMENTS]; /* read_statements.c */

struct reader {
	struct database *db;
	struct statement *statements[READ_STATEMENTS];
	int64_t found[READ_ROUND]; /* scratch of a filtered listing */
	int64_t merged[READ_ROUND];
	int64_t fresh[READ_ROUND];
	struct reader *next; /* in the list of free ones */
};

/* The sums of budgets that were read last (budget_sheet.c). */
struct budget_cache {
	pthread_mutex_t lock; /* guards `sheet` and the two after it */
	struct budget_sheet *sheet;
	uint64_t read_at; /* `changes` when its reading began */
	int64_t read_ns;
	bool is_shared;		  /* other hosts change the sums, too */
	_Atomic uint64_t changes; /* of this host, that are committed */
};

void budget_cache_open(struct budget_cache *cache, bool is_shared);
void budget_cache_close(struct budget_cache *cache);
/* The sums were changed, and nobody was told yet. Any thread. */
void budget_cache_outdate(struct budget_cache *cache);

struct reads {
	const struct database_place *place;
	const char *name;
	struct sources *sources;
	bool shared;	      /* other hosts add to them */
	pthread_mutex_t lock; /* guards the lists */
	pthread_cond_t returned;
	struct reader *free;
	struct reader *lost; /* those whose connection is gone, until reads_mend() */
	int lost_count;
	int made;	/* readers that were opened: of a file one at first, since each takes half a megabyte; of a server all */
	bool wants_one; /* somebody waits for another */
	void (*tell_wanted)(void *context); /* somebody is to call reads_mend() */
	void *tell_context;
	struct reader readers[LIMIT_STORE_READERS];
	struct budget_cache budgets;
};

/* Opens the first connections. Statements are prepared as one is opened, so that a thread with a small stack never compiles SQL. */
enum error_code reads_open(struct reads *reads, const struct database_place *place, struct sources *sources, struct error *error);
void reads_close(struct reads *reads);

/* `tell` is called, on any thread, when reads_mend() has something to do. Before anybody reads. */
void reads_on_wanted(struct reads *reads, void (*tell)(void *context), void *context);

/* Connects again those whose connection is gone, until one cannot be, and opens another if somebody waits for one. On one thread, which may wait for a server:
 * an HTTP thread must not, and has a small stack. True: nothing is left to do. */
bool reads_mend(struct reads *reads);

/* The readers of a store (store.c). */
struct reads *store_reads(struct task_store *store);

/* Waits until the dry runs that were answered before are in the database, for LIMIT_RING_WAIT_MS at most, and not while they cannot be carried there. */
void store_settle(struct task_store *store);

/* Calls `visit` with the task of this id if it was answered for and is not in the database yet. Who asks here first and the database then finds it. */
bool store_find_kept(
	struct task_store *store, const struct id *id, void (*visit)(void *context, const struct task *task), void *context);

/* A reader of one's own until it is given back. NULL: all are busy, or it took too long. */
struct reader *reads_borrow(struct reads *reads, struct error *error);
void reads_give_back(struct reads *reads, struct reader *reader);

/* A task and its live half, as a statement is on them. */
struct read_row {
	struct task task;
	struct task_live live;
	struct task_money money;
};

/* The source whose number a column has, also one that another host has added meanwhile. NULL: there is none. */
const struct source *reads_source(const struct reads *reads, struct statement *row, int column);

/* The task that a statement of TASK_COLUMNS is on, its texts valid until the statement moves. False when it is damaged. */
bool reads_task(const struct reads *reads, struct statement *row, struct read_row *read);

/* A column's text, NULL when it has none; valid until the statement moves. */
const char *reads_text(struct statement *row, int column);

/* Can any row pass the filter: is there such a source, at such a time? */
bool reads_may_pass(struct reads *reads, const struct task_filter *filter);
/* The numbers of rows that may pass: not below `lower`, and below `upper`. */
struct read_bounds {
	int64_t lower, upper;
	bool exact; /* what is searched for is an id that is known: only who has it passes */
};

/* Finds them by the filter's times, and by an id that it searches for. */
enum error_code reads_bounds(
	struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds, struct error *error);
/* Does the search find this one? */
bool reads_found(const struct task_filter *filter, const struct read_bounds *bounds, const struct task *task);
bool reads_in_time(const struct task_filter *filter, int64_t created_ms);

/* Say why a statement failed, or that its row is damaged. Return the error that they set. */
enum error_code reads_refuse(struct reader *reader, struct error *error);
enum error_code reads_refuse_row(const struct reads *reads, struct reader *reader, struct error *error);

/* After the last step of a statement that was walked through, which said `code`: resets it. Returns `result`, or the error if the step failed. */
enum error_code reads_end(struct reader *reader, struct statement *rows, int code, enum error_code result, struct error *error);
