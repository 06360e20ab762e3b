/* live_writes.c - a live job's half of a write: its insertion, and what becomes of it. Store thread only.
 *
 * A job is settled once: a second settlement finds nothing to change, neither in the ledger nor in the sums of budgets. The task's index follows its status. */
#include "registry/writes.h"

#include <string.h>

#include "database/database.h"
#include "registry/lane_writes.h"

static int insert_upstream(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_UPSTREAM];

	statement_bind_integer(statement, 1, id_sequence(&task->id));
	writer_bind_clean(writer, statement, 2, true, task->upstream);
	return statement_run(statement);
}

static int insert_money(struct writer *writer, const struct task *task, int source)
{
	struct statement *statement = writer->statements[WRITE_MONEY];

	statement_bind_integer(statement, 1, id_sequence(&task->id));
	statement_bind_integer(statement, 2, task->money->day);
	statement_bind_integer(statement, 3, source);
	statement_bind_integer(statement, 4, task->money->reserved);
	statement_bind_integer(statement, 5, task->money->expected);
	writer_bind_text(statement, 6, task->live->caller);
	statement_bind_integer(statement, 7, (int)task->money->door);
	return statement_run(statement);
}

int writer_insert_live(struct writer *writer, const struct task *task, int source)
{
	struct statement *statement = writer->statements[WRITE_LIVE];
	const struct task_live *live = task->live;
	int64_t sequence = id_sequence(&task->id);
	int code;

	statement_bind_integer(statement, 1, sequence);
	statement_bind_integer(statement, 2, (int)live->phase);
	statement_bind_integer(statement, 3, live->attempts);
	statement_bind_integer(statement, 4, live->submitted_ms);
	statement_bind_integer(statement, 5, live->deadline_ms);
	statement_bind_integer(statement, 6, live->stop_ms);
	statement_bind_integer(statement, 7, live->cancel_asked);
	writer_bind_text(statement, 8, live->caller);
	writer_bind_clean(writer, statement, 9, false, live->reason);
	writer_bind_clean(writer, statement, 10, true, live->state);
	writer_bind_text(statement, 11, live->request);
	writer_bind_text(statement, 12, live->trace);
	statement_bind_integer(statement, 13, live->paid);
	statement_bind_integer(statement, 14, live->paid_most);
	writer_bind_text(statement, 15, live->expected);
	writer_bind_text(statement, 16, task->upstream_sha256);
	statement_bind_integer(statement, 17, live->owner);
	code = statement_run(statement);
	if (code == DATABASE_OK && task->upstream != NULL)
		code = insert_upstream(writer, task);
	return code == DATABASE_OK && task->money != NULL ? insert_money(writer, task, source) : code;
}

/* The row of WRITE_FIND_TASK has the job's entry of the ledger if that is not settled: it is now, on the day that it was reserved. */
static void note_settled(struct writer *writer, struct statement *row, const struct task *task)
{
	const struct source *source = sources_get(writer->sources, (int)statement_integer(row, 1));
	struct budget_entry entry;

	if (task->money == NULL || task->money->spent < 0 || statement_is_null(row, 3) || source == NULL)
		return;
	entry = (struct budget_entry){ .provider = source->provider,
		.caller = statement_text(row, 5),
		.door = (enum job_door)statement_integer(row, 6),
		.day = statement_integer(row, 3),
		.micro_usd = statement_integer(row, 4) };
	writer_add_budgets(writer, &entry, -entry.micro_usd, task->money->spent);
}

/* Where the row stands now. DATABASE_ROW, or DATABASE_DONE when there is none with the whole id. */
static int find_task(struct writer *writer, const struct task *task, struct standing *standing)
{
	struct statement *statement = writer->statements[WRITE_FIND_TASK];
	int code;

	statement_bind_integer(statement, 1, id_sequence(&task->id));
	code = statement_step(statement);
	if (code == DATABASE_ROW && statement_equals(statement, 2, task->id.bytes, sizeof task->id.bytes)) {
		*standing = (struct standing){ .status = (int)statement_integer(statement, 0),
			.source = (int)statement_integer(statement, 1),
			.phase = (enum live_phase)statement_integer(statement, 7),
			.slotted = statement_integer(statement, 8) != 0,
			.owner = statement_integer(statement, 9) };
		if (standing->phase == LIVE_ENDED && task->live->phase != LIVE_ENDED)
			standing->owner = -1; /* nobody's: what has ended does not begin again */
		if (writer_is_own(writer, standing->owner))
			note_settled(writer, statement, task);
		if (statement_lacks_memory(statement))
			code = DATABASE_FAILED;
	} else if (code == DATABASE_ROW) {
		code = DATABASE_DONE;
	}
	statement_reset(statement);
	return code;
}

