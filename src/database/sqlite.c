/* sqlite.c - the driver of SQLite: a file beside the host, which one process has at a time. One connection writes, under the write-ahead log, whose
 * bulk is carried over by a thread of its own (sqlite_checkpoint.h); others read, and never wait for it. */
#include "database/sqlite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "database/sqlite_tools.h"

#define SCHEME "sqlite:"
#define APPLICATION_ID 1886549604 /* "prvd" */
#define CHECKPOINT_PAGES 2048	  /* 16 MiB: long enough that a page that many commits rewrote is copied once */
#define CHECKPOINT_IDLE_NS 1000000000LL
#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

static const char *const bracket_texts[BRACKETS] = {
	[BRACKET_WRITE] = "BEGIN IMMEDIATE",
	[BRACKET_READ] = "BEGIN",
	[BRACKET_COMMIT] = "COMMIT",
	[BRACKET_ROLLBACK] = "ROLLBACK",
};

static struct sqlite_database *of(struct database *database)
{
	return (struct sqlite_database *)(void *)database;
}

static enum database_result result_of(int code)
{
	return code == SQLITE_OK ? DATABASE_OK : DATABASE_FAILED;
}

static enum database_result run_bracket(struct database *database, enum sqlite_bracket which)
{
	return result_of(sqlite_run(of(database)->brackets[which]));
}

static const char *sqlite_dialect(const struct sql *text)
{
	return text->sqlite;
}

static enum error_code sqlite_find(const char *home, const char *url, struct database_place *place, struct error *error)
{
	const char *file = url + strlen(SCHEME);

	if (*file == '\0')
		return error_set(error, ERROR_INVALID, "registry.url", "expected \"sqlite:FILE\", the file is missing");
	place->name = memory_copy_text(file);
	place->path = file_join(home, file);
	return ERROR_NONE;
}

/* ---- connections ---- */

/* SQLite counts its memory under one global mutex unless told not to; nobody reads the count. And each connection takes room for twenty pages at once, which
 * readers, who map the file, never fill. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

/* Makes the file, for its owner and group only: it holds prompts. An existing file is left alone, for closing a descriptor
 * would drop the locks that SQLite may hold on it. */
static enum error_code make_file(const struct database_place *place, struct error *error)
{
	struct error why;
	enum error_code code = file_make_parents(place->path, error);

	if (code != ERROR_NONE || file_exists(place->path))
		return code;
	code = file_write_durably(place->path, "", 0, 0640, &why);
	return code == ERROR_NONE ? code : error_set(error, code, place->name, "cannot make the registry: %s", why.message);
}

/* Is it a new file, or one of ours? Before anything in it is changed. */
static enum error_code sqlite_version(struct database *database, struct database_version *version, struct error *error)
{
	const char *name = database->place->name;
	sqlite3 *handle = of(database)->handle;
	int64_t application = 0, tables = 0;
	int code = sqlite_query(handle, "SELECT count(*) FROM sqlite_master", &tables);

	if (code == SQLITE_OK)
		code = sqlite_query(handle, "PRAGMA application_id", &application);
	if (code == SQLITE_OK)
		code = sqlite_query(handle, "PRAGMA user_version", &version->version);
	version->oldest = version->version;
	if ((code & 0xff) == SQLITE_NOTADB)
		return error_set(error, ERROR_INVALID, name,
			"this file is not an SQLite database; move it away, or name another file in registry.url");
	if (code != SQLITE_OK)
		return sqlite_error(handle, name, "read the registry", error);
	if (application == 0 && version->version == 0 && tables == 0)
		return ERROR_NONE;
	if (application != APPLICATION_ID || version->version < 0)
		return error_set(error, ERROR_INVALID, name,
			"this database belongs to another program; move it away, or name another file in registry.url");
	return ERROR_NONE;
}

static enum database_result sqlite_set_version(struct database *database, const struct database_version *version)
{
	char pragma[96];

	snprintf(pragma, sizeof pragma, "PRAGMA application_id = " TEXT_OF(APPLICATION_ID) "; PRAGMA user_version = %lld",
		(long long)version->version);
	return result_of(sqlite3_exec(of(database)->handle, pragma, NULL, NULL, NULL));
}

/* WAL needs shared memory beside the file: a network folder may refuse it, and SQLite then silently keeps the old mode. */
static enum error_code use_log(struct sqlite_database *database, struct error *error)
{
	const char *name = database->base.place->name;
	sqlite3_stmt *statement;
	const char *mode;
	bool wal;

