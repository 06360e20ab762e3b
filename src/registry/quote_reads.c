/* quote_reads.c - quotes as they stand, and live jobs of the same request. Any thread, on a borrowed reader. */
#include <string.h>

#include "database/database.h"
#include "registry/reads.h"

/* Where the columns stand in the statements of reads.c. */
enum quote_column {
	QUOTE_ID = 0,
	QUOTE_CALLER,
	QUOTE_KIND,
	QUOTE_PROVIDER,
	QUOTE_REQUEST,
	QUOTE_SHA256,
	QUOTE_CREATED,
	QUOTE_EXPIRES,
	QUOTE_EXPECTED,
	QUOTE_MOST,
	QUOTE_ASKED_MS,
	QUOTE_ASKED,
	QUOTE_APPROVED_MS,
	QUOTE_APPROVED,
	QUOTE_APPROVED_BY,
	QUOTE_REFUSED_MS,
	QUOTE_ASKING,
	QUOTE_JOB,
	QUOTE_JOB_ID
};

static bool read_id_column(struct statement *row, int column, struct id *id)
{
	if (!statement_copy(row, column, id->bytes, sizeof id->bytes))
		return false;
	return true;
}

/* False: it is damaged, its job is gone, or there was no room for a text. */
static bool read_quote_row(struct statement *row, struct quote *quote)
{
	const char *caller = reads_text(row, QUOTE_CALLER);

	*quote = (struct quote){
		.caller = caller != NULL && *caller != '\0' ? caller : NULL,
		.kind = reads_text(row, QUOTE_KIND),
		.provider = reads_text(row, QUOTE_PROVIDER),
		.request = reads_text(row, QUOTE_REQUEST),
		.sha256 = reads_text(row, QUOTE_SHA256),
		.created_ms = statement_integer(row, QUOTE_CREATED),
		.expires_ms = statement_integer(row, QUOTE_EXPIRES),
		.expected = statement_integer(row, QUOTE_EXPECTED),
		.most = statement_integer(row, QUOTE_MOST),
		.asked_ms = statement_integer(row, QUOTE_ASKED_MS),
		.asked = statement_integer(row, QUOTE_ASKED),
		.approved_ms = statement_integer(row, QUOTE_APPROVED_MS),
		.approved = statement_integer(row, QUOTE_APPROVED),
		.approved_by = reads_text(row, QUOTE_APPROVED_BY),
		.refused_ms = statement_integer(row, QUOTE_REFUSED_MS),
		.question = statement_integer(row, QUOTE_ASKING),
		.has_job = !statement_is_null(row, QUOTE_JOB),
	};
	return read_id_column(row, QUOTE_ID, &quote->id) && (!quote->has_job || read_id_column(row, QUOTE_JOB_ID, &quote->job)) &&
	       quote->kind != NULL && quote->provider != NULL && (quote->has_job || quote->request != NULL);
}

enum error_code task_store_quote(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct quote *quote), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct quote quote;
	struct statement *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_QUOTE];
	statement_bind_integer(row, 1, id_sequence(id));
	statement_bind_bytes(row, 2, id->bytes, sizeof id->bytes);
	code = statement_step(row);
	if (code == DATABASE_ROW && read_quote_row(row, &quote))
		visit(context, &quote);
	else if (code == DATABASE_ROW)
		result = reads_refuse_row(reads, reader, error);
	else if (code == DATABASE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "there is no such quote");
	result = reads_end(reader, row, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_asked_quotes(struct task_store *store, int64_t now_ms, int limit,
	void (*visit)(void *context, const struct quote *quote), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct quote quote;
	struct statement *rows;
	int code = DATABASE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_ASKED_QUOTES];
	statement_bind_integer(rows, 1, now_ms);
	statement_bind_integer(rows, 2, limit);
	while (result == ERROR_NONE && (code = statement_step(rows)) == DATABASE_ROW) {
		if (read_quote_row(rows, &quote))
			visit(context, &quote);
		else
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reader, rows, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_same_requests(struct task_store *store, const char *sha256, const char *caller, int64_t since_ms,
	int limit, void (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct read_row read;
	struct statement *rows;
	int code = DATABASE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_SAME_REQUESTS];
	statement_bind_text(rows, 1, sha256);
	statement_bind_integer(rows, 2, id_sequence_at(since_ms));
	statement_bind_text(rows, 3, caller);
	statement_bind_integer(rows, 4, limit);
	while (result == ERROR_NONE && (code = statement_step(rows)) == DATABASE_ROW) {
		if (reads_task(reads, rows, &read))
			visit(context, &read.task);
		else
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reader, rows, code, result, error);
	reads_give_back(reads, reader);
	return result;
}
