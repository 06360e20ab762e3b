/* claims.c - whose job a vendor's id is: decided in the commit that gives it. Store thread only. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "registry/writes.h"

/* DATABASE_ROW: another job has it. */
static enum database_result find_claimant(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_FIND_VENDOR_ID];
	enum database_result result;

	writer_bind_text(statement, 1, task->vendor_id);
	writer_bind_text(statement, 2, task->kind);
	writer_bind_text(statement, 3, task->provider);
	statement_bind_integer(statement, 4, id_sequence(&task->id));
	result = statement_step(statement);
	statement_reset(statement);
	return result;
}

bool writer_claim(struct writer *writer, struct store_write *write)
{
	struct statement *statement = writer->statements[WRITE_CLAIM];
	enum database_result result;

	if (!writer_is_own(writer, write->task.live->owner)) {
		error_set(&write->error, ERROR_CONFLICT, "", "the job is another host's");
		write->outcome = STORE_NOT_OURS;
		return true;
	}
	result = find_claimant(writer, &write->task);
	if (result == DATABASE_ROW) {
		write->outcome = STORE_VENDOR_ID_TAKEN;
		return true;
	}
	writer_bind_clean(writer, statement, 1, false, write->task.vendor_id);
	statement_bind_integer(statement, 2, id_sequence(&write->task.id));
	if (result != DATABASE_DONE || statement_run(statement) != DATABASE_OK)
		return writer_fail(writer, "claim a vendor's id");
	write->outcome = STORE_WRITTEN;
	return true;
}

bool writer_list_claimed(struct writer *writer, struct store_write *write)
{
	struct statement *rows = writer->statements[WRITE_CLAIMED];
	enum database_result result;
	struct buffer out;
	int count = 0;

	statement_bind_integer(rows, 1, write->since_ms > 0 ? id_sequence_at(write->since_ms) : 0);
	statement_bind_integer(rows, 2, LIMIT_STORE_CLAIMED_ROWS);
	writer_bind_text(rows, 3, write->task.provider);
	statement_bind_integer(rows, 4, id_sequence(&write->task.id));
	buffer_init(&out, LIMIT_STORE_CLAIMED_BYTES);
	buffer_char(&out, '[');
	while ((result = statement_step(rows)) == DATABASE_ROW && count < LIMIT_STORE_CLAIMED) {
		if (count++ > 0)
			buffer_char(&out, ',');
		json_write_text(&out, statement_text(rows, 0));
	}
	statement_reset(rows);
	buffer_char(&out, ']');
	write->claimed = buffer_take(&out);
	if (result == DATABASE_FAILED)
		return writer_fail(writer, "list the vendor's ids that jobs have");
	write->outcome = STORE_WRITTEN;
	return true;
}