	if (sqlite3_prepare_v2(database->handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL) != SQLITE_OK)
		return sqlite_error(database->handle, name, "set up the registry's log", error);
	if (sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_finalize(statement);
		return sqlite_error(database->handle, name, "set up the registry's log", error);
	}
	mode = (const char *)sqlite3_column_text(statement, 0);
	wal = mode != NULL && strcmp(mode, "wal") == 0;
	sqlite3_finalize(statement);
	return wal ? ERROR_NONE
		   : error_set(error, ERROR_IO, name,
			     "this folder cannot hold the registry: no write-ahead log (a network folder?)");
}

static int note_log(void *context, sqlite3 *handle, const char *schema, int pages)
{
	struct sqlite_database *database = context;

	(void)handle;
	(void)schema;
	database->log_pages = pages;
	return SQLITE_OK;
}

static enum error_code set_up_writing(struct sqlite_database *database, struct error *error)
{
	/* The page size was measured: 8 KiB takes ten rows of the usual size, so a small group dirties the fewest pages. */
	static const char tuning[] = "PRAGMA synchronous = NORMAL;"
				     "PRAGMA wal_autocheckpoint = 0;"
				     "PRAGMA journal_size_limit = " TEXT_OF(LIMIT_STORE_WAL_BYTES) ";"
												   "PRAGMA cache_size = -16384;"
												   "PRAGMA secure_delete = OFF;"
												   "PRAGMA temp_store = MEMORY;";
	const struct database_place *place = database->base.place;
	struct database_version version = { 0 };
	enum error_code code;

