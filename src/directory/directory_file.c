/* directory_file.c - data/directory.db: what was read, for the next start. The directory's thread only.
 *
 * It may be deleted at any time, and one that is damaged or of another version is begun anew: it holds nothing that cannot be asked for again. What
 * cannot be written is logged once, and the host goes on from memory. No secret is bound: texts pass the gate's cleaner. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "base/memory.h"
#include "directory/internal.h"
#include "database/sqlite_tools.h"

#define VERSION 1
#define NAME "data/directory.db"

enum { PUT, REMOVE, EACH, STATEMENTS };

struct directory_file {
	sqlite3 *db; /* NULL: it cannot be opened */
	sqlite3_stmt *statements[STATEMENTS];
	bool told; /* that it cannot be written */
};

static const char *const part_names[PARTS] = { "list", "search", "model", "price" };

static const char schema[] = "CREATE TABLE entry (provider TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, body TEXT,"
			     " as_of INTEGER NOT NULL, checked_at INTEGER NOT NULL, etag TEXT, failure TEXT,"
			     " next_try INTEGER NOT NULL, PRIMARY KEY (provider, part, key)) WITHOUT ROWID;"
			     "PRAGMA user_version = 1;";

static const char *const sql[STATEMENTS] = {
	[PUT] = ("INSERT OR REPLACE INTO entry (provider, part, key, body, as_of, checked_at, etag, failure, next_try)"
		 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
	[REMOVE] = "DELETE FROM entry WHERE provider = ?1 AND part = ?2 AND key = ?3",
	[EACH] = "SELECT key, body, as_of, checked_at, etag, failure, next_try FROM entry WHERE provider = ?1 AND part = ?2",
};

static void tell(struct directory_file *file, const char *action)
{
	struct error error;

	if (file->told)
		return;
	sqlite_error(file->db, NAME, action, &error);
	log_message(LOG_WARN, "directory.file", "%s: %.300s; the directory goes on from memory", NAME, error.message);
	file->told = true;
}

static void close_database(struct directory_file *file)
{
	sqlite_finalize(file->statements, STATEMENTS);
	sqlite3_close(file->db);
	file->db = NULL;
}

/* False: it is damaged, or not ours. */
static bool use_schema(struct directory_file *file)
{
	int64_t version = 0;

	if (sqlite3_exec(file->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL, NULL, NULL) != SQLITE_OK ||
		sqlite_query(file->db, "PRAGMA user_version", &version) != SQLITE_OK)
		return false;
	if (version == 0 && sqlite3_exec(file->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return false;
	return (version == 0 || version == VERSION) &&
	       sqlite_prepare(file->db, NAME, sql, file->statements, STATEMENTS, NULL) == ERROR_NONE;
}

static bool open_database(struct directory_file *file, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640); /* prices may be an account's: not for everybody */

	if (made >= 0)
		close(made);
	if (sqlite3_open_v2(path, &file->db, flags, NULL) != SQLITE_OK)
		return false;
	sqlite3_busy_timeout(file->db, LIMIT_STORE_LOCK_MS);
	return use_schema(file);
}

static void remove_files(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char *name;

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		name = memory_format("%s%s", path, ends[i]);
		unlink(name);
		free(name);
	}
}

struct directory_file *directory_file_open(const char *path)
{
	struct directory_file *file = memory_new(sizeof *file);

	if (open_database(file, path))
		return file;
	close_database(file);
	log_message(LOG_WARN, "directory.file", NAME " cannot be used: it is begun anew");
	remove_files(path);
	if (open_database(file, path))
		return file;
	tell(file, "open the directory's file");
	close_database(file);
	return file;
}

void directory_file_close(struct directory_file *file)
{
	if (file == NULL)
		return;
	close_database(file);
	free(file);
}

void directory_file_begin(struct directory_file *file)
{
	if (file->db != NULL)
		sqlite3_exec(file->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
}

void directory_file_commit(struct directory_file *file)
{
	if (file->db == NULL || sqlite3_get_autocommit(file->db))
		return;
	if (sqlite3_exec(file->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
		file->told = false;
		return;
	}
	tell(file, "keep what was read");
	sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

static void bind_key(sqlite3_stmt *statement, const char *provider, enum part part, const char *key)
{
	sqlite3_bind_text(statement, 1, provider, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 2, part_names[part], -1, SQLITE_STATIC);
	if (key != NULL)
		sqlite3_bind_text(statement, 3, key, -1, SQLITE_TRANSIENT);
}

/* Without what is a secret. NULL is none. */
static void bind_clean(sqlite3_stmt *statement, int index, struct gate *gate, bool json, const char *text)
{
	struct cleaner cleaner = gate_cleaner(gate);
	struct buffer out;

	if (text == NULL) {
		sqlite3_bind_null(statement, index);
		return;
	}
	buffer_init(&out, 2 * strlen(text) + 64);
	if (!cleaner.clean(cleaner.context, json, text, strlen(text), &out))
		sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
	else if (out.failed)
		sqlite3_bind_null(statement, index);
	else
		sqlite3_bind_text(statement, index, out.data, (int)out.length, SQLITE_TRANSIENT);
	buffer_free(&out);
}

void directory_file_put(struct directory_file *file, struct gate *gate, const struct directory_row *row)
{
	sqlite3_stmt *statement = file->statements[PUT];

	if (file->db == NULL)
		return;
	bind_key(statement, row->provider, row->part, row->key);
	bind_clean(statement, 4, gate, true, row->body);
	sqlite3_bind_int64(statement, 5, row->as_of_ms);
	sqlite3_bind_int64(statement, 6, row->checked_ms);
	bind_clean(statement, 7, gate, false, row->etag);
	bind_clean(statement, 8, gate, false, row->failure);
	sqlite3_bind_int64(statement, 9, row->next_try_ms);
	if (sqlite_run(statement) != SQLITE_OK)
		tell(file, "keep what was read");
	sqlite3_clear_bindings(statement);
}

void directory_file_remove(struct directory_file *file, const char *provider, enum part part, const char *key)
{
	if (file->db == NULL)
		return;
	bind_key(file->statements[REMOVE], provider, part, key);
	if (sqlite_run(file->statements[REMOVE]) != SQLITE_OK)
		tell(file, "forget a model");
}

void directory_file_each(struct directory_file *file, const char *provider, enum part part,
	void (*take)(void *context, const struct directory_row *row), void *context)
{
	sqlite3_stmt *statement = file->statements[EACH];

	if (file->db == NULL)
		return;
	bind_key(statement, provider, part, NULL);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct directory_row row = { .provider = provider,
			.part = part,
			.key = (const char *)sqlite3_column_text(statement, 0),
			.body = (const char *)sqlite3_column_text(statement, 1),
			.as_of_ms = sqlite3_column_int64(statement, 2),
			.checked_ms = sqlite3_column_int64(statement, 3),
			.etag = (const char *)sqlite3_column_text(statement, 4),
			.failure = (const char *)sqlite3_column_text(statement, 5),
			.next_try_ms = sqlite3_column_int64(statement, 6) };

		if (row.key != NULL)
			take(context, &row);
	}
	sqlite3_reset(statement);
}
