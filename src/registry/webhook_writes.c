/* webhook_writes.c - changes of webhooks and deliveries, in the commit of what they belong to. Store thread only. */
#include "registry/writes.h"

#include "database/database.h"

static int put_webhook(struct writer *writer, const struct webhook_row *row)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK];

	statement_bind_integer(statement, 1, row->number);
	writer_bind_text(statement, 2, row->url);
	writer_bind_text(statement, 3, row->events);
	writer_bind_text(statement, 4, row->secret);
	writer_bind_text(statement, 5, row->earlier_secret);
	statement_bind_integer(statement, 6, row->earlier_until_ms);
	writer_bind_text(statement, 7, row->caller);
	statement_bind_integer(statement, 8, row->created_ms);
	statement_bind_integer(statement, 9, row->cursor < 0 ? writer->newest_event : row->cursor);
	statement_bind_integer(statement, 10, row->owner);
	return statement_run(statement);
}

static int change_secrets(struct writer *writer, const struct webhook_row *row)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_SECRETS];

	writer_bind_text(statement, 1, row->secret);
	writer_bind_text(statement, 2, row->earlier_secret);
	statement_bind_integer(statement, 3, row->earlier_until_ms);
	statement_bind_integer(statement, 4, row->number);
	return statement_run(statement);
}

static int rotate_secret(struct writer *writer, const struct webhook_row *row)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_ROTATE];

	writer_bind_text(statement, 1, row->secret);
	statement_bind_integer(statement, 2, row->earlier_until_ms);
	statement_bind_integer(statement, 3, row->number);
	return statement_run(statement);
}

static int move_cursor(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_CURSOR];

	statement_bind_integer(statement, 1, one->webhook.cursor);
	statement_bind_integer(statement, 2, one->webhook.number);
	statement_bind_integer(statement, 3, one->host);
	return statement_run(statement);
}

static int store_news(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_NEWS];

	writer_bind_clean(writer, statement, 1, true, one->webhook.news);
	statement_bind_integer(statement, 2, one->webhook.number);
	statement_bind_integer(statement, 3, one->host);
	return statement_run(statement);
}

static int adopt_webhook(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_ADOPT];

	statement_bind_integer(statement, 1, one->host);
	statement_bind_integer(statement, 2, one->webhook.number);
	return statement_run(statement);
}

static int ask_for_webhook(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_ASK];

	statement_bind_integer(statement, 1, one->host);
	statement_bind_integer(statement, 2, one->webhook.number);
	statement_bind_integer(statement, 3, one->webhook.owner);
	return statement_run(statement);
}

static int leave_webhook(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_LEAVE];

	statement_bind_integer(statement, 1, one->webhook.number);
	statement_bind_integer(statement, 2, one->host);
	return statement_run(statement);
}

/* *gone: somebody else has removed it. */
static int remove_webhook(struct writer *writer, int64_t number, bool *gone)
{
	int64_t changed = 0;
	int code;

	statement_bind_integer(writer->statements[WRITE_WEBHOOK_REMOVE], 1, number);
	code = statement_change(writer->statements[WRITE_WEBHOOK_REMOVE], &changed);
	*gone = changed == 0;
	statement_bind_integer(writer->statements[WRITE_DELIVERIES_REMOVE], 1, number);
	return code == DATABASE_OK ? (int)statement_run(writer->statements[WRITE_DELIVERIES_REMOVE]) : code;
}

static int put_delivery(struct writer *writer, const struct webhook_change *one)
{
	const struct delivery_row *row = &one->delivery;
	struct statement *statement = writer->statements[WRITE_DELIVERY];

	statement_bind_integer(statement, 1, row->webhook);
	statement_bind_integer(statement, 2, row->event);
	statement_bind_integer(statement, 3, row->sequence);
	statement_bind_integer(statement, 4, row->attempts);
	statement_bind_integer(statement, 5, row->first_ms);
	statement_bind_integer(statement, 6, row->due_ms);
	statement_bind_integer(statement, 7, row->parked);
	statement_bind_integer(statement, 8, row->status);
	writer_bind_clean(writer, statement, 9, false, row->problem);
	statement_bind_integer(statement, 10, one->host);
	return statement_run(statement);
}

static int drop_delivery(struct writer *writer, const struct webhook_change *one)
{
	struct statement *statement = writer->statements[WRITE_DELIVERED];

	statement_bind_integer(statement, 1, one->delivery.webhook);
	statement_bind_integer(statement, 2, one->delivery.event);
	statement_bind_integer(statement, 3, one->host);
	return statement_run(statement);
}

static int replay_parked(struct writer *writer, const struct delivery_row *row)
{
	struct statement *statement = writer->statements[WRITE_WEBHOOK_REPLAY];

	statement_bind_integer(statement, 1, row->webhook);
	statement_bind_integer(statement, 2, row->event);
	return statement_run(statement);
}

static int put_callback(struct writer *writer, const struct callback_row *row)
{
	struct statement *statement = writer->statements[WRITE_CALLBACK];

	statement_bind_integer(statement, 1, row->sequence);
	writer_bind_text(statement, 2, row->url);
	writer_bind_text(statement, 3, row->secret);
	return statement_run(statement);
}

static int change_webhook(struct writer *writer, const struct webhook_change *one, bool *gone)
{
	switch (one->op) {
	case WEBHOOK_PUT: return put_webhook(writer, &one->webhook);
	case WEBHOOK_SECRETS: return change_secrets(writer, &one->webhook);
	case WEBHOOK_CURSOR: return move_cursor(writer, one);
	case WEBHOOK_REMOVE: return remove_webhook(writer, one->webhook.number, gone);
	case WEBHOOK_DELIVERY: return put_delivery(writer, one);
	case WEBHOOK_DELIVERED: return drop_delivery(writer, one);
	case WEBHOOK_CALLBACK: return put_callback(writer, &one->callback);
	case WEBHOOK_ROTATE: return rotate_secret(writer, &one->webhook);
	case WEBHOOK_REPLAY: return replay_parked(writer, &one->delivery);
	case WEBHOOK_NEWS: return store_news(writer, one);
	case WEBHOOK_ADOPT: return adopt_webhook(writer, one);
	case WEBHOOK_ASK: return ask_for_webhook(writer, one);
	case WEBHOOK_LEAVE: return leave_webhook(writer, one);
	}
	return DATABASE_FAILED;
}

/* Is it one that another host has to hear of? The webhook of all callbacks is put with each of them, and is its maker's. */
static bool concerns_others(const struct webhook_change *one)
{
	switch (one->op) {
	case WEBHOOK_PUT: return one->webhook.number != WEBHOOK_CALLBACKS;
	case WEBHOOK_REMOVE:
	case WEBHOOK_ROTATE:
	case WEBHOOK_REPLAY:
	case WEBHOOK_ASK:
	case WEBHOOK_LEAVE: return true;
	default: return false;
	}
}

int writer_change_webhooks(struct writer *writer, struct store_write *write)
{
	int code = DATABASE_OK;
	bool told = false, gone = false;

	for (size_t i = 0; i < write->webhook_change_count && code == DATABASE_OK; i++) {
		code = change_webhook(writer, &write->webhook_changes[i], &gone);
		told = told || concerns_others(&write->webhook_changes[i]);
	}
	if (gone)
		write->outcome = STORE_UNCHANGED;
	return told && code == DATABASE_OK ? (int)statement_run(writer->statements[WRITE_WEBHOOKS_CHANGED]) : code;
}
