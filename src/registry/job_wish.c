/* job_wish.c - wishes: written with their jobs, changed and read. The writing on the store's thread, the reading on any other. */
#include "registry/job_wish.h"

#include <string.h>

#include "registry/database.h"
#include "registry/reads.h"
#include "registry/writes.h"

/* ---- on the store thread ---- */

int writer_insert_wish(struct writer *writer, const struct store_write *write)
{
	sqlite3_stmt *statement = writer->statements[WRITE_WISH];

	if (!write->ties.wished || write->task.live == NULL)
		return SQLITE_OK;
	sqlite3_bind_int64(statement, 1, id_sequence(&write->task.id));
	sqlite3_bind_blob(statement, 2, write->ties.wish, sizeof write->ties.wish, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, write->ties.wished_ms);
	sqlite3_bind_int(statement, 4, write->ties.overtook);
	return database_run(statement);
}

bool writer_note_wish(struct writer *writer, struct store_write *write)
{
	const struct store_wish_news *news = &write->wish_news;
	sqlite3_stmt *statement = writer->statements[news->forgotten ? WRITE_WISH_FORGET : WRITE_WISH_NEWS];
	int64_t sequence = id_sequence(&write->task.id);

	if (news->forgotten) {
		sqlite3_bind_int64(statement, 1, sequence);
	} else {
		sqlite3_bind_int(statement, 1, news->answered);
		sqlite3_bind_int(statement, 2, news->taken);
		sqlite3_bind_int64(statement, 3, news->at_ms);
		sqlite3_bind_int(statement, 4, news->caught_up);
		sqlite3_bind_int64(statement, 5, sequence);
	}
	if (database_run(statement) != SQLITE_OK)
		return writer_fail(writer, "note what became of a request");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* ---- on any other ---- */

static bool read_row(sqlite3_stmt *statement, struct wish_row *row)
{
	if (sqlite3_column_bytes(statement, 0) != (int)sizeof row->job.bytes)
		return false;
	memcpy(row->job.bytes, sqlite3_column_blob(statement, 0), sizeof row->job.bytes);
	row->answered = sqlite3_column_int(statement, 1) != 0;
	row->takes = sqlite3_column_int64(statement, 2);
	row->touched_ms = sqlite3_column_int64(statement, 3);
	row->overtook = sqlite3_column_int(statement, 4) != 0;
	return true;
}

enum error_code task_store_wishes(struct task_store *store, const unsigned char digest[32], int64_t since_ms, bool with_answered,
	struct wish_row *rows, size_t room, size_t *count, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	sqlite3_stmt *statement;
	int code = SQLITE_DONE;

	*count = 0;
	if (reader == NULL)
		return ERROR_BUSY;
	statement = reader->statements[READ_WISHES];
	sqlite3_bind_blob(statement, 1, digest, 32, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, since_ms);
	sqlite3_bind_int(statement, 3, with_answered);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)room);
	while (result == ERROR_NONE && *count < room && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (read_row(statement, &rows[*count]))
			++*count;
		else
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reads, reader, statement, code, result, error);
	reads_give_back(reads, reader);
	return result;
}
