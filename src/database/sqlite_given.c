/* sqlite_given.c - the virtual table `given`: rows that the program has, as SQLite reads them.
 *
 * An insert that reads many rows opens its table and its indices once. Row by row, with bound parameters, each would cost three times as much: five
 * cursors are opened and closed again for a row of `task`. The table is the connection's own; no schema knows of it. */
#include "database/sqlite.h"

#include <stdlib.h>

#include "base/memory.h"

struct given_table {
	sqlite3_vtab base;
	struct sqlite_database *database;
};

struct given_cursor {
	sqlite3_vtab_cursor base;
	const struct given_rows *rows;
	bool ended;
	sqlite3_int64 number;
};

static struct given_cursor *cursor_of(sqlite3_vtab_cursor *cursor)
{
	return (struct given_cursor *)(void *)cursor;
}

static int given_connect(
	sqlite3 *handle, void *context, int count, const char *const *words, sqlite3_vtab **table, char **problem)
{
	struct given_table *made;
	int code = sqlite3_declare_vtab(handle, "CREATE TABLE given (" GIVEN_COLUMN_NAMES ")");

	(void)count;
	(void)words;
	(void)problem;
	if (code != SQLITE_OK)
		return code;
	made = memory_new(sizeof *made);
	made->database = context;
	*table = &made->base;
	return SQLITE_OK;
}

static int given_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static int given_plan(sqlite3_vtab *table, sqlite3_index_info *plan)
{
	(void)table;
	plan->estimatedCost = 1000;
	return SQLITE_OK;
}

static int given_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	struct given_cursor *made = memory_new(sizeof *made);

	(void)table;
	*cursor = &made->base;
	return SQLITE_OK;
}

static int given_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int given_next(sqlite3_vtab_cursor *cursor)
{
	struct given_cursor *own = cursor_of(cursor);

	own->number++;
	own->ended = !own->rows->next(own->rows->context);
	return SQLITE_OK;
}

static int given_filter(sqlite3_vtab_cursor *cursor, int plan, const char *words, int count, sqlite3_value **values)
{
	struct given_cursor *own = cursor_of(cursor);

	(void)plan;
	(void)words;
	(void)count;
	(void)values;
	own->rows = ((struct given_table *)(void *)cursor->pVtab)->database->given;
	own->number = 0;
	own->rows->begin(own->rows->context);
	return given_next(cursor);
}

static int given_ended(sqlite3_vtab_cursor *cursor)
{
	return cursor_of(cursor)->ended;
}

static int given_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
	const struct given_rows *rows = cursor_of(cursor)->rows;
	struct given_value value = { .kind = GIVEN_NULL };

	rows->column(rows->context, column + 1, &value);
	switch (value.kind) {
	case GIVEN_NULL: sqlite3_result_null(result); break;
	case GIVEN_INTEGER: sqlite3_result_int64(result, value.integer); break;
	case GIVEN_REAL: sqlite3_result_double(result, value.real); break;
	case GIVEN_TEXT: sqlite3_result_text(result, value.bytes, (int)value.length, SQLITE_STATIC); break;
	case GIVEN_BYTES: sqlite3_result_blob(result, value.bytes, (int)value.length, SQLITE_STATIC); break;
	}
	return SQLITE_OK;
}

static int given_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *number)
{
	*number = cursor_of(cursor)->number;
	return SQLITE_OK;
}

int sqlite_given_register(struct sqlite_database *database)
{
	static const sqlite3_module module = {
		.xConnect = given_connect,
		.xBestIndex = given_plan,
		.xDisconnect = given_disconnect,
		.xOpen = given_open,
		.xClose = given_close,
		.xFilter = given_filter,
		.xNext = given_next,
		.xEof = given_ended,
		.xColumn = given_column,
		.xRowid = given_number,
	};

	return sqlite3_create_module(database->handle, "given", &module, database);
}

void sqlite_give(struct database *database, const struct given_rows *rows)
{
	((struct sqlite_database *)(void *)database)->given = rows;
}
