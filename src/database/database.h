/* database.h - a connection to the registry's database, whichever it is, and the statements that are prepared on it.
 *
 * Two drivers stand behind it (driver.h): SQLite, which is the default and needs nothing, and PostgreSQL, whose library is loaded when it is named. Who
 * uses this header writes each statement once, or in both dialects side by side, and does not know which of them runs. A connection and its statements
 * belong to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One statement. Parameters are `?`, or `?1`, `?2` ... where their order is another (PostgreSQL's driver makes them `$1`). A NULL text: in that dialect
 * there is nothing to do, it runs, changes nothing and gives no row. */
struct sql {
	const char *sqlite;
	const char *postgres;
	bool walks; /* its rows are read one after the other, without a limit of its own: they are fetched in pieces */
};

/* The same text in both. */
#define SQL(text)                                                                                                                \
	{                                                                                                                        \
		.sqlite = text, .postgres = text                                                                                 \
	}
#define SQL_WALK(text)                                                                                                           \
	{                                                                                                                        \
		.sqlite = text, .postgres = text, .walks = true                                                                  \
	}

/* Where a database is, and how errors call it: never with its password. */
struct database_place;

/* Reads `registry.url`: "sqlite:FILE", relative to `home`, or "postgresql://..." (libpq's connection URIs). ERROR_INVALID. database_place_free() it;
 * NULL is allowed. */
enum error_code database_find(const char *home, const char *url, struct database_place **place, struct error *error);
void database_place_free(struct database_place *place);

const char *database_name(const struct database_place *place);

/* Files that belong to the database lie beside it: its path; NULL: it is on a server. */
const char *database_path(const struct database_place *place);

/* May other hosts use it at the same time? */
bool database_is_shared(const struct database_place *place);

/* ---- connections ---- */

struct database;

enum database_result {
	DATABASE_OK = 0,
	DATABASE_ROW,	  /* a step: there is a row */
	DATABASE_DONE,	  /* a step: there is no further one */
	DATABASE_FAILED,  /* database_error() says why */
	DATABASE_UNKNOWN, /* a commit whose answer was lost: database_settle() finds out */
};

enum database_use {
	DATABASE_WRITES = 0, /* the one that changes rows */
	DATABASE_READS,	     /* refuses to */
};

/* Connects; SQLite makes the file if it is opened for writing and is not there. */
enum error_code database_open(
	const struct database_place *place, enum database_use use, struct database **database, struct error *error);
void database_close(struct database *database); /* its statements are to be finalized before; NULL is allowed */

/* Is there a connection? A lost one of PostgreSQL's is made anew by database_connect(), with its statements. SQLite's is never lost. */
bool database_is_connected(const struct database *database);

/* Which connection it is, counted from the first that was made. */
unsigned database_connections(const struct database *database);
enum error_code database_connect(struct database *database, struct error *error);

/* Why `action` ("store the job") failed, from the connection's last failure. ERROR_BUSY: locked, or away; ERROR_CONFLICT: a rule of the schema;
 * ERROR_MEMORY; else ERROR_IO. */
enum error_code database_error(struct database *database, const char *action, struct error *error);

/* Was it the connection or the whole transaction that failed, not the statement for its own row? */
bool database_is_lost(struct database *database);

/* Was it memory that the last call lacked? */
bool database_lacks_memory(struct database *database);

/* The schema's version: 0 where there is nothing yet; and the oldest one that a program must know to use it (a file's is its version: nobody shares
 * it). ERROR_INVALID: it is another program's database. In a transaction. */
struct database_version {
	int64_t version, oldest;
};

enum error_code database_version(struct database *database, struct database_version *version, struct error *error);
enum database_result database_set_version(struct database *database, const struct database_version *version);

/* ---- transactions ---- */

/* Begins to write; nobody else does until it ends. `synced`: what is committed outlives a power cut. */
enum database_result database_begin(struct database *database, bool synced);
enum database_result database_commit(struct database *database);
void database_rollback(struct database *database);
bool database_in_transaction(struct database *database);

/* Who writes with this connection: each transaction that writes is refused once the row of `host` with this id is dead, or another connection has become the
 * host's. 0, as at first: nobody is to be fenced off. What is not shared is never fenced. */
void database_fence(struct database *database, int64_t host);
/* Was one refused for that? */
bool database_is_fenced(struct database *database);

/* Was the transaction committed whose answer was lost? Connects anew, fences the lost connection off, and looks: DATABASE_OK it was, DATABASE_DONE it was
 * not and will never be, DATABASE_UNKNOWN it has ended, and what it wrote says how, DATABASE_FAILED it cannot be told yet. */
