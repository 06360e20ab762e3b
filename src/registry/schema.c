/* schema.c - opens, recognises and migrates the registry's database. Runs at open only, before any thread uses it.
 *
 * To change the schema, append a step to `steps`; never edit one that was released. Refuses files that are not a registry
 * and versions newer than the last step, without writing a byte to them.
 *
 * A row of `task` begins with its small columns, so that a filter never reads the pages that a long text overflows to. Its
 * secondary index, `task_index`, is a table of its own because it is filled in batches, some thousand rows behind (upkeep.c):
 * an index that SQLite keeps at every insert touches a page per provider in every commit, and made a row cost twice as much
 * (measured: 6 us of CPU without, 13 us with, in groups of 16).
 *
 * An event is found by its number. Those of live jobs, which carry data, are in an index by job too; the only event of a dry run is found
 * by its time (event_reads.c), so that the many rows of dry runs pay for no index. */
#include "registry/schema.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "registry/database.h"

#define APPLICATION_ID 1886549604 /* "prvd" */
#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE source (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, provider TEXT NOT NULL, UNIQUE (kind, provider));"
	"CREATE TABLE task (sequence INTEGER PRIMARY KEY, status INTEGER NOT NULL, source INTEGER NOT NULL, dry_run INTEGER NOT "
	"NULL,"
	" progress REAL NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, id BLOB NOT NULL, vendor_id TEXT,"
	" request_id TEXT, payload TEXT, estimates TEXT, result TEXT);"
	"CREATE TABLE task_index (status INTEGER NOT NULL, source INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" PRIMARY KEY (status, source, sequence)) WITHOUT ROWID;"
	"CREATE TABLE task_indexed (only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL);"
	"INSERT INTO task_indexed VALUES (1, 0);"
	"CREATE TABLE idempotency (key TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, status INTEGER NOT NULL,"
	" body_sha256 BLOB NOT NULL, answer BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX idempotency_age ON idempotency (created_ms);"
	"PRAGMA application_id = " TEXT_OF(APPLICATION_ID) ";",
	/* 2: live jobs, their money, and the log of events. A ledger row outlives its task. No index: open jobs are looked for once, at the start,
	 * and a day's money is a range of sequences, while each index would cost every step of a job a page. */
	"CREATE TABLE live (sequence INTEGER PRIMARY KEY, phase INTEGER NOT NULL, attempts INTEGER NOT NULL, submitted_ms "
	"INTEGER NOT"
	" NULL, deadline_ms INTEGER NOT NULL, stop_ms INTEGER NOT NULL, cancel_asked INTEGER NOT NULL, caller TEXT, reason TEXT,"
	" state TEXT, request TEXT);"
	"CREATE TABLE ledger (sequence INTEGER PRIMARY KEY, day INTEGER NOT NULL, source INTEGER NOT NULL, reserved INTEGER NOT "
	"NULL,"
	" expected INTEGER NOT NULL, spent INTEGER NOT NULL, basis TEXT, caller TEXT);"
	"CREATE TABLE event (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, sequence INTEGER NOT NULL, verb TEXT NOT NULL, "
	"data"
	" TEXT);"
	"CREATE INDEX event_job ON event (sequence) WHERE data IS NOT NULL;",
	/* 3: outgoing webhooks. */
	"CREATE TABLE hook (number INTEGER PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL,"
	" earlier_secret TEXT, earlier_until_ms INTEGER NOT NULL, caller TEXT, created_ms INTEGER NOT NULL, cursor INTEGER NOT "
	"NULL);"
	"CREATE TABLE delivery (hook INTEGER NOT NULL, event INTEGER NOT NULL, sequence INTEGER NOT NULL, attempts INTEGER NOT "
	"NULL,"
	" first_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, parked INTEGER NOT NULL, status INTEGER NOT NULL, problem TEXT,"
	" PRIMARY KEY (hook, event)) WITHOUT ROWID;"
	"CREATE TABLE callback (sequence INTEGER PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL);",
	/* 4: what a live job is traced by; NULL in the rows from before. */
	"ALTER TABLE live ADD COLUMN trace TEXT;",
	/* 5: how many requests a job has paid for, and whose job a vendor's id is: the few live jobs pay for that index. */
	"ALTER TABLE live ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX task_vendor ON task (vendor_id) WHERE dry_run = 0;",
	/* 6: whose a job is. The index holds the rows of callers alone, so a host without API keys does not pay for it. */
	"ALTER TABLE task ADD COLUMN caller TEXT;"
	"UPDATE task SET caller = (SELECT caller FROM live WHERE live.sequence = task.sequence)"
	" WHERE sequence IN (SELECT sequence FROM live WHERE caller IS NOT NULL);"
	"CREATE INDEX task_caller ON task (caller, sequence) WHERE caller IS NOT NULL;",
	/* 7: the number that also stands in a file beside the database (paid_mark.h). */
	"CREATE TABLE paid_mark (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL);"
	"INSERT INTO paid_mark VALUES (1, 0);",
	/* 8: how many requests a job may pay for: as many as were reserved, whatever its script says later. */
	"ALTER TABLE live ADD COLUMN paid_most INTEGER NOT NULL DEFAULT 1;",
	/* 9: the only request that a job may send, if its client said which. */
	"ALTER TABLE live ADD COLUMN request_sha256 TEXT;",
	/* 10: what settled jobs have cost, by what decides it; a row outlives its task. The index finds those of one model, for the few live jobs alone. */
	"CREATE TABLE observed (sequence INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, drivers TEXT NOT NULL,"
	" micro_usd INTEGER NOT NULL, at_ms INTEGER NOT NULL);"
	"CREATE INDEX observed_name ON observed (provider, model, drivers, sequence);",
	/* 11: which jobs have outputs, the newest first: what an output is stands in its job's result. Jobs below the number in artifact_filled are still to
	 * be looked at (upkeep.c): the start must not wait for a hundred thousand. Then the request of a live job as it was first sent, apart from its row,
	 * which every step writes anew. The indices are for live jobs alone: whose request made one, and which stand how. */
	"CREATE TABLE artifact (sequence INTEGER NOT NULL, n INTEGER NOT NULL, source INTEGER NOT NULL, media INTEGER NOT NULL,"
	" caller TEXT, PRIMARY KEY (sequence DESC, n)) WITHOUT ROWID;"
	"CREATE INDEX artifact_caller ON artifact (caller, sequence DESC, n) WHERE caller IS NOT NULL;"
	"CREATE TABLE artifact_filled (only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL);"
	"INSERT INTO artifact_filled SELECT 1, coalesce(max(sequence) + 1, 0) FROM live;"
	"CREATE TABLE upstream (sequence INTEGER PRIMARY KEY, request TEXT NOT NULL);"
	"CREATE INDEX task_request ON task (request_id) WHERE dry_run = 0;"
	"CREATE INDEX task_live ON task (source, status, sequence) WHERE dry_run = 0;",
	/* 12: what a job's client asked for in its own words, and when its outputs were taken away: NULL for most, behind all else. */
	"ALTER TABLE task ADD COLUMN asked TEXT;"
	"ALTER TABLE task ADD COLUMN removed_ms INTEGER;",
	/* 13: quotes (quote.h), each with at most one job; caller is '' of nobody's, so that an index compares it. Which live jobs would send the same request,
	 * and by which door each came: budgets of doors count it. */
	"CREATE TABLE quote (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL, caller TEXT NOT NULL, kind TEXT NOT NULL, provider "
	"TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, expected INTEGER NOT NULL, most INTEGER NOT NULL, sha256 "
	"TEXT,"
	" asked_ms INTEGER NOT NULL, asked INTEGER NOT NULL, approved_ms INTEGER NOT NULL, approved INTEGER NOT NULL, "
	"approved_by TEXT,"
	" refused_ms INTEGER NOT NULL, question INTEGER NOT NULL, job INTEGER UNIQUE, bytes INTEGER NOT NULL, request TEXT);"
	"CREATE INDEX quote_open ON quote (caller, sequence, bytes) WHERE job IS NULL;"
	"CREATE INDEX quote_asked ON quote (sequence) WHERE job IS NULL AND asked_ms <> 0;"
	"ALTER TABLE live ADD COLUMN upstream_sha256 TEXT;"
	"CREATE INDEX live_upstream ON live (upstream_sha256, sequence) WHERE upstream_sha256 IS NOT NULL;"
	"ALTER TABLE ledger ADD COLUMN door INTEGER NOT NULL DEFAULT 0;",
	/* 14: what live jobs were made for, of clients that may ask again without saying so (job_wish.h). */
	"CREATE TABLE wish (sequence INTEGER PRIMARY KEY, digest BLOB NOT NULL, answered INTEGER NOT NULL, takes INTEGER NOT "
	"NULL,"
	" touched_ms INTEGER NOT NULL, overtook INTEGER NOT NULL);"
	"CREATE INDEX wish_digest ON wish (digest);",
};

