/* reads.h - reading the registry: a pool of read-only connections. Any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/limits.h"
#include "task/sources.h"
#include "task/store.h"

#define READ_ROUND 512 /* rows that a filtered listing finds at a time */

enum read_statement {
	READ_BEGIN = 0,
	READ_END,
	READ_INDEXED,
	READ_ONE,
	READ_RANGE,
	READ_INDEX,
	READ_KEY,
	READ_OPEN,
	READ_LEDGER,
	READ_STATEMENTS
};

struct reader {
	sqlite3 *db;
	sqlite3_stmt *statements[READ_STATEMENTS];
	int64_t found[READ_ROUND]; /* scratch of a filtered listing */
	int64_t merged[READ_ROUND];
	int64_t fresh[READ_ROUND];
	struct reader *next; /* in the list of free ones */
};

struct reads {
	const char *name;
	const struct sources *sources;
	pthread_mutex_t lock; /* guards `free` */
	pthread_cond_t returned;
	struct reader *free;
	struct reader readers[LIMIT_STORE_READERS];
};

/* Opens the connections and prepares their statements, so that a thread with a small stack never compiles SQL. */
enum error_code reads_open(
	struct reads *reads, const char *path, const char *name, const struct sources *sources, struct error *error);
void reads_close(struct reads *reads);

/* As in store.h. */
enum error_code reads_list(struct reads *reads, const struct task_filter *filter,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error);
enum error_code reads_get(struct reads *reads, const struct id *id, void (*visit)(void *context, const struct task *task),
	void *context, struct error *error);
enum error_code reads_open_jobs(
	struct reads *reads, bool (*visit)(void *context, const struct task *task), void *context, struct error *error);
enum error_code reads_ledger(struct reads *reads, int64_t from_day, bool (*visit)(void *context, const struct ledger_sum *sum),
	void *context, struct error *error);
enum store_outcome reads_key(struct reads *reads, const struct idempotency *idempotency, char **answer, size_t *length,
	int *status, struct error *error);

/* Compares the row (status, body_sha256, answer) that a statement is on and copies the answer: STORE_REPLAY, STORE_KEY_CLASH or
 * STORE_FAILED (no memory). */
enum store_outcome read_key_row(sqlite3_stmt *row, const struct idempotency *idempotency, char **answer, size_t *length,
	int *status, struct error *error);
