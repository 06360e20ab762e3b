/* webhook_reads.c - webhooks, their deliveries and callbacks, as they are stored. Any thread, on a borrowed reader. */
#include "registry/reads.h"

static bool visit_webhook(const struct webhook_visitor *visitor, sqlite3_stmt *row)
{
	struct webhook_row webhook = { .number = sqlite3_column_int64(row, 0),
		.url = reads_text(row, 1),
		.events = reads_text(row, 2),
		.secret = reads_text(row, 3),
		.earlier_secret = reads_text(row, 4),
		.earlier_until_ms = sqlite3_column_int64(row, 5),
		.caller = reads_text(row, 6),
		.created_ms = sqlite3_column_int64(row, 7),
		.cursor = sqlite3_column_int64(row, 8) };

	if (webhook.url == NULL || webhook.events == NULL || webhook.secret == NULL)
		return false;
	visitor->webhook(visitor->context, &webhook);
	return true;
}

static bool visit_delivery(const struct webhook_visitor *visitor, sqlite3_stmt *row)
{
	struct delivery_row delivery = { .webhook = sqlite3_column_int64(row, 0),
		.event = sqlite3_column_int64(row, 1),
		.sequence = sqlite3_column_int64(row, 2),
		.attempts = sqlite3_column_int(row, 3),
		.first_ms = sqlite3_column_int64(row, 4),
		.due_ms = sqlite3_column_int64(row, 5),
		.parked = sqlite3_column_int(row, 6) != 0,
		.status = sqlite3_column_int(row, 7),
		.problem = reads_text(row, 8) };

	visitor->delivery(visitor->context, &delivery);
	return true;
}

static enum error_code visit_all(struct reads *reads, struct reader *reader, enum read_statement which,
	bool (*visit)(const struct webhook_visitor *visitor, sqlite3_stmt *row), const struct webhook_visitor *visitor,
	struct error *error)
{
	sqlite3_stmt *rows = reader->statements[which];
	enum error_code result = ERROR_NONE;
	int code = SQLITE_DONE;

	while (result == ERROR_NONE && (code = sqlite3_step(rows)) == SQLITE_ROW)
		if (!visit(visitor, rows))
			result = reads_refuse_row(reads, reader, error);
	return reads_end(reads, reader, rows, code, result, error);
}

enum error_code task_store_webhooks(struct task_store *store, const struct webhook_visitor *visitor, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result;

	if (reader == NULL)
		return ERROR_BUSY;
	result = visit_all(reads, reader, READ_WEBHOOKS, visit_webhook, visitor, error);
	if (result == ERROR_NONE)
		result = visit_all(reads, reader, READ_DELIVERIES, visit_delivery, visitor, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_callback(struct task_store *store, int64_t sequence,
	void (*visit)(void *context, const struct callback_row *row), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct callback_row callback;
	sqlite3_stmt *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_CALLBACK];
	sqlite3_bind_int64(row, 1, sequence);
	code = sqlite3_step(row);
	callback = (struct callback_row){ .sequence = sequence, .url = reads_text(row, 1), .secret = reads_text(row, 2) };
	if (code == SQLITE_ROW && callback.url != NULL && callback.secret != NULL)
		visit(context, &callback);
	else if (code == SQLITE_ROW || code == SQLITE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "nobody is told of this job");
	else
		result = reads_refuse(reads, reader, error);
	sqlite3_reset(row);
	reads_give_back(reads, reader);
	return result;
}
