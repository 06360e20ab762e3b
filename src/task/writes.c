/* writes.c - one group, one transaction.
 *
 * Runs on the store thread. Owns the only connection that writes, and its statements, prepared once. A row that is refused for
 * itself (its number exists, say) fails alone; when the database fails (disk full, locked), the whole group fails, nothing of it
 * is stored, and the next group starts afresh. Nobody is told of an outcome before the commit. */
#include "task/writes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "task/database.h"
#include "task/reads.h"
#include "task/schema.h"

static const char *const texts[WRITE_STATEMENTS] = {
	[WRITE_BEGIN] = "BEGIN IMMEDIATE",
	[WRITE_COMMIT] = "COMMIT",
	[WRITE_ROLLBACK] = "ROLLBACK",
	[WRITE_MARK] = "SAVEPOINT one",
	[WRITE_UNMARK] = "RELEASE one",
	[WRITE_BACK_TO_MARK] = "ROLLBACK TO one",
	[WRITE_TASK] = "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[WRITE_SOURCE] = "INSERT INTO source VALUES (?, ?, ?)",
	[WRITE_INDEX] = "INSERT INTO task_index VALUES (?, ?, ?)",
	[WRITE_UNINDEX] = "DELETE FROM task_index WHERE status = ? AND source = ? AND sequence = ?",
	[WRITE_KEY] = "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)",
	[WRITE_FIND_KEY] = "SELECT status, body_sha256, answer FROM idempotency WHERE key = ?",
	[WRITE_FIND_TASK] = "SELECT status, source, id FROM task WHERE sequence = ?",
	[WRITE_CANCEL] = "UPDATE task SET status = ?, updated_ms = ? WHERE sequence = ?",
};

/* ---- transactions ---- */

static int run(struct writer *writer, enum write_statement which)
{
	return database_run(writer->statements[which]);
}

/* A failure that says nothing about the row at hand but all about the database. */
static bool is_lost(struct writer *writer)
{
	switch (sqlite3_errcode(writer->db) & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH: return sqlite3_get_autocommit(writer->db) != 0;
	default: return true;
	}
}

bool writer_fail(struct writer *writer, const char *action)
{
	database_error(writer->db, writer->name, action, &writer->failure);
	if (!sqlite3_get_autocommit(writer->db))
		run(writer, WRITE_ROLLBACK);
	writer->sources->pending = writer->sources->stored;
	return false;
}

/* Syncing every commit costs a disk's turn; so only the groups that need it pay. */
bool writer_begin(struct writer *writer, bool synced)
{
	const char *pragma = synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

	if (writer->synced != synced && sqlite3_exec(writer->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return writer_fail(writer, "set the registry's durability");
	writer->synced = synced;
	return run(writer, WRITE_BEGIN) == SQLITE_OK || writer_fail(writer, "write to the registry");
}

bool writer_commit(struct writer *writer)
{
	if (run(writer, WRITE_COMMIT) != SQLITE_OK)
		return writer_fail(writer, "write to the registry");
	writer->sources->stored = writer->sources->pending;
	return true;
}

/* ---- one task ---- */

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, text == NULL ? 0 : (int)strlen(text), SQLITE_STATIC);
}

/* A write ends in failure; false when the group is lost with it. */
static bool refuse(struct writer *writer, struct store_write *write, const char *action)
{
	database_error(writer->db, writer->name, action, &write->error);
	write->outcome = STORE_FAILED;
	if (!is_lost(writer))
		return true;
	return writer_fail(writer, action);
}

static int insert_index(struct writer *writer, int status, int source, int64_t sequence)
{
	sqlite3_stmt *statement = writer->statements[WRITE_INDEX];

	sqlite3_bind_int(statement, 1, status);
	sqlite3_bind_int(statement, 2, source);
	sqlite3_bind_int64(statement, 3, sequence);
	return database_run(statement);
}

static int remove_index(struct writer *writer, int status, int source, int64_t sequence)
{
	sqlite3_stmt *statement = writer->statements[WRITE_UNINDEX];

	sqlite3_bind_int(statement, 1, status);
	sqlite3_bind_int(statement, 2, source);
	sqlite3_bind_int64(statement, 3, sequence);
	return database_run(statement);
}

/* Ids come out of order by a little: one that is made before another may be written after it, even after its batch is indexed. */
static int insert_task(struct writer *writer, const struct task *task, int source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_TASK];
	int64_t sequence = id_sequence(&task->id);
	int code;

	sqlite3_bind_int64(statement, 1, sequence);
	sqlite3_bind_int(statement, 2, (int)task->status);
	sqlite3_bind_int(statement, 3, source);
	sqlite3_bind_int(statement, 4, task->dry_run);
	sqlite3_bind_double(statement, 5, task->progress);
	sqlite3_bind_int64(statement, 6, task->created_ms);
	sqlite3_bind_int64(statement, 7, task->updated_ms);
	sqlite3_bind_blob(statement, 8, task->id.bytes, sizeof task->id.bytes, SQLITE_STATIC);
	bind_text(statement, 9, task->vendor_id);
	bind_text(statement, 10, task->request_id);
	bind_text(statement, 11, task->payload);
	bind_text(statement, 12, task->estimates);
	bind_text(statement, 13, task->result);
	code = database_run(statement);
	if (code != SQLITE_OK)
		return code;
	if (sequence <= writer->indexed)
		return insert_index(writer, (int)task->status, source, sequence);
	writer->unindexed++;
	return SQLITE_OK;
}