enum database_result database_settle(struct database *database);

/* Reads as of one moment, until database_end_reading(). */
enum database_result database_begin_reading(struct database *database);
void database_end_reading(struct database *database);

/* What a database wants between two transactions of the connection that writes (SQLite's log is carried over). `idle`: nobody waits for it. How long it
 * may be left alone then, in ns. Never blocks for long. */
int64_t database_tend(struct database *database, bool idle);

/* ---- rows that the program has ---- */

enum given_kind { GIVEN_NULL = 0, GIVEN_INTEGER, GIVEN_REAL, GIVEN_TEXT, GIVEN_BYTES };

/* Texts and bytes are borrowed until the next row. */
struct given_value {
	enum given_kind kind;
	int64_t integer;
	double real;
	const void *bytes;
	size_t length;
};

/* The rows of the table `given`, which statements of SQLite that change rows may read: its columns are c1, c2 ... c19. */
struct given_rows {
	void *context;
	void (*begin)(void *context);
	bool (*next)(void *context); /* on to the first row, or the next one; false: there is none */
	void (*column)(void *context, int column, struct given_value *value); /* of GIVEN_NULL, and to be filled in; from 1 on */
};

/* From now on it has these; they outlive the statements that read them. Of a connection that writes; nothing where there is no such table. */
void database_give(struct database *database, const struct given_rows *rows);

/* ---- statements ---- */

struct statement;

/* Prepares them for as long as the connection lives. What was prepared before a failure is the caller's to finalize. */
enum error_code database_prepare(
	struct database *database, const struct sql *texts, struct statement **statements, size_t count, struct error *error);
void database_finalize(struct statement **statements, size_t count);

/* Whose it is. */
struct database *statement_database(const struct statement *statement);

/* Parameters are numbered from 1. Texts and bytes are borrowed until the statement runs. */
void statement_bind_integer(struct statement *statement, int index, int64_t value);
void statement_bind_real(struct statement *statement, int index, double value);
void statement_bind_text(struct statement *statement, int index, const char *text); /* NULL: null */
void statement_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length);
void statement_bind_null(struct statement *statement, int index);
/* Takes the text, and frees it when the statement was bound anew or finalized. */
void statement_bind_owned(struct statement *statement, int index, char *text);
/* Copies the bytes. */
void statement_bind_copy(struct statement *statement, int index, const void *bytes, size_t length);

/* The next row: DATABASE_ROW, DATABASE_DONE or DATABASE_FAILED. statement_reset() it after the last one that is wanted. */
enum database_result statement_step(struct statement *statement);
void statement_reset(struct statement *statement);

/* Columns are numbered from 0. Texts (NUL-terminated) and bytes are valid until the statement moves; NULL: null, or no memory (statement_lacks_memory()). */
int64_t statement_integer(struct statement *statement, int column);
double statement_real(struct statement *statement, int column);
const char *statement_text(struct statement *statement, int column);
const void *statement_bytes(struct statement *statement, int column, size_t *length);
bool statement_is_null(struct statement *statement, int column);

/* Has the column just these bytes? */
bool statement_equals(struct statement *statement, int column, const void *bytes, size_t length);

/* Copies a column that has just as many bytes. False: it has not. */
bool statement_copy(struct statement *statement, int column, void *bytes, size_t length);
bool statement_lacks_memory(struct statement *statement);

/* Runs a statement whose rows, if any, nobody reads, and resets it. PostgreSQL's answer to one inside a writing transaction comes later: with the next
 * statement that is stepped, or with the commit, and a failure then is the whole transaction's. DATABASE_OK or DATABASE_FAILED. */
enum database_result statement_run(struct statement *statement);

/* The same, and how many rows it changed; it waits for the answer. */
enum database_result statement_change(struct statement *statement, int64_t *changed);

/* Steps for the integer in its first column and resets it. DATABASE_OK, DATABASE_DONE (no row, *value is left alone) or DATABASE_FAILED. */
enum database_result statement_find(struct statement *statement, int64_t *value);

/* The same, but the answer may come later, as that of statement_run(): *value is there once the transaction is committed. */
enum database_result statement_find_later(struct statement *statement, int64_t *value);

/* As statement_find(), for a text that is used once. */
enum database_result database_query(struct database *database, struct sql text, int64_t *value);

/* The text that this connection's dialect has; NULL: nothing to do. */
const char *database_dialect(const struct database *database, const struct sql *text);

/* Runs texts that give no rows, one or several, separated by semicolons. */
enum database_result database_execute(struct database *database, const char *text);
