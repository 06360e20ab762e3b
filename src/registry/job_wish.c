/* job_wish.c - wishes: written with their jobs, changed and read. The writing on the store's thread, the reading on any other. */
#include "registry/job_wish.h"

#include <string.h>

#include "database/database.h"
#include "registry/reads.h"
#include "registry/writes.h"

/* ---- on the store thread ---- */

int writer_insert_wish(struct writer *writer, const struct store_write *write)
{
	struct statement *statement = writer->statements[WRITE_WISH];

	if (!write->ties.wished || write->task.live == NULL)
		return DATABASE_OK;
	statement_bind_integer(statement, 1, id_sequence(&write->task.id));
	statement_bind_bytes(statement, 2, write->ties.wish, sizeof write->ties.wish);
	statement_bind_integer(statement, 3, write->ties.wished_ms);
	statement_bind_integer(statement, 4, write->ties.overtook);
	return statement_run(statement);
}

bool writer_note_wish(struct writer *writer, struct store_write *write)
{
	const struct store_wish_news *news = &write->wish_news;
	struct statement *statement = writer->statements[news->forgotten ? WRITE_WISH_FORGET : WRITE_WISH_NEWS];
	int64_t sequence = id_sequence(&write->task.id);

	if (news->forgotten) {
		statement_bind_integer(statement, 1, sequence);
	} else {
		statement_bind_integer(statement, 1, news->answered);
		statement_bind_integer(statement, 2, news->lost);
		statement_bind_integer(statement, 3, news->taken);
		statement_bind_integer(statement, 4, news->at_ms);
		statement_bind_integer(statement, 5, news->caught_up);
		statement_bind_integer(statement, 6, sequence);
	}
	if (statement_run(statement) != DATABASE_OK)
		return writer_fail(writer, "note what became of a request");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* ---- on any other ---- */

static bool read_row(struct statement *statement, struct wish_row *row)
{
	if (!statement_copy(statement, 0, row->job.bytes, sizeof row->job.bytes))
		return false;
	row->answered = (int)statement_integer(statement, 1) != 0;
	row->takes = statement_integer(statement, 2);
	row->touched_ms = statement_integer(statement, 3);
	row->overtook = (int)statement_integer(statement, 4) != 0;
	return true;
}

enum error_code task_store_wishes(struct task_store *store, const unsigned char digest[32], int64_t since_ms, bool with_answered,
	struct wish_row *rows, size_t room, size_t *count, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct statement *statement;
	int code = DATABASE_DONE;

	*count = 0;
	if (reader == NULL)
		return ERROR_BUSY;
	statement = reader->statements[READ_WISHES];
	statement_bind_bytes(statement, 1, digest, 32);
	statement_bind_integer(statement, 2, since_ms);
	statement_bind_integer(statement, 3, with_answered);
	statement_bind_integer(statement, 4, (int64_t)room);
	while (result == ERROR_NONE && *count < room && (code = statement_step(statement)) == DATABASE_ROW) {
		if (read_row(statement, &rows[*count]))
			++*count;
		else
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reader, statement, code, result, error);
	reads_give_back(reads, reader);
	return result;
}