	sqlite3_busy_timeout(database->handle, LIMIT_STORE_LOCK_MS);
	code = sqlite_version(&database->base, &version, error);
	if (code != ERROR_NONE)
		return code;
	if (sqlite3_exec(database->handle, "PRAGMA page_size = 8192", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_error(database->handle, place->name, "set up the registry", error);
	code = use_log(database, error);
	if (code == ERROR_NONE && sqlite3_exec(database->handle, tuning, NULL, NULL, NULL) != SQLITE_OK)
		code = sqlite_error(database->handle, place->name, "tune the registry", error);
	if (code != ERROR_NONE)
		return code;
	if (sqlite_given_register(database) != SQLITE_OK)
		return sqlite_error(database->handle, place->name, "set up the registry", error);
	sqlite3_wal_hook(database->handle, note_log, database);
	database->checkpoint_at = CHECKPOINT_PAGES;
	database->has_checkpointer = true;
	return checkpointer_open(&database->checkpointer, place->path, place->name, error);
}

static enum error_code set_up_reading(struct sqlite_database *database, struct error *error)
{
	static const char tuning[] = "PRAGMA query_only = ON;"
				     "PRAGMA mmap_size = " TEXT_OF(LIMIT_STORE_MAP_BYTES) ";"
											  "PRAGMA temp_store = MEMORY;";

	if (sqlite3_busy_timeout(database->handle, LIMIT_STORE_LOCK_MS) == SQLITE_OK &&
		sqlite3_exec(database->handle, tuning, NULL, NULL, NULL) == SQLITE_OK)
		return ERROR_NONE;
	return sqlite_error(database->handle, database->base.place->name, "open the registry for reading", error);
}

static void sqlite_close(struct database *database)
{
	if (of(database)->has_checkpointer)
		checkpointer_close(&of(database)->checkpointer);
	sqlite_finalize(of(database)->brackets, BRACKETS);
	sqlite3_close(of(database)->handle);
	free(database);
}

/* What only reads is opened for writing all the same: a reader of a database with a log must be able to recover its shared memory. */
static enum error_code sqlite_open(
	const struct database_place *place, enum database_use use, struct database **database, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	enum error_code code = use == DATABASE_WRITES ? make_file(place, error) : ERROR_NONE;
	struct sqlite_database *made;

	pthread_once(&once, configure);
	if (code != ERROR_NONE)
		return code;
	made = memory_new(sizeof *made);
	made->base = (struct database){ .driver = &sqlite_driver, .place = place };
	if (sqlite3_open_v2(place->path, &made->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		code = sqlite_error(made->handle, place->name, "open the registry", error);
	else
		code = use == DATABASE_WRITES ? set_up_writing(made, error) : set_up_reading(made, error);
	if (code == ERROR_NONE)
		code = sqlite_prepare(made->handle, place->name, bracket_texts, made->brackets, BRACKETS, error);
	if (code == ERROR_NONE)
		*database = &made->base;
	else
		sqlite_close(&made->base);
	return code;
}

static bool sqlite_is_connected(const struct database *database)
{
	(void)database;
	return true;
}

static enum error_code sqlite_connect(struct database *database, struct error *error)
{
	(void)database;
	(void)error;
	return ERROR_NONE;
}

static enum error_code sqlite_say(struct database *database, const char *action, struct error *error)
{
	return sqlite_error(of(database)->handle, database->place->name, action, error);
}

/* A failure that says nothing about the row at hand but all about the database. */
static bool sqlite_is_lost(struct database *database)
{
	sqlite3 *handle = of(database)->handle;

	switch (sqlite3_errcode(handle) & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH: return sqlite3_get_autocommit(handle) != 0;
	default: return true;
	}
}

static bool sqlite_lacks_memory(struct database *database)
{
	return sqlite3_errcode(of(database)->handle) == SQLITE_NOMEM;
}

/* ---- transactions ---- */

static enum database_result sqlite_execute(struct database *database, const char *text)
{
	return result_of(sqlite3_exec(of(database)->handle, text, NULL, NULL, NULL));
}

/* Syncing every commit costs a disk's turn; so only what needs it pays. */
static enum database_result sqlite_begin(struct database *database, bool synced)
{
	const char *pragma = synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

	if (of(database)->synced != synced && sqlite_execute(database, pragma) != DATABASE_OK)
		return DATABASE_FAILED;
	of(database)->synced = synced;
	return run_bracket(database, BRACKET_WRITE);
}

static enum database_result sqlite_commit(struct database *database)
{
	return run_bracket(database, BRACKET_COMMIT);
}

static bool sqlite_in_transaction(struct database *database)
{
	return sqlite3_get_autocommit(of(database)->handle) == 0;
}

static void sqlite_rollback(struct database *database)
{
	if (sqlite_in_transaction(database))
		run_bracket(database, BRACKET_ROLLBACK);
}

/* A file says at once whether it was committed. */
static enum database_result sqlite_settle(struct database *database)
{
	(void)database;
	return DATABASE_DONE;
}

static enum database_result sqlite_begin_reading(struct database *database)
{
	return run_bracket(database, BRACKET_READ);
}

static void sqlite_end_reading(struct database *database)
{
	if (sqlite_in_transaction(database))
		run_bracket(database, BRACKET_COMMIT);
}

/* ---- the log ---- */

/* Copies the few pages that came while the bulk was copied; the next commit then begins the log anew. A reader may hinder that:
 * then it is tried again when the log has grown by as much. */
static void finish_checkpoint(struct sqlite_database *database)
{
	int pages = 0, copied = 0;

	sqlite3_wal_checkpoint_v2(database->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
	if (copied >= pages)
		database->log_pages = 0;
	database->checkpoint_at = database->log_pages + CHECKPOINT_PAGES;
}

static int64_t sqlite_tend(struct database *database, bool idle)
{
	struct sqlite_database *own = of(database);

	if (checkpointer_ended(&own->checkpointer))
		finish_checkpoint(own);
	else if (own->log_pages >= own->checkpoint_at || (idle && own->log_pages > 0))
		checkpointer_request(&own->checkpointer);
	return own->log_pages > 0 ? CHECKPOINT_IDLE_NS : INT64_MAX;
}

const struct driver sqlite_driver = {
	.scheme = SCHEME,
	.dialect = sqlite_dialect,
	.find = sqlite_find,
	.open = sqlite_open,
	.close = sqlite_close,
	.is_connected = sqlite_is_connected,
	.connect = sqlite_connect,
	.error = sqlite_say,
	.is_lost = sqlite_is_lost,
	.version = sqlite_version,
	.set_version = sqlite_set_version,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.in_transaction = sqlite_in_transaction,
	.settle = sqlite_settle,
	.begin_reading = sqlite_begin_reading,
	.end_reading = sqlite_end_reading,
	.tend = sqlite_tend,
	.execute = sqlite_execute,
	.give = sqlite_give,
	.prepare = sqlite_statement_prepare,
	.finalize = sqlite_statement_finalize,
	.bind_integer = sqlite_bind_integer,
	.bind_real = sqlite_bind_real,
	.bind_text = sqlite_bind_text,
	.bind_bytes = sqlite_bind_bytes,
	.bind_null = sqlite_bind_null,
	.bind_owned = sqlite_bind_owned,
	.bind_copy = sqlite_bind_copy,
	.step = sqlite_step,
	.reset = sqlite_reset,
	.integer = sqlite_column_integer,
	.real = sqlite_column_real,
	.text = sqlite_column_text,
	.bytes = sqlite_column_bytes,
	.is_null = sqlite_column_is_null,
	.lacks_memory = sqlite_lacks_memory,
	.run = sqlite_run_statement,
	.change = sqlite_change,
};