/* Numbers that the database does not know yet go in first: one after the other, so that it has no gap. */
static int store_sources(struct writer *writer, int number)
{
	sqlite3_stmt *statement = writer->statements[WRITE_SOURCE];
	const struct source *source;
	int code = SQLITE_OK;

	while (writer->sources->pending < number && code == SQLITE_OK) {
		source = sources_get(writer->sources, writer->sources->pending + 1);
		sqlite3_bind_int(statement, 1, writer->sources->pending + 1);
		bind_text(statement, 2, source->kind);
		bind_text(statement, 3, source->provider);
		code = database_run(statement);
		if (code == SQLITE_OK)
			writer->sources->pending++;
	}
	return code;
}

/* ---- idempotency ---- */

/* The stored answer, or the clash. SQLITE_DONE when the key is new. */
static int find_key(struct writer *writer, struct store_write *write)
{
	sqlite3_stmt *statement = writer->statements[WRITE_FIND_KEY];
	int code;

	bind_text(statement, 1, write->idempotency.key);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		write->outcome = read_key_row(statement, &write->idempotency, &write->replay, &write->replay_length,
			&write->replay_status, &write->error);
	sqlite3_reset(statement);
	return code;
}

static int insert_key(struct writer *writer, const struct store_write *write)
{
	sqlite3_stmt *statement = writer->statements[WRITE_KEY];
	const struct idempotency *idempotency = &write->idempotency;

	bind_text(statement, 1, idempotency->key);
	sqlite3_bind_int64(statement, 2, clock_unix_ms());
	sqlite3_bind_int(statement, 3, idempotency->status);
	sqlite3_bind_blob(statement, 4, idempotency->body_sha256, sizeof idempotency->body_sha256, SQLITE_STATIC);
	sqlite3_bind_blob64(statement, 5, idempotency->answer == NULL ? "" : idempotency->answer,
		idempotency->answer == NULL ? 0 : idempotency->answer_length, SQLITE_STATIC);
	return database_run(statement);
}

/* The task and its key go in together or not at all. */
static bool write_keyed(struct writer *writer, struct store_write *write, int source)
{
	size_t unindexed = writer->unindexed;
	int code = find_key(writer, write);

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		return refuse(writer, write, "look up the idempotency key");
	if (run(writer, WRITE_MARK) != SQLITE_OK)
		return refuse(writer, write, "store the job");
	if (insert_task(writer, &write->task, source) == SQLITE_OK && insert_key(writer, write) == SQLITE_OK) {
		write->outcome = STORE_WRITTEN;
		return run(writer, WRITE_UNMARK) == SQLITE_OK || refuse(writer, write, "store the job");
	}
	if (!refuse(writer, write, "store the job"))
		return false;
	writer->unindexed = unindexed;
	if (run(writer, WRITE_BACK_TO_MARK) != SQLITE_OK || run(writer, WRITE_UNMARK) != SQLITE_OK)
		return writer_fail(writer, "store the job");
	return true;
}

/* False when the group is lost. */
static bool write_one(struct writer *writer, struct store_write *write)
{
	const struct task *task = &write->task;
	int source;

	if (task->kind == NULL || task->provider == NULL) {
		error_set(&write->error, ERROR_INVALID, "", "a job needs a kind and a provider");
		return true;
	}
	source = sources_number(writer->sources, task->kind, task->provider, &write->error);
	if (source == 0)
		return true;
	if (store_sources(writer, source) != SQLITE_OK)
		return refuse(writer, write, "store the provider");
	if (write->idempotency.key != NULL)
		return write_keyed(writer, write, source);
	if (insert_task(writer, task, source) != SQLITE_OK)
		return refuse(writer, write, "store the job");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* ---- changes ---- */

static bool change_fails(struct writer *writer, struct store_change *change)
{
	change->result = database_error(writer->db, writer->name, "cancel the job", &change->error);
	return writer_fail(writer, "cancel the job");
}

/* The row's status and source. ERROR_NOT_FOUND if the whole id does not match. */
static int find_task(struct writer *writer, struct store_change *change, int *source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_FIND_TASK];
	int code;

	sqlite3_bind_int64(statement, 1, id_sequence(&change->id));
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 2) == (int)sizeof change->id.bytes &&
		memcmp(sqlite3_column_blob(statement, 2), change->id.bytes, sizeof change->id.bytes) == 0) {
		change->status = (enum task_status)sqlite3_column_int(statement, 0);
		*source = sqlite3_column_int(statement, 1);
	} else if (code == SQLITE_ROW) {
		code = SQLITE_DONE;
	}
	sqlite3_reset(statement);
	return code;
}

