/* task_writes.c - a new task: its row, its place in the index if its batch is indexed already, its key, its source; and that its outputs were taken
 * away. Store thread only. */
#include "registry/writes.h"

#include "base/clock.h"
#include "registry/database.h"

int writer_index(struct writer *writer, int status, int source, int64_t sequence)
{
	sqlite3_stmt *statement = writer->statements[WRITE_INDEX];

	sqlite3_bind_int(statement, 1, status);
	sqlite3_bind_int(statement, 2, source);
	sqlite3_bind_int64(statement, 3, sequence);
	return database_run(statement);
}

int writer_unindex(struct writer *writer, int status, int source, int64_t sequence)
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
	writer_bind_clean(writer, statement, 9, false, task->vendor_id);
	writer_bind_text(statement, 10, task->request_id);
	writer_bind_clean(writer, statement, 11, true, task->payload);
	writer_bind_clean(writer, statement, 12, true, task->estimates);
	writer_bind_clean(writer, statement, 13, true, task->result);
	writer_bind_text(statement, 14, task->caller);
	writer_bind_clean(writer, statement, 15, true, task->asked);
	code = database_run(statement);
	if (code == SQLITE_OK && task->live != NULL)
		code = writer_insert_live(writer, task, source);
	if (code != SQLITE_OK)
		return code;
	if (sequence <= writer->indexed)
		return writer_index(writer, (int)task->status, source, sequence);
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
		writer_bind_text(statement, 2, source->kind);
		writer_bind_text(statement, 3, source->provider);
		code = database_run(statement);
		if (code == SQLITE_OK)
			writer->sources->pending++;
	}
	return code;
}

static bool insert_parts(struct writer *writer, const struct store_write *write, int source)
{
	return insert_task(writer, &write->task, source) == SQLITE_OK && writer_tie_quote(writer, write) == SQLITE_OK &&
	       writer_insert_wish(writer, write) == SQLITE_OK &&
	       (write->idempotency.key == NULL || writer_insert_key(writer, &write->idempotency) == SQLITE_OK);
}

/* The task, its live half, its wish and its key go in together or not at all. */
static bool insert_marked(struct writer *writer, struct store_write *write, int source)
{
	size_t unindexed = writer->unindexed;
	bool fits = true;
	int code = write->idempotency.key != NULL ? writer_find_key(writer, write) : SQLITE_DONE;

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		return writer_refuse(writer, write, "look up the idempotency key");
	if (writer_check_quote(writer, write, &fits) != SQLITE_OK)
		return writer_refuse(writer, write, "look up the quote");
	if (!fits) {
		write->outcome = STORE_TIE_BROKEN;
		return true;
	}
	if (writer_run(writer, WRITE_MARK) != SQLITE_OK)
		return writer_refuse(writer, write, "store the job");
	if (insert_parts(writer, write, source)) {
		write->outcome = STORE_WRITTEN;
		return writer_run(writer, WRITE_UNMARK) == SQLITE_OK || writer_refuse(writer, write, "store the job");
	}
	if (!writer_refuse(writer, write, "store the job"))
		return false;
	writer->unindexed = unindexed;
	if (writer_run(writer, WRITE_BACK_TO_MARK) != SQLITE_OK || writer_run(writer, WRITE_UNMARK) != SQLITE_OK)
		return writer_fail(writer, "store the job");
	return true;
}

/* False when the group is lost. */
bool writer_insert(struct writer *writer, struct store_write *write)
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
	write->counted = source;
	if (store_sources(writer, source) != SQLITE_OK)
		return writer_refuse(writer, write, "store the provider");
	if (write->idempotency.key != NULL || task->live != NULL || write->ties.quote.tied)
		return insert_marked(writer, write, source);
	if (insert_task(writer, task, source) != SQLITE_OK)
		return writer_refuse(writer, write, "store the job");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* A second removal moves its time, which nobody asks for. The job itself stays, with what it cost. */
bool writer_remove(struct writer *writer, struct store_write *write)
{
	sqlite3_stmt *remove = writer->statements[WRITE_REMOVE], *outputs = writer->statements[WRITE_REMOVE_ARTIFACTS];
	const struct id *id = &write->task.id;

	sqlite3_bind_int64(remove, 1, clock_unix_ms());
	sqlite3_bind_int64(remove, 2, id_sequence(id));
	sqlite3_bind_blob(remove, 3, id->bytes, sizeof id->bytes, SQLITE_STATIC);
	sqlite3_bind_int64(outputs, 1, id_sequence(id));
	if (database_run(remove) != SQLITE_OK)
		return writer_refuse(writer, write, "remove the job's outputs");
	if (sqlite3_changes(writer->db) == 0) {
		error_set(&write->error, ERROR_NOT_FOUND, "", "there is no such job, or it has not ended");
		return true;
	}
	if (database_run(outputs) != SQLITE_OK)
		return writer_fail(writer, "remove the job's outputs");
	write->outcome = STORE_WRITTEN;
	return true;
}
