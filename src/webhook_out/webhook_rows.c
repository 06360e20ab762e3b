/* webhook_rows.c - webhooks as the registry has them, for answers where another host may be the one that delivers. HTTP threads; nothing is kept. */
#include "webhook_out/internal.h"

#include <stdio.h>

#include "base/memory.h"

static void add_row(void *context, const struct webhook_row *row)
{
	struct webhook_rows *rows = context;
	struct error error;
	struct webhook *webhook = webhook_new(row, &error);

	if (webhook == NULL)
		return; /* its owner has told of it (webhook_load.c) */
	webhook_news_read(webhook, row->news);
	*rows->last = webhook;
	rows->last = &webhook->next;
}

/* Of the webhook that was added last but for those before it that have none: rows come by webhook. */
static void add_delivery(void *context, const struct delivery_row *row)
{
	struct webhook_rows *rows = context;
	struct webhook *webhook = rows->first;
	struct delivery *made;

	while (webhook != NULL && webhook->number != row->webhook)
		webhook = webhook->next;
	if (webhook == NULL)
		return;
	made = memory_new(sizeof *made);
	made->event = row->event;
	made->sequence = row->sequence;
	made->attempts = row->attempts;
	made->first_ms = row->first_ms;
	made->due_ms = row->due_ms;
	made->status = row->status;
	made->parked = row->parked;
	made->stored = true;
	snprintf(made->problem, sizeof made->problem, "%s", row->problem != NULL ? row->problem : "");
	webhook->waiting += !row->parked;
	webhook->parked += row->parked;
	made->next = webhook->deliveries;
	webhook->deliveries = made;
}

/* They were put in front, so that none is looked for. */
static void turn_deliveries(struct webhook *webhook)
{
	struct delivery *turned = NULL, *next;

	for (struct delivery *at = webhook->deliveries; at != NULL; at = next) {
		next = at->next;
		at->next = turned;
		turned = at;
	}
	webhook->deliveries = turned;
}

enum error_code webhook_rows_read(struct webhooks_out *webhooks, bool deliveries, struct webhook_rows *rows, struct error *error)
{
	struct webhook_visitor visitor = { add_row, deliveries ? add_delivery : NULL, rows };
	enum error_code code;

	*rows = (struct webhook_rows){ .last = &rows->first };
	code = task_store_webhooks(webhooks->store, &visitor, error);
	for (struct webhook *webhook = rows->first; webhook != NULL; webhook = webhook->next)
		turn_deliveries(webhook);
	return code;
}

void webhook_rows_free(struct webhook_rows *rows)
{
	struct webhook *next;

	for (; rows->first != NULL; rows->first = next) {
		next = rows->first->next;
		webhook_free(rows->first);
	}
}