static int set_canceled(struct writer *writer, const struct store_change *change, int source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_CANCEL];
	int64_t sequence = id_sequence(&change->id);
	int code;

	sqlite3_bind_int(statement, 1, TASK_CANCELED);
	sqlite3_bind_int64(statement, 2, clock_unix_ms());
	sqlite3_bind_int64(statement, 3, sequence);
	code = database_run(statement);
	if (code != SQLITE_OK || sequence > writer->indexed)
		return code;
	code = remove_index(writer, (int)change->status, source, sequence);
	return code == SQLITE_OK ? insert_index(writer, TASK_CANCELED, source, sequence) : code;
}

/* False when the group is lost. */
static bool change_one(struct writer *writer, struct store_change *change)
{
	int source = 0;
	int code = find_task(writer, change, &source);

	if (code == SQLITE_DONE) {
		change->result = error_set(&change->error, ERROR_NOT_FOUND, "", "there is no such job");
		return true;
	}
	if (code != SQLITE_ROW)
		return change_fails(writer, change);
	if (change->status != TASK_QUEUED && change->status != TASK_RUNNING) {
		change->result = error_set(&change->error, ERROR_CONFLICT, "", "the job cannot be canceled: its status is %s",
			task_status_name(change->status));
		return true;
	}
	if (set_canceled(writer, change, source) != SQLITE_OK)
		return change_fails(writer, change);
	change->status = TASK_CANCELED;
	change->result = ERROR_NONE;
	return true;
}

/* ---- groups ---- */

/* Nothing of the group is stored: all that was said about it is taken back. */
static void fail_group(struct writer *writer, struct store_write *writes, struct store_change *changes)
{
	for (; writes != NULL; writes = writes->next) {
		free(writes->replay);
		writes->replay = NULL;
		writes->outcome = STORE_FAILED;
		writes->error = writer->failure;
	}
	for (; changes != NULL; changes = changes->next) {
		changes->result = writer->failure.code;
		changes->error = writer->failure;
	}
}

static bool run_group(struct writer *writer, struct store_write *writes, struct store_change *changes)
{
	for (; writes != NULL; writes = writes->next)
		if (!write_one(writer, writes))
			return false;
	for (; changes != NULL; changes = changes->next)
		if (!change_one(writer, changes))
			return false;
	return writer_commit(writer);
}

void writer_group(struct writer *writer, struct store_write *writes, struct store_change *changes)
{
	size_t unindexed = writer->unindexed;
	bool durable = changes != NULL;

	for (struct store_write *write = writes; write != NULL; write = write->next) {
		durable = durable || write->durable;
		write->outcome = STORE_FAILED;
		write->replay = NULL;
		write->replay_length = 0;
	}
	if (writer_begin(writer, durable) && run_group(writer, writes, changes))
		return;
	writer->unindexed = unindexed;
	fail_group(writer, writes, changes);
}

/* ---- open and close ---- */

static int note_log(void *context, sqlite3 *db, const char *schema, int pages)
{
	struct writer *writer = context;

	(void)db;
	(void)schema;
	writer->log_pages = pages;
	return SQLITE_OK;
}

/* Where the numbers of this run begin, and where the index ends. */
static enum error_code read_position(struct writer *writer, struct error *error)
{
	int64_t newest = 0, unindexed = 0;

	if (database_query(writer->db, "SELECT coalesce(max(sequence), 0) FROM task", &newest) != SQLITE_OK ||
		database_query(writer->db, "SELECT sequence FROM task_indexed", &writer->indexed) != SQLITE_OK ||
		database_query(writer->db, "SELECT count(*) FROM task WHERE sequence > (SELECT sequence FROM task_indexed)",
			&unindexed) != SQLITE_OK)
		return database_error(writer->db, writer->name, "read the registry", error);
	writer->unindexed = (size_t)unindexed;
	id_continue_after(newest);
	return ERROR_NONE;
}

enum error_code writer_open(
	struct writer *writer, const char *path, const char *name, struct sources *sources, struct error *error)
{
	enum error_code code = schema_open(path, name, &writer->db, error);

	writer->name = name;
	writer->sources = sources;
	if (code != ERROR_NONE)
		return code;
	sqlite3_wal_hook(writer->db, note_log, writer);
	code = database_prepare(writer->db, name, texts, writer->statements, WRITE_STATEMENTS, error);
	if (code == ERROR_NONE)
		code = sources_load(sources, writer->db, name, error);
	if (code == ERROR_NONE)
		code = read_position(writer, error);
	return code;
}

void writer_close(struct writer *writer)
{
	database_finalize(writer->statements, WRITE_STATEMENTS);
	sqlite3_close(writer->db);
	writer->db = NULL;
}
