/* live_reads.c - live jobs, and the sums of the ledger. Any thread, on a borrowed reader. */
#include "registry/reads.h"

#define DAY_MS 86400000LL
#define LEDGER_SLACK_MS                                                                                                          \
	3600000 /* a row's number may be this much older than the day of its money: its id is made before the script runs */

static enum error_code visit_jobs(struct reads *reads, struct reader *reader, struct statement *rows,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	enum error_code result = ERROR_NONE;
	struct read_row read;
	bool more = true;
	int code = DATABASE_DONE;

	while (result == ERROR_NONE && more && (code = statement_step(rows)) == DATABASE_ROW) {
		if (!reads_task(reads, rows, &read))
			result = reads_refuse_row(reads, reader, error);
		else
			more = visit(context, &read.task);
	}
	result = reads_end(reader, rows, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_open_jobs(struct task_store *store, int64_t owner,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);

	if (reader == NULL)
		return ERROR_BUSY;
	statement_bind_integer(reader->statements[READ_OPEN], 1, owner);
	return visit_jobs(reads, reader, reader->statements[READ_OPEN], visit, context, error);
}

enum error_code task_store_jobs(struct task_store *store, const int64_t *sequences, size_t count,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	enum error_code code = ERROR_NONE;
	struct reader *reader;

	for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
		reader = reads_borrow(reads, error);
		if (reader == NULL)
			return ERROR_BUSY;
		statement_bind_integer(reader->statements[READ_OPEN_ONE], 1, sequences[i]);
		code = visit_jobs(reads, reader, reader->statements[READ_OPEN_ONE], visit, context, error);
	}
	return code;
}

enum error_code task_store_upstream(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const char *upstream), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct statement *row;
	const char *text;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_UPSTREAM];
	statement_bind_integer(row, 1, id_sequence(id));
	code = statement_step(row);
	text = code == DATABASE_ROW ? reads_text(row, 0) : NULL;
	if (text != NULL)
		visit(context, text);
	else if (code == DATABASE_ROW)
		result = reads_refuse_row(reads, reader, error);
	else if (code == DATABASE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "the request of this job is not known");
	result = reads_end(reader, row, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_recent_jobs(struct task_store *store, int limit, bool (*visit)(void *context, const struct task *task),
	void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);

	if (reader == NULL)
		return ERROR_BUSY;
	statement_bind_integer(reader->statements[READ_RECENT], 1, limit);
	return visit_jobs(reads, reader, reader->statements[READ_RECENT], visit, context, error);
}

enum error_code task_store_ledger(struct task_store *store, int64_t from_day,
	bool (*visit)(void *context, const struct ledger_sum *sum), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result;
	const struct source *source;
	struct statement *rows;
	bool more = true;
	int code = DATABASE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_LEDGER];
	statement_bind_integer(rows, 1, from_day > 0 ? id_sequence_at(from_day * DAY_MS - LEDGER_SLACK_MS) : 0);
	statement_bind_integer(rows, 2, from_day);
	while (more && (code = statement_step(rows)) == DATABASE_ROW) {
		source = reads_source(reads, rows, 1);
		more = visit(context, &(struct ledger_sum){
					      .day = statement_integer(rows, 0),
					      .kind = source != NULL ? source->kind : "",
					      .provider = source != NULL ? source->provider : "",
					      .caller = reads_text(rows, 2),
					      .reserved = statement_integer(rows, 3),
					      .spent = statement_integer(rows, 4),
					      .jobs = statement_integer(rows, 5),
					      .open = statement_integer(rows, 6),
					      .door = (enum job_door)(int)statement_integer(rows, 7),
				      });
	}
	result = reads_end(reader, rows, code, ERROR_NONE, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_observed(struct task_store *store, bool (*visit)(void *context, const struct store_observation *seen),
	void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result;
	struct store_observation seen;
	struct statement *rows;
	bool more = true;
	int code = DATABASE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_OBSERVED];
	while (more && (code = statement_step(rows)) == DATABASE_ROW) {
		seen = (struct store_observation){ .provider = reads_text(rows, 0),
			.model = reads_text(rows, 1),
			.drivers = reads_text(rows, 2),
			.micro_usd = statement_integer(rows, 3),
			.at_ms = statement_integer(rows, 4) };
		if (seen.provider != NULL && seen.model != NULL && seen.drivers != NULL) /* else there was no memory for one */
			more = visit(context, &seen);
	}
	result = reads_end(reader, rows, code, ERROR_NONE, error);
	reads_give_back(reads, reader);
	return result;
}
