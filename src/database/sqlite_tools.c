/* sqlite_tools.c - helpers around SQLite's C interface. No state; whichever thread holds the connection. */
#include "database/sqlite_tools.h"

#include <string.h>

static const char *advice(int code)
{
	switch (code) {
	case SQLITE_FULL: return "the disk is full; free some space, then try again";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return "another program keeps the database locked (a backup, an open sqlite3 shell?); try again when it is done";
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN: return "check the owner and the rights of the file and its folder";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return "the file is damaged; stop the host, then restore a backup or try sqlite3's .recover";
	case SQLITE_IOERR: return "the disk reports a fault";
	case SQLITE_CONSTRAINT: return "it breaks a rule of the registry";
	default: return "the database refused";
	}
}

static enum error_code classify(int code)
{
	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: return ERROR_BUSY;
	case SQLITE_CONSTRAINT: return ERROR_CONFLICT;
	case SQLITE_NOMEM: return ERROR_MEMORY;
	default: return ERROR_IO;
	}
}

enum error_code sqlite_error(sqlite3 *db, const char *name, const char *action, struct error *error)
{
	int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;
	int fault = db == NULL ? 0 : sqlite3_system_errno(db);

	if (code == SQLITE_NOMEM)
		return error_memory(error);
	if (fault != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_READONLY))
		return error_set(error, classify(code), name, "cannot %s: %s (%s: %s)", action, advice(code), sqlite3_errmsg(db),
			strerror(fault));
	return error_set(error, classify(code), name, "cannot %s: %s (%s)", action, advice(code), sqlite3_errmsg(db));
}

enum error_code sqlite_prepare(
	sqlite3 *db, const char *name, const char *const *sql, sqlite3_stmt **statements, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++)
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL) != SQLITE_OK)
			return sqlite_error(db, name, "prepare the registry's statements", error);
	return ERROR_NONE;
}

void sqlite_finalize(sqlite3_stmt **statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}

int sqlite_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int sqlite_integer(sqlite3_stmt *statement, int64_t *value)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

int sqlite_query(sqlite3 *db, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite_integer(statement, value);
	sqlite3_finalize(statement);
	return code;
}
