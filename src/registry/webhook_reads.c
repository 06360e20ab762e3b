/* webhook_reads.c - webhooks, their deliveries and callbacks, as they are stored. Any thread, on a borrowed reader. */
#include "registry/reads.h"

static bool visit_webhook(const struct webhook_visitor *visitor, struct statement *row)
{
	struct webhook_row webhook = { .number = statement_integer(row, 0),
		.url = reads_text(row, 1),
		.events = reads_text(row, 2),
		.secret = reads_text(row, 3),
		.earlier_secret = reads_text(row, 4),
		.earlier_until_ms = statement_integer(row, 5),
		.caller = reads_text(row, 6),
		.created_ms = statement_integer(row, 7),
		.cursor = statement_integer(row, 8),
		.owner = statement_integer(row, 9),
		.heir = statement_integer(row, 10),
		.news = reads_text(row, 11) };

	if (webhook.url == NULL || webhook.events == NULL || webhook.secret == NULL)
		return false;
	visitor->webhook(visitor->context, &webhook);
	return true;
}

static bool visit_delivery(const struct webhook_visitor *visitor, struct statement *row)
{
	struct delivery_row delivery = { .webhook = statement_integer(row, 0),
		.event = statement_integer(row, 1),
		.sequence = statement_integer(row, 2),
		.attempts = (int)statement_integer(row, 3),
		.first_ms = statement_integer(row, 4),
		.due_ms = statement_integer(row, 5),
		.parked = (int)statement_integer(row, 6) != 0,
		.status = (int)statement_integer(row, 7),
		.problem = reads_text(row, 8) };

	visitor->delivery(visitor->context, &delivery);
	return true;
}

static enum error_code visit_all(struct reads *reads, struct reader *reader, enum read_statement which,
	bool (*visit)(const struct webhook_visitor *visitor, struct statement *row), const struct webhook_visitor *visitor,
	struct error *error)
{
	struct statement *rows = reader->statements[which];
	enum error_code result = ERROR_NONE;
	int code = DATABASE_DONE;

	while (result == ERROR_NONE && (code = statement_step(rows)) == DATABASE_ROW)
		if (!visit(visitor, rows))
			result = reads_refuse_row(reads, reader, error);
	return reads_end(reader, rows, code, result, error);
}

enum error_code task_store_webhooks(struct task_store *store, const struct webhook_visitor *visitor, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result;

	if (reader == NULL)
		return ERROR_BUSY;
	result = visit_all(reads, reader, READ_WEBHOOKS, visit_webhook, visitor, error);
	if (result == ERROR_NONE && visitor->delivery != NULL)
		result = visit_all(reads, reader, READ_DELIVERIES, visit_delivery, visitor, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_webhook_owners(struct task_store *store,
	void (*visit)(void *context, const struct webhook_owner *owner), void *context, int *hosts, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	struct webhook_owner owner;
	enum error_code result;
	struct statement *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_WEBHOOK_OWNERS];
	while ((code = statement_step(row)) == DATABASE_ROW) {
		owner = (struct webhook_owner){ .number = statement_integer(row, 0),
			.owner = statement_integer(row, 1),
			.heir = statement_integer(row, 2),
			.living = statement_integer(row, 3) > 0 };
		*hosts = (int)statement_integer(row, 4);
		visit(context, &owner);
	}
	result = reads_end(reader, row, code, ERROR_NONE, error);
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
	struct statement *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_CALLBACK];
	statement_bind_integer(row, 1, sequence);
	code = statement_step(row);
	callback = (struct callback_row){ .sequence = sequence, .url = reads_text(row, 1), .secret = reads_text(row, 2) };
	if (code == DATABASE_ROW && callback.url != NULL && callback.secret != NULL)
		visit(context, &callback);
	else if (code == DATABASE_ROW || code == DATABASE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "nobody is told of this job");
	else
		result = reads_refuse(reader, error);
	statement_reset(row);
	reads_give_back(reads, reader);
	return result;
}
