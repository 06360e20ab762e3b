/* writes.h - the store thread's hand: writes groups of tasks and changes, one transaction each. Store thread only. */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "task/sources.h"
#include "task/store.h"

/* A change to a row that exists, waited for by the thread that asked. */
struct store_change {
	struct id id;
	sem_t done;
	enum error_code result;
	enum task_status status; /* what the row's status is now */
	struct error error;
	struct store_change *next;
};

enum write_statement {
	WRITE_BEGIN = 0,
	WRITE_COMMIT,
	WRITE_ROLLBACK,
	WRITE_MARK,
	WRITE_UNMARK,
	WRITE_BACK_TO_MARK,
	WRITE_TASK,
	WRITE_SOURCE,
	WRITE_INDEX,
	WRITE_UNINDEX,
	WRITE_KEY,
	WRITE_FIND_KEY,
	WRITE_FIND_TASK,
	WRITE_CANCEL,
	WRITE_STATEMENTS
};

struct writer {
	sqlite3 *db;
	const char *name; /* how errors call the database */
	struct sources *sources;
	sqlite3_stmt *statements[WRITE_STATEMENTS];
	int64_t indexed;      /* rows up to here are in task_index (upkeep.c) */
	size_t unindexed;     /* rows written since */
	bool synced;	      /* synchronous is FULL now */
	int log_pages;	      /* pages in the write-ahead log after the last commit */
	struct error failure; /* why the transaction under way is lost */
};

/* Opens (or makes, or migrates) the database and loads the sources. */
enum error_code writer_open(
	struct writer *writer, const char *path, const char *name, struct sources *sources, struct error *error);
void writer_close(struct writer *writer);

/* Writes both lists in one transaction and fills in each one's outcome. `changes` see the rows of `writes`. */
void writer_group(struct writer *writer, struct store_write *writes, struct store_change *changes);

/* BEGIN and COMMIT for upkeep.c. A failure is in `writer->failure`, and the transaction is rolled back. */
bool writer_begin(struct writer *writer, bool synced);
bool writer_commit(struct writer *writer);
bool writer_fail(struct writer *writer, const char *action);
