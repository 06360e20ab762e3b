/* sqlite_statement.c - SQLite's statements as database.h wants them. */
#include "database/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "database/sqlite_tools.h"

static sqlite3_stmt *handle_of(struct statement *statement)
{
	return ((struct sqlite_statement *)(void *)statement)->handle;
}

enum error_code sqlite_statement_prepare(
	struct database *database, const struct sql *text, struct statement **statement, struct error *error)
{
	sqlite3 *handle = ((struct sqlite_database *)(void *)database)->handle;
	struct sqlite_statement *made = memory_new(sizeof *made);

	made->base = (struct statement){ .driver = &sqlite_driver, .database = database };
	*statement = &made->base;
	if (text->sqlite == NULL ||
		sqlite3_prepare_v3(handle, text->sqlite, -1, SQLITE_PREPARE_PERSISTENT, &made->handle, NULL) == SQLITE_OK)
		return ERROR_NONE;
	return sqlite_error(handle, database->place->name, "prepare the registry's statements", error);
}

void sqlite_statement_finalize(struct statement *statement)
{
	sqlite3_finalize(handle_of(statement));
	free(statement);
}

/* ---- parameters ---- */

void sqlite_bind_integer(struct statement *statement, int index, int64_t value)
{
	sqlite3_bind_int64(handle_of(statement), index, value);
}

void sqlite_bind_real(struct statement *statement, int index, double value)
{
	sqlite3_bind_double(handle_of(statement), index, value);
}

void sqlite_bind_text(struct statement *statement, int index, const char *text)
{
	sqlite3_bind_text(handle_of(statement), index, text, text == NULL ? 0 : (int)strlen(text), SQLITE_STATIC);
}

void sqlite_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length)
{
	sqlite3_bind_blob64(handle_of(statement), index, bytes, length, SQLITE_STATIC);
}

void sqlite_bind_null(struct statement *statement, int index)
{
	sqlite3_bind_null(handle_of(statement), index);
}

/* SQLite frees it in any case, also where it cannot be bound. */
void sqlite_bind_owned(struct statement *statement, int index, char *text)
{
	if (handle_of(statement) == NULL)
		free(text);
	else
		sqlite3_bind_text(handle_of(statement), index, text, -1, text != NULL ? free : SQLITE_STATIC);
}

void sqlite_bind_copy(struct statement *statement, int index, const void *bytes, size_t length)
{
	sqlite3_bind_blob64(handle_of(statement), index, bytes, length, SQLITE_TRANSIENT);
}

/* ---- rows ---- */

enum database_result sqlite_step(struct statement *statement)
{
	sqlite3_stmt *handle = handle_of(statement);

	if (handle == NULL)
		return DATABASE_DONE;
	switch (sqlite3_step(handle)) {
	case SQLITE_ROW: return DATABASE_ROW;
	case SQLITE_DONE: return DATABASE_DONE;
	default: return DATABASE_FAILED;
	}
}

void sqlite_reset(struct statement *statement)
{
	sqlite3_reset(handle_of(statement));
}

int64_t sqlite_column_integer(struct statement *statement, int column)
{
	return sqlite3_column_int64(handle_of(statement), column);
}

double sqlite_column_real(struct statement *statement, int column)
{
	return sqlite3_column_double(handle_of(statement), column);
}

const char *sqlite_column_text(struct statement *statement, int column)
{
	return (const char *)sqlite3_column_text(handle_of(statement), column);
}

const void *sqlite_column_bytes(struct statement *statement, int column, size_t *length)
{
	const void *bytes = sqlite3_column_blob(handle_of(statement), column);

	*length = (size_t)sqlite3_column_bytes(handle_of(statement), column);
	return bytes;
}

bool sqlite_column_is_null(struct statement *statement, int column)
{
	return sqlite3_column_type(handle_of(statement), column) == SQLITE_NULL;
}

enum database_result sqlite_run_statement(struct statement *statement)
{
	sqlite3_stmt *handle = handle_of(statement);

	return handle == NULL || sqlite_run(handle) == SQLITE_OK ? DATABASE_OK : DATABASE_FAILED;
}

enum database_result sqlite_change(struct statement *statement, int64_t *changed)
{
	sqlite3_stmt *handle = handle_of(statement);
	enum database_result result = sqlite_run_statement(statement);

	*changed = handle != NULL && result == DATABASE_OK ? sqlite3_changes64(sqlite3_db_handle(handle)) : 0;
	return result;
}
