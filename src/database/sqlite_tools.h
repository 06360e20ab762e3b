/* sqlite_tools.h - the few steps that every user of SQLite repeats, and what its errors mean to a person. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/error.h"

/* Says why `action` ("store the job") failed, from the connection's last error. `name` is the database as the configuration names
 * it. ERROR_BUSY when it is locked, ERROR_CONFLICT for a broken constraint, ERROR_MEMORY, else ERROR_IO. */
enum error_code sqlite_error(sqlite3 *db, const char *name, const char *action, struct error *error);

/* Prepares statements that live as long as the connection. What was prepared before a failure is the caller's to finalize. */
enum error_code sqlite_prepare(
	sqlite3 *db, const char *name, const char *const *sql, sqlite3_stmt **statements, size_t count, struct error *error);
void sqlite_finalize(sqlite3_stmt **statements, size_t count);

/* Steps a statement that gives no rows and resets it. SQLITE_OK, or the error. */
int sqlite_run(sqlite3_stmt *statement);

/* Runs a text that is used once for the integer in its first column. SQLITE_OK, SQLITE_DONE (no row) or the error. */
int sqlite_query(sqlite3 *db, const char *sql, int64_t *value);