#define VERSION (sizeof steps / sizeof *steps)

/* SQLite counts its memory under one global mutex unless told not to; nobody reads the count. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum error_code refuse_foreign(const char *name, struct error *error)
{
	return error_set(error, ERROR_INVALID, name,
		"this database belongs to another program; move it away, or name another file in registry.url");
}

/* Tells a new database and ours from all others. Only reads. */
static enum error_code recognise(sqlite3 *db, const char *name, size_t latest, int64_t *version, struct error *error)
{
	int64_t application = 0, tables = 0;
	int code = database_query(db, "SELECT count(*) FROM sqlite_master", &tables);

	if (code == SQLITE_OK)
		code = database_query(db, "PRAGMA application_id", &application);
	if (code == SQLITE_OK)
		code = database_query(db, "PRAGMA user_version", version);
	if ((code & 0xff) == SQLITE_NOTADB)
		return error_set(error, ERROR_INVALID, name,
			"this file is not an SQLite database; move it away, or name another file in registry.url");
	if (code != SQLITE_OK)
		return database_error(db, name, "read the registry", error);
	if (application == 0 && *version == 0 && tables == 0)
		return ERROR_NONE;
	if (application != APPLICATION_ID || *version < 0)
		return refuse_foreign(name, error);
	if (*version > (int64_t)latest)
		return error_set(error, ERROR_CONFLICT, name,
			"the registry has schema version %lld, this program knows versions up to %zu: install the newer program, "
			"or name "
			"another file in registry.url",
			(long long)*version, latest);
	return ERROR_NONE;
}

