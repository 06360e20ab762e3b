/* database.h - the few steps that every user of SQLite in this folder repeats, and what its errors mean to a person. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/error.h"

/* Live jobs of one request (?1), made at ?2 (a sequence) or later for the caller ?3, that have cost something or may; the newest first. */
#define SAME_REQUEST                                                                                                             \
	" WHERE live.upstream_sha256 = ?1 AND live.sequence >= ?2 AND live.caller IS ?3 AND ledger.spent <> 0"                   \
	" ORDER BY live.sequence DESC"

/* Says why `action` ("store the job") failed, from the connection's last error. `name` is the database as the configuration names
 * it. ERROR_BUSY when it is locked, ERROR_CONFLICT for a broken constraint, ERROR_MEMORY, else ERROR_IO. */
enum error_code database_error(sqlite3 *db, const char *name, const char *action, struct error *error);

/* Prepares statements that live as long as the connection. What was prepared before a failure is the caller's to finalize. */
enum error_code database_prepare(
	sqlite3 *db, const char *name, const char *const *sql, sqlite3_stmt **statements, size_t count, struct error *error);
void database_finalize(sqlite3_stmt **statements, size_t count);

/* Steps a statement that gives no rows and resets it. SQLITE_OK, or the error. */
int database_run(sqlite3_stmt *statement);

/* Steps a prepared statement for the integer in its first column and resets it. SQLITE_OK, SQLITE_DONE (no row) or the error. */
int database_integer(sqlite3_stmt *statement, int64_t *value);

/* The same for a text that is used once. */
int database_query(sqlite3 *db, const char *sql, int64_t *value);