static int change_task(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_CHANGE_TASK];

	statement_bind_integer(statement, 1, (int)task->status);
	statement_bind_real(statement, 2, task->progress);
	statement_bind_integer(statement, 3, task->updated_ms);
	writer_bind_clean(writer, statement, 4, false, task->vendor_id);
	writer_bind_clean(writer, statement, 5, true, task->result);
	statement_bind_integer(statement, 6, id_sequence(&task->id));
	return statement_run(statement);
}

static int change_live(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_CHANGE_LIVE];
	const struct task_live *live = task->live;

	statement_bind_integer(statement, 1, (int)live->phase);
	statement_bind_integer(statement, 2, live->attempts);
	statement_bind_integer(statement, 3, live->submitted_ms);
	statement_bind_integer(statement, 4, live->deadline_ms);
	statement_bind_integer(statement, 5, live->stop_ms);
	statement_bind_integer(statement, 6, live->cancel_asked);
	writer_bind_clean(writer, statement, 7, false, live->reason);
	writer_bind_clean(writer, statement, 8, true, live->state);
	statement_bind_integer(statement, 9, id_sequence(&task->id));
	statement_bind_integer(statement, 10, live->paid);
	statement_bind_integer(statement, 11, live->slotted);
	return statement_run(statement);
}

static int settle_task(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_SETTLE];

	if (task->money == NULL || task->money->spent < 0)
		return DATABASE_OK;
	statement_bind_integer(statement, 1, task->money->spent);
	writer_bind_text(statement, 2, task->money->basis);
	statement_bind_integer(statement, 3, id_sequence(&task->id));
	return statement_run(statement);
}

static int move_index(struct writer *writer, const struct task *task, int status, int source)
{
	int64_t sequence = id_sequence(&task->id);
	int code;

	if (sequence > writer->indexed || status == (int)task->status)
		return DATABASE_OK;
	code = writer_unindex(writer, status, source, sequence);
	return code == DATABASE_OK ? writer_index(writer, (int)task->status, source, sequence) : code;
}

static int index_outputs(struct writer *writer, const struct task *task, int source)
{
	if (task->result == NULL || task->live->phase != LIVE_ENDED)
		return DATABASE_OK;
	return writer_index_artifacts(writer, id_sequence(&task->id), source, task->live->caller, task->result);
}

/* The parts of a change are not taken back one by one: a failure loses the group. */
static bool change_all(struct writer *writer, struct store_write *write, const struct standing *standing)
{
	const struct task *task = &write->task;

	return change_task(writer, task) == DATABASE_OK && change_live(writer, task) == DATABASE_OK &&
	       settle_task(writer, task) == DATABASE_OK && writer_observe(writer, write) == DATABASE_OK &&
	       index_outputs(writer, task, standing->source) == DATABASE_OK &&
	       move_index(writer, task, standing->status, standing->source) == DATABASE_OK &&
	       (write->kind == STORE_PAY || writer_move_place(writer, write, standing) == DATABASE_OK);
}

bool writer_change(struct writer *writer, struct store_write *write)
{
	const struct task *task = &write->task;
	struct standing standing;
	int code = find_task(writer, task, &standing);

	if (code == DATABASE_DONE) {
		error_set(&write->error, ERROR_NOT_FOUND, "", "there is no such job");
		return true;
	}
	if (code == DATABASE_ROW && (!writer_is_own(writer, standing.owner) || !writer_is_own(writer, task->live->owner))) {
		error_set(&write->error, ERROR_CONFLICT, "", "the job is another host's");
		write->outcome = STORE_NOT_OURS;
		return true;
	}
	if (code == DATABASE_ROW && write->kind == STORE_PAY) {
		if (writer_take_place(writer, write, &standing) != DATABASE_OK)
			return writer_fail(writer, "take a place at the provider");
		if (write->outcome != STORE_WRITTEN)
			return true;
	}
	if (code != DATABASE_ROW || !change_all(writer, write, &standing))
		return writer_fail(writer, "change the job");
	if (!writer->trace.told) {
		writer->trace.sequence = id_sequence(&task->id);
		writer->trace.updated_ms = task->updated_ms;
	}
	write->counted = standing.status != (int)task->status ? standing.source : 0;
	write->outcome = STORE_WRITTEN;
	return true;
}
