/* sqlite.h - what the files of SQLite's driver share. */
#pragma once

#include <sqlite3.h>

#include "database/driver.h"
#include "database/sqlite_checkpoint.h"

enum sqlite_bracket { BRACKET_WRITE = 0, BRACKET_READ, BRACKET_COMMIT, BRACKET_ROLLBACK, BRACKETS };

struct sqlite_database {
	struct database base;
	sqlite3 *handle;
	sqlite3_stmt *brackets[BRACKETS]; /* what begins and ends a transaction */
	bool synced;			  /* synchronous is FULL now */
	int log_pages;			  /* in the write-ahead log after the last commit */
	/* of the connection that writes: */
	struct checkpointer checkpointer;
	bool has_checkpointer;
	int checkpoint_at; /* pages in the log that make a checkpoint due */
	const struct given_rows *given;
};

struct sqlite_statement {
	struct statement base;
	sqlite3_stmt *handle; /* NULL: in this dialect there is nothing to do */
};

/* sqlite_statement.c: what driver.h says of them. */
enum error_code sqlite_statement_prepare(
	struct database *database, const struct sql *text, struct statement **statement, struct error *error);
void sqlite_statement_finalize(struct statement *statement);
void sqlite_bind_integer(struct statement *statement, int index, int64_t value);
void sqlite_bind_real(struct statement *statement, int index, double value);
void sqlite_bind_text(struct statement *statement, int index, const char *text);
void sqlite_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length);
void sqlite_bind_null(struct statement *statement, int index);
void sqlite_bind_owned(struct statement *statement, int index, char *text);
void sqlite_bind_copy(struct statement *statement, int index, const void *bytes, size_t length);
enum database_result sqlite_step(struct statement *statement);
void sqlite_reset(struct statement *statement);
int64_t sqlite_column_integer(struct statement *statement, int column);
double sqlite_column_real(struct statement *statement, int column);
const char *sqlite_column_text(struct statement *statement, int column);
const void *sqlite_column_bytes(struct statement *statement, int column, size_t *length);
bool sqlite_column_is_null(struct statement *statement, int column);
enum database_result sqlite_run_statement(struct statement *statement);
enum database_result sqlite_change(struct statement *statement, int64_t *changed);

#define GIVEN_COLUMN_NAMES "c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19"

/* sqlite_given.c: makes the table known to the connection. SQLite's code. */
int sqlite_given_register(struct sqlite_database *database);
void sqlite_give(struct database *database, const struct given_rows *rows);
