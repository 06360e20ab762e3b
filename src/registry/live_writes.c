/* live_writes.c - a live job's half of a write: its insertion, and what becomes of it. Store thread only.
 *
 * A job is settled once: a second settlement finds nothing to change. The task's index follows its status. */
#include "registry/writes.h"

#include <string.h>

#include "registry/database.h"

static int insert_upstream(struct writer *writer, const struct task *task)
{
	sqlite3_stmt *statement = writer->statements[WRITE_UPSTREAM];

	sqlite3_bind_int64(statement, 1, id_sequence(&task->id));
	writer_bind_clean(writer, statement, 2, true, task->upstream);
	return database_run(statement);
}

static int insert_money(struct writer *writer, const struct task *task, int source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_MONEY];

	sqlite3_bind_int64(statement, 1, id_sequence(&task->id));
	sqlite3_bind_int64(statement, 2, task->money->day);
	sqlite3_bind_int(statement, 3, source);
	sqlite3_bind_int64(statement, 4, task->money->reserved);
	sqlite3_bind_int64(statement, 5, task->money->expected);
	writer_bind_text(statement, 6, task->live->caller);
	sqlite3_bind_int(statement, 7, (int)task->money->door);
	return database_run(statement);
}

int writer_insert_live(struct writer *writer, const struct task *task, int source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_LIVE];
	const struct task_live *live = task->live;
	int64_t sequence = id_sequence(&task->id);
	int code;

	sqlite3_bind_int64(statement, 1, sequence);
	sqlite3_bind_int(statement, 2, (int)live->phase);
	sqlite3_bind_int(statement, 3, live->attempts);
	sqlite3_bind_int64(statement, 4, live->submitted_ms);
	sqlite3_bind_int64(statement, 5, live->deadline_ms);
	sqlite3_bind_int64(statement, 6, live->stop_ms);
	sqlite3_bind_int(statement, 7, live->cancel_asked);
	writer_bind_text(statement, 8, live->caller);
	writer_bind_clean(writer, statement, 9, false, live->reason);
	writer_bind_clean(writer, statement, 10, true, live->state);
	writer_bind_text(statement, 11, live->request);
	writer_bind_text(statement, 12, live->trace);
	sqlite3_bind_int(statement, 13, live->paid);
	sqlite3_bind_int(statement, 14, live->paid_most);
	writer_bind_text(statement, 15, live->expected);
	writer_bind_text(statement, 16, task->upstream_sha256);
	code = database_run(statement);
	if (code == SQLITE_OK && task->upstream != NULL)
		code = insert_upstream(writer, task);
	return code == SQLITE_OK && task->money != NULL ? insert_money(writer, task, source) : code;
}

/* Where the row stands now. SQLITE_ROW, or SQLITE_DONE when there is none with the whole id. */
static int find_task(struct writer *writer, const struct id *id, int *status, int *source)
{
	sqlite3_stmt *statement = writer->statements[WRITE_FIND_TASK];
	int code;

	sqlite3_bind_int64(statement, 1, id_sequence(id));
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 2) == (int)sizeof id->bytes &&
		memcmp(sqlite3_column_blob(statement, 2), id->bytes, sizeof id->bytes) == 0) {
		*status = sqlite3_column_int(statement, 0);
		*source = sqlite3_column_int(statement, 1);
	} else if (code == SQLITE_ROW) {
		code = SQLITE_DONE;
	}
	sqlite3_reset(statement);
	return code;
}

static int change_task(struct writer *writer, const struct task *task)
{
	sqlite3_stmt *statement = writer->statements[WRITE_CHANGE_TASK];

	sqlite3_bind_int(statement, 1, (int)task->status);
	sqlite3_bind_double(statement, 2, task->progress);
	sqlite3_bind_int64(statement, 3, task->updated_ms);
	writer_bind_clean(writer, statement, 4, false, task->vendor_id);
	writer_bind_clean(writer, statement, 5, true, task->result);
	sqlite3_bind_int64(statement, 6, id_sequence(&task->id));
	return database_run(statement);
}

static int change_live(struct writer *writer, const struct task *task)
{
	sqlite3_stmt *statement = writer->statements[WRITE_CHANGE_LIVE];
	const struct task_live *live = task->live;

	sqlite3_bind_int(statement, 1, (int)live->phase);
	sqlite3_bind_int(statement, 2, live->attempts);
	sqlite3_bind_int64(statement, 3, live->submitted_ms);
	sqlite3_bind_int64(statement, 4, live->deadline_ms);
	sqlite3_bind_int64(statement, 5, live->stop_ms);
	sqlite3_bind_int(statement, 6, live->cancel_asked);
	writer_bind_clean(writer, statement, 7, false, live->reason);
	writer_bind_clean(writer, statement, 8, true, live->state);
	sqlite3_bind_int64(statement, 9, id_sequence(&task->id));
	sqlite3_bind_int(statement, 10, live->paid);
	return database_run(statement);
}

static int settle_task(struct writer *writer, const struct task *task)
{
	sqlite3_stmt *statement = writer->statements[WRITE_SETTLE];

	if (task->money == NULL || task->money->spent < 0)
		return SQLITE_OK;
	sqlite3_bind_int64(statement, 1, task->money->spent);
	writer_bind_text(statement, 2, task->money->basis);
	sqlite3_bind_int64(statement, 3, id_sequence(&task->id));
	return database_run(statement);
}

static int move_index(struct writer *writer, const struct task *task, int status, int source)
{
	int64_t sequence = id_sequence(&task->id);
	int code;

	if (sequence > writer->indexed || status == (int)task->status)
		return SQLITE_OK;
	code = writer_unindex(writer, status, source, sequence);
	return code == SQLITE_OK ? writer_index(writer, (int)task->status, source, sequence) : code;
}

static int index_outputs(struct writer *writer, const struct task *task, int source)
{
	if (task->result == NULL || task->live->phase != LIVE_ENDED)
		return SQLITE_OK;
	return writer_index_artifacts(writer, id_sequence(&task->id), source, task->live->caller, task->result);
}

bool writer_change(struct writer *writer, struct store_write *write)
{
	const struct task *task = &write->task;
	int status = 0, source = 0;
	int code = find_task(writer, &task->id, &status, &source);

	if (code == SQLITE_DONE) {
		error_set(&write->error, ERROR_NOT_FOUND, "", "there is no such job");
		return true;
	}
	/* parts of a change are not taken back one by one: a failure loses the group */
	if (code != SQLITE_ROW || change_task(writer, task) != SQLITE_OK || change_live(writer, task) != SQLITE_OK ||
		settle_task(writer, task) != SQLITE_OK || writer_observe(writer, write) != SQLITE_OK ||
		index_outputs(writer, task, source) != SQLITE_OK || move_index(writer, task, status, source) != SQLITE_OK)
		return writer_fail(writer, "change the job");
	write->counted = status != (int)task->status ? source : 0;
	write->outcome = STORE_WRITTEN;
	return true;
}

bool writer_find_vendor_id(struct writer *writer, struct store_write *write)
{
	sqlite3_stmt *statement = writer->statements[WRITE_FIND_VENDOR_ID];
	const struct task *task = &write->task;
	int code;

	writer_bind_text(statement, 1, task->vendor_id);
	writer_bind_text(statement, 2, task->kind);
	writer_bind_text(statement, 3, task->provider);
	sqlite3_bind_int64(statement, 4, id_sequence(&task->id));
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return writer_fail(writer, "look up a vendor's id");
	write->outcome = code == SQLITE_ROW ? STORE_VENDOR_ID_TAKEN : STORE_WRITTEN;
	return true;
}
