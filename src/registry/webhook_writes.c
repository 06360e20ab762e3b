/* webhook_writes.c - changes of webhooks and deliveries, in the commit of what they belong to. Store thread only. */
#include "registry/writes.h"

#include "registry/database.h"

static int put_webhook(struct writer *writer, const struct webhook_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_WEBHOOK];

	sqlite3_bind_int64(statement, 1, row->number);
	writer_bind_text(statement, 2, row->url);
	writer_bind_text(statement, 3, row->events);
	writer_bind_text(statement, 4, row->secret);
	writer_bind_text(statement, 5, row->earlier_secret);
	sqlite3_bind_int64(statement, 6, row->earlier_until_ms);
	writer_bind_text(statement, 7, row->caller);
	sqlite3_bind_int64(statement, 8, row->created_ms);
	sqlite3_bind_int64(statement, 9, row->cursor < 0 ? writer->newest_event : row->cursor);
	return database_run(statement);
}

static int change_secrets(struct writer *writer, const struct webhook_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_WEBHOOK_SECRETS];

	writer_bind_text(statement, 1, row->secret);
	writer_bind_text(statement, 2, row->earlier_secret);
	sqlite3_bind_int64(statement, 3, row->earlier_until_ms);
	sqlite3_bind_int64(statement, 4, row->number);
	return database_run(statement);
}

static int move_cursor(struct writer *writer, const struct webhook_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_WEBHOOK_CURSOR];

	sqlite3_bind_int64(statement, 1, row->cursor);
	sqlite3_bind_int64(statement, 2, row->number);
	return database_run(statement);
}

static int remove_webhook(struct writer *writer, int64_t number)
{
	int code;

	sqlite3_bind_int64(writer->statements[WRITE_WEBHOOK_REMOVE], 1, number);
	code = database_run(writer->statements[WRITE_WEBHOOK_REMOVE]);
	sqlite3_bind_int64(writer->statements[WRITE_DELIVERIES_REMOVE], 1, number);
	return code == SQLITE_OK ? database_run(writer->statements[WRITE_DELIVERIES_REMOVE]) : code;
}

static int put_delivery(struct writer *writer, const struct delivery_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_DELIVERY];

	sqlite3_bind_int64(statement, 1, row->webhook);
	sqlite3_bind_int64(statement, 2, row->event);
	sqlite3_bind_int64(statement, 3, row->sequence);
	sqlite3_bind_int(statement, 4, row->attempts);
	sqlite3_bind_int64(statement, 5, row->first_ms);
	sqlite3_bind_int64(statement, 6, row->due_ms);
	sqlite3_bind_int(statement, 7, row->parked);
	sqlite3_bind_int(statement, 8, row->status);
	writer_bind_clean(writer, statement, 9, false, row->problem);
	return database_run(statement);
}

static int drop_delivery(struct writer *writer, const struct delivery_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_DELIVERED];

	sqlite3_bind_int64(statement, 1, row->webhook);
	sqlite3_bind_int64(statement, 2, row->event);
	return database_run(statement);
}

static int put_callback(struct writer *writer, const struct callback_row *row)
{
	sqlite3_stmt *statement = writer->statements[WRITE_CALLBACK];

	sqlite3_bind_int64(statement, 1, row->sequence);
	writer_bind_text(statement, 2, row->url);
	writer_bind_text(statement, 3, row->secret);
	return database_run(statement);
}

static int change_webhook(struct writer *writer, const struct webhook_change *one)
{
	switch (one->op) {
	case WEBHOOK_PUT: return put_webhook(writer, &one->webhook);
	case WEBHOOK_SECRETS: return change_secrets(writer, &one->webhook);
	case WEBHOOK_CURSOR: return move_cursor(writer, &one->webhook);
	case WEBHOOK_REMOVE: return remove_webhook(writer, one->webhook.number);
	case WEBHOOK_DELIVERY: return put_delivery(writer, &one->delivery);
	case WEBHOOK_DELIVERED: return drop_delivery(writer, &one->delivery);
	case WEBHOOK_CALLBACK: return put_callback(writer, &one->callback);
	}
	return SQLITE_MISUSE;
}

int writer_change_webhooks(struct writer *writer, const struct store_write *write)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < write->webhook_change_count && code == SQLITE_OK; i++)
		code = change_webhook(writer, &write->webhook_changes[i]);
	return code;
}
