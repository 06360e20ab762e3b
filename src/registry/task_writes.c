/* task_writes.c - a new task: its row, its place in the index if its batch is indexed already, its key, its source; and that its outputs were taken
 * away. Store thread only. */
#include "registry/writes.h"

#include "base/clock.h"
#include "database/database.h"

int writer_index(struct writer *writer, int status, int source, int64_t sequence)
{
	struct statement *statement = writer->statements[WRITE_INDEX];

	statement_bind_integer(statement, 1, status);
	statement_bind_integer(statement, 2, source);
	statement_bind_integer(statement, 3, sequence);
	return statement_run(statement);
}

int writer_unindex(struct writer *writer, int status, int source, int64_t sequence)
{
	struct statement *statement = writer->statements[WRITE_UNINDEX];

	statement_bind_integer(statement, 1, status);
	statement_bind_integer(statement, 2, source);
	statement_bind_integer(statement, 3, sequence);
	return statement_run(statement);
}

/* The texts that came from outside. */
static void bind_texts(struct writer *writer, struct statement *statement, const struct task *task)
{
	writer_bind_clean(writer, statement, 9, false, task->vendor_id);
	writer_bind_clean(writer, statement, 11, true, task->payload);
	writer_bind_clean(writer, statement, 12, true, task->estimates);
	writer_bind_clean(writer, statement, 13, true, task->result);
	writer_bind_clean(writer, statement, 15, true, task->asked);
}

/* The same, of a row that was cleaned before. */
static void bind_clean_texts(struct statement *statement, const struct task *task)
{
	writer_bind_text(statement, 9, task->vendor_id);
	writer_bind_text(statement, 11, task->payload);
	writer_bind_text(statement, 12, task->estimates);
	writer_bind_text(statement, 13, task->result);
	writer_bind_text(statement, 15, task->asked);
}

/* Ids come out of order by a little: one that is made before another may be written after it, even after its batch is indexed. */
int writer_insert_task(struct writer *writer, const struct task *task, int source, bool clean)
{
	struct statement *statement = writer->statements[WRITE_TASK];
	int64_t sequence = id_sequence(&task->id);
	int code;

	statement_bind_integer(statement, 1, sequence);
	statement_bind_integer(statement, 2, (int)task->status);
	statement_bind_integer(statement, 3, source);
	statement_bind_integer(statement, 4, task->dry_run);
	statement_bind_real(statement, 5, task->progress);
	statement_bind_integer(statement, 6, task->created_ms);
	statement_bind_integer(statement, 7, task->updated_ms);
	statement_bind_bytes(statement, 8, task->id.bytes, sizeof task->id.bytes);
	writer_bind_text(statement, 10, task->request_id);
	writer_bind_text(statement, 14, task->caller);
	if (clean)
		bind_clean_texts(statement, task);
	else
		bind_texts(writer, statement, task);
	code = statement_run(statement);
	if (code == DATABASE_OK && task->live != NULL)
		code = writer_insert_live(writer, task, source);
	if (code != DATABASE_OK)
		return code;
	if (sequence <= writer->indexed)
		return writer_index(writer, (int)task->status, source, sequence);
	writer->unindexed++;
	return DATABASE_OK;
}

/* The entry of the ledger that the write makes. */
static struct budget_entry reservation_of(const struct store_write *write)
{
	const struct task *task = &write->task;

	return (struct budget_entry){ .provider = task->provider,
		.caller = task->live->caller,
		.door = task->money->door,
		.day = task->money->day,
		.micro_usd = task->money->reserved };
}

/* False: a budget is short, and the write's outcome says so; or the error is in *code. */
static bool may_reserve(struct writer *writer, struct store_write *write, int *code)
{
	enum error_code judged = ERROR_NONE;
	struct budget_entry entry;

	*code = DATABASE_OK;
	if (write->limits == NULL || write->task.money == NULL)
		return true;
	entry = reservation_of(write);
	*code = writer_check_budgets(writer, &entry, write->limits, &judged, &write->error);
	if (judged != ERROR_NONE)
		write->outcome = STORE_SHORT;
	return *code == DATABASE_OK && judged == ERROR_NONE;
}

static void note_reserved(struct writer *writer, const struct store_write *write)
{
	struct budget_entry entry;

	if (write->task.live == NULL || write->task.money == NULL)
		return;
	entry = reservation_of(write);
	writer_add_budgets(writer, &entry, entry.micro_usd, 0);
}