static int run_steps(sqlite3 *db, const char *const *list, size_t from, size_t count)
{
	char pragma[48];
	int code = SQLITE_OK;

	for (size_t i = from; i < count && code == SQLITE_OK; i++)
		code = sqlite3_exec(db, list[i], NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return code;
	snprintf(pragma, sizeof pragma, "PRAGMA user_version = %zu", count);
	return sqlite3_exec(db, pragma, NULL, NULL, NULL);
}

enum error_code schema_migrate(sqlite3 *db, const char *name, const char *const *list, size_t count, struct error *error)
{
	int64_t version = 0;
	enum error_code result;

	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return database_error(db, name, "lock the registry", error);
	result = recognise(db, name, count, &version, error);
	if (result == ERROR_NONE && run_steps(db, list, (size_t)version, count) != SQLITE_OK)
		result = database_error(db, name, "bring the registry to the newest schema", error);
	if (result == ERROR_NONE && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		result = database_error(db, name, "bring the registry to the newest schema", error);
	if (result != ERROR_NONE)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* WAL needs shared memory beside the file: a network folder may refuse it, and SQLite then silently keeps the old mode. */
static enum error_code use_wal(sqlite3 *db, const char *name, struct error *error)
{
	sqlite3_stmt *statement;
	const char *mode;
	bool wal;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) != SQLITE_OK)
		return database_error(db, name, "set up the registry's log", error);
	if (sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_finalize(statement);
		return database_error(db, name, "set up the registry's log", error);
	}
	mode = (const char *)sqlite3_column_text(statement, 0);
	wal = mode != NULL && strcmp(mode, "wal") == 0;
	sqlite3_finalize(statement);
	return wal ? ERROR_NONE
		   : error_set(error, ERROR_IO, name,
			     "this folder cannot hold the registry: no write-ahead log (a network folder?)");
}

static enum error_code prepare_writer(sqlite3 *db, const char *name, struct error *error)
{
	/* The page size was measured: 8 KiB takes ten rows of the usual size, so a small group dirties the fewest pages. */
	static const char tuning[] = "PRAGMA synchronous = NORMAL;"
				     "PRAGMA wal_autocheckpoint = 0;"
				     "PRAGMA journal_size_limit = " TEXT_OF(LIMIT_STORE_WAL_BYTES) ";"
												   "PRAGMA cache_size = -16384;"
												   "PRAGMA secure_delete = OFF;"
												   "PRAGMA temp_store = MEMORY;";
	int64_t version = 0;
	enum error_code code;

	sqlite3_busy_timeout(db, LIMIT_STORE_LOCK_MS);
	code = recognise(db, name, VERSION, &version, error);
	if (code != ERROR_NONE)
		return code;
	if (sqlite3_exec(db, "PRAGMA page_size = 8192", NULL, NULL, NULL) != SQLITE_OK)
		return database_error(db, name, "set up the registry", error);
	code = use_wal(db, name, error);
	if (code == ERROR_NONE && version < (int64_t)VERSION)
		code = schema_migrate(db, name, steps, VERSION, error);
	if (code == ERROR_NONE && sqlite3_exec(db, tuning, NULL, NULL, NULL) != SQLITE_OK)
		code = database_error(db, name, "tune the registry", error);
	return code;
}

/* Makes the file, for its owner and group only: it holds prompts. An existing file is left alone, for closing a descriptor
 * would drop the locks that SQLite may hold on it. */
static enum error_code make_file(const char *path, const char *name, struct error *error)
{
	struct error why;
	enum error_code code;

	if (file_exists(path))
		return ERROR_NONE;
	code = file_write_durably(path, "", 0, 0640, &why);
	return code == ERROR_NONE ? code : error_set(error, code, name, "cannot make the registry: %s", why.message);
}

enum error_code schema_open(const char *path, const char *name, sqlite3 **db, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	enum error_code code;

	pthread_once(&once, configure);
	code = file_make_parents(path, error);
	if (code == ERROR_NONE)
		code = make_file(path, name, error);
	if (code != ERROR_NONE)
		return code;
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		code = database_error(*db, name, "open the registry", error);
	else
		code = prepare_writer(*db, name, error);
	if (code != ERROR_NONE) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return code;
}

enum error_code schema_open_reader(const char *path, const char *name, sqlite3 **db, struct error *error)
{
	static const char tuning[] = "PRAGMA query_only = ON;"
				     "PRAGMA mmap_size = " TEXT_OF(LIMIT_STORE_MAP_BYTES) ";"
											  "PRAGMA temp_store = MEMORY;";
	enum error_code code;

	/* Opened for writing all the same: a reader of a WAL database must be able to recover its shared memory. */
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
		sqlite3_busy_timeout(*db, LIMIT_STORE_LOCK_MS) == SQLITE_OK &&
		sqlite3_exec(*db, tuning, NULL, NULL, NULL) == SQLITE_OK)
		return ERROR_NONE;
	code = database_error(*db, name, "open the registry for reading", error);
	sqlite3_close(*db);
	*db = NULL;
	return code;
}
