/* webhook_load.c - webhooks and their deliveries, from the registry into memory: all of them at the start where no other host uses it; else those of which this
 * host has become the owner, and what others have changed of them. The webhooks' thread, or before it starts. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

struct loading {
	struct webhooks_out *webhooks;
	struct webhook *made; /* not in the list yet */
};

/* An attempt of it goes on, of before it was given away: until that has ended, no other begins. */
static bool is_still_under_way(struct webhooks_out *webhooks, int64_t number)
{
	bool found = false;

	pthread_mutex_lock(&webhooks->lock);
	for (const struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next)
		found = found || (webhook->removed && webhook->number == number);
	pthread_mutex_unlock(&webhooks->lock);
	return found;
}

/* ---- what others have changed ---- */

static bool differs(const char *text, const char *other)
{
	return text == NULL || other == NULL ? text != other : strcmp(text, other) != 0;
}

/* Under the lock. */
static void renew_secrets(struct webhook *webhook, const struct webhook_row *row)
{
	if (!differs(webhook->secret, row->secret) && !differs(webhook->earlier_secret, row->earlier_secret))
		return;
	webhook_wipe(webhook->secret);
	webhook_wipe(webhook->earlier_secret);
	webhook->secret = memory_copy_text(row->secret);
	webhook->earlier_secret = memory_copy_text(row->earlier_secret);
	webhook->earlier_until_ms = row->earlier_until_ms;
}

/* Somebody asked for a replay at another host. Under the lock. */
static void renew_delivery(struct webhook *webhook, const struct delivery_row *row)
{
	struct delivery *delivery;

	if (row->parked || row->attempts > 0 || webhook->parked == 0)
		return;
	delivery = delivery_queue_find(webhook, row->event);
	if (delivery != NULL && delivery->parked && !delivery->dirty)
		delivery_queue_replay(webhook, row->event);
}

/* ---- loading ---- */

static void load_webhook(void *context, const struct webhook_row *row)
{
	struct loading *loading = context;
	struct webhooks_out *webhooks = loading->webhooks;
	struct webhook *webhook;
	struct error error;

	if (webhooks->shared && row->owner != webhooks->host)
		return;
	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_of_number(webhooks, row->number);
	if (webhook != NULL)
		renew_secrets(webhook, row);
	pthread_mutex_unlock(&webhooks->lock);
	if (webhook != NULL || is_still_under_way(webhooks, row->number))
		return;
	webhook = webhook_new(row, &error);
	if (webhook == NULL) {
		log_message(LOG_ERROR, "hook.load", "a webhook is left out: %s", error.message);
		return;
	}
	webhook_news_read(webhook, row->news);
	webhook->next = loading->made;
	loading->made = webhook;
}

static void load_new_delivery(struct webhooks_out *webhooks, struct webhook *webhook, const struct delivery_row *row)
{
	char authority[RECEIVER_AUTHORITY_BYTES] = "";
	struct delivery *delivery;

	if (webhook->number == WEBHOOK_CALLBACKS)
		receiver_of_job(webhooks->store, row->sequence, authority);
	delivery = delivery_queue_add(webhook, row->event, row->sequence, receiver_hold(webhook, authority));
	delivery->attempts = row->attempts;
	delivery->first_ms = row->first_ms;
	delivery->due_ms = row->due_ms;
	delivery->status = row->status;
	delivery->stored = true;
	delivery->dirty = false;
	snprintf(delivery->problem, sizeof delivery->problem, "%s", row->problem != NULL ? row->problem : "");
	if (row->parked)
		delivery_queue_park(webhooks, webhook, delivery);
}

static void load_delivery(void *context, const struct delivery_row *row)
{
	struct loading *loading = context;
	struct webhooks_out *webhooks = loading->webhooks;
	struct webhook *webhook = loading->made;

	while (webhook != NULL && webhook->number != row->webhook)
		webhook = webhook->next;
	if (webhook != NULL) {
		load_new_delivery(webhooks, webhook, row);
		return;
	}
	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_of_number(webhooks, row->webhook);
	if (webhook != NULL)
		renew_delivery(webhook, row);
	pthread_mutex_unlock(&webhooks->lock);
}

enum error_code webhooks_load(struct webhooks_out *webhooks, struct error *error)
{
	struct loading loading = { .webhooks = webhooks };
	struct webhook_visitor visitor = { load_webhook, load_delivery, &loading };
	enum error_code code = task_store_webhooks(webhooks->store, &visitor, error);
	struct webhook *webhook;

	while ((webhook = loading.made) != NULL) {
		loading.made = webhook->next;
		if (code != ERROR_NONE) {
			webhook_free(webhook);
			continue;
		}
		pthread_mutex_lock(&webhooks->lock);
		webhook_link(webhooks, webhook);
		pthread_mutex_unlock(&webhooks->lock);
	}
	return code;
}