static bool insert_parts(struct writer *writer, const struct store_write *write, int source)
{
	return writer_insert_task(writer, &write->task, source, false) == DATABASE_OK &&
	       writer_tie_quote(writer, write) == DATABASE_OK && writer_insert_wish(writer, write) == DATABASE_OK &&
	       (write->idempotency.key == NULL || writer_insert_key(writer, &write->idempotency) == DATABASE_OK);
}

/* A key that is known is replayed, whatever the budgets say. The task, its live half, its wish and its key go in together or not at all. */
static bool insert_marked(struct writer *writer, struct store_write *write, int source)
{
	size_t unindexed = writer->unindexed;
	bool fits = true;
	int code = write->idempotency.key != NULL && !writer->hopes ? writer_find_key(writer, write) : DATABASE_DONE;

	if (code == DATABASE_ROW)
		return true;
	if (code != DATABASE_DONE)
		return writer_refuse(writer, write, "look up the idempotency key");
	if (writer_check_quote(writer, write, &fits) != DATABASE_OK)
		return writer_refuse(writer, write, "look up the quote");
	if (!fits) {
		write->outcome = STORE_TIE_BROKEN;
		return true;
	}
	if (!may_reserve(writer, write, &code))
		return code == DATABASE_OK || writer_refuse(writer, write, "look up the budgets");
	if (writer_run(writer, WRITE_MARK) != DATABASE_OK)
		return writer_refuse(writer, write, "store the job");
	if (insert_parts(writer, write, source)) {
		note_reserved(writer, write);
		write->outcome = STORE_WRITTEN;
		return writer_run(writer, WRITE_UNMARK) == DATABASE_OK || writer_refuse(writer, write, "store the job");
	}
	if (!writer_refuse(writer, write, "store the job"))
		return false;
	writer->unindexed = unindexed;
	if (writer_run(writer, WRITE_BACK_TO_MARK) != DATABASE_OK || writer_run(writer, WRITE_UNMARK) != DATABASE_OK)
		return writer_fail(writer, "store the job");
	return true;
}

/* False when the group is lost. */
bool writer_insert(struct writer *writer, struct store_write *write)
{
	const struct task *task = &write->task;
	int source;

	if (task->live != NULL && !writer_is_own(writer, task->live->owner)) {
		error_set(&write->error, ERROR_BUSY, "", "this host was declared dead, and registers anew: try again");
		return true;
	}
	if (task->kind == NULL || task->provider == NULL) {
		error_set(&write->error, ERROR_INVALID, "", "a job needs a kind and a provider");
		return true;
	}
	source = sources_number(writer->sources, task->kind, task->provider);
	if (source == 0) {
		error_set(&write->error, ERROR_LIMIT, "", "the registry knows %d providers already, its maximum",
			LIMIT_STORE_SOURCES);
		return true;
	}
	write->counted = source;
	if (write->idempotency.key != NULL || task->live != NULL || write->ties.quote.tied)
		return insert_marked(writer, write, source);
	if (writer_insert_task(writer, task, source, false) != DATABASE_OK)
		return writer_refuse(writer, write, "store the job");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* A second removal moves its time, which nobody asks for. The job itself stays, with what it cost. */
bool writer_remove(struct writer *writer, struct store_write *write)
{
	struct statement *remove = writer->statements[WRITE_REMOVE], *outputs = writer->statements[WRITE_REMOVE_ARTIFACTS];
	const struct id *id = &write->task.id;
	int64_t changed = 0;

	statement_bind_integer(remove, 1, clock_unix_ms());
	statement_bind_integer(remove, 2, id_sequence(id));
	statement_bind_bytes(remove, 3, id->bytes, sizeof id->bytes);
	statement_bind_integer(outputs, 1, id_sequence(id));
	if (statement_change(remove, &changed) != DATABASE_OK)
		return writer_refuse(writer, write, "remove the job's outputs");
	if (changed == 0) {
		error_set(&write->error, ERROR_NOT_FOUND, "", "there is no such job, or it has not ended");
		return true;
	}
	if (statement_run(outputs) != DATABASE_OK)
		return writer_fail(writer, "remove the job's outputs");
	write->outcome = STORE_WRITTEN;
	return true;
}
