/* webhook_out.c - the list of webhooks: loading, registering, removing.
 *
 * HTTP threads change the list under its lock, after what they change is stored; the webhooks' thread alone frees what was removed. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

/* Under the lock, or before the thread starts. */
static void link_webhook(struct webhooks_out *webhooks, struct webhook *webhook)
{
	webhook->next = webhooks->list;
	webhooks->list = webhook;
	webhooks->count += webhook->number != WEBHOOK_CALLBACKS;
	atomic_store(&webhooks->some, true);
}

/* ---- loading ---- */

static void load_webhook(void *context, const struct webhook_row *row)
{
	struct webhooks_out *webhooks = context;
	struct error error;
	struct webhook *webhook = webhook_new(row, &error);

	if (webhook == NULL) {
		log_message(LOG_ERROR, "hook.load", "a webhook is left out: %s", error.message);
		return;
	}
	link_webhook(webhooks, webhook);
}

static void load_delivery(void *context, const struct delivery_row *row)
{
	struct webhooks_out *webhooks = context;
	struct webhook *webhook = webhook_of_number(webhooks, row->webhook);
	char authority[RECEIVER_AUTHORITY_BYTES] = "";
	struct delivery *delivery;

	if (webhook == NULL)
		return;
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

enum error_code webhooks_out_open(
	struct gate *gate, struct task_store *store, struct webhooks_out **webhooks, struct error *error)
{
	struct webhooks_out *made = memory_new(sizeof *made);
	struct webhook_visitor visitor = { load_webhook, load_delivery, made };
	enum error_code code;

	made->gate = gate;
	made->store = store;
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->changed);
	atomic_store(&made->newest, task_store_newest_event(store));
	made->save = save_new(made);
	code = task_store_webhooks(store, &visitor, error);
	if (code == ERROR_NONE)
		code = sender_start(made, error);
	if (code == ERROR_NONE)
		*webhooks = made;
	else
		webhooks_out_free(made);
	return code;
}

void webhooks_out_stop(struct webhooks_out *webhooks)
{
	if (webhooks != NULL)
		sender_stop(webhooks);
}

void webhooks_out_free(struct webhooks_out *webhooks)
{
	struct webhook *next;

	if (webhooks == NULL)
		return;
	for (; webhooks->list != NULL; webhooks->list = next) {
		next = webhooks->list->next;
		webhook_free(webhooks->list);
	}
	save_free(webhooks->save);
	loop_free(webhooks->loop);
	pthread_cond_destroy(&webhooks->changed);
	pthread_mutex_destroy(&webhooks->lock);
	free(webhooks);
}

void webhooks_out_notify(struct webhooks_out *webhooks, int64_t newest)
{
	if (newest > 0)
		atomic_store(&webhooks->newest, newest);
	if (newest == 0 || atomic_load_explicit(&webhooks->some, memory_order_relaxed))
		loop_wake(webhooks->loop);
}

/* ---- what is good ---- */

enum error_code webhooks_out_check_url(const struct config *config, const char *url, struct error *error)
{
	const char *refusal = config_refuse_hook_url(config, url);

	if (refusal == NULL && destination_is_this_host(url, config->live.public_url))
		refusal = "is this host's own address: it does not call itself";
	if (refusal == NULL && strlen(url) > LIMIT_WEBHOOK_OUT_URL_BYTES)
		refusal = "is longer than 2048 bytes";
	return refusal == NULL ? ERROR_NONE : error_set(error, ERROR_INVALID, "url", "%s", refusal);
}

/* ---- registering ---- */

enum error_code webhooks_out_add(
	struct webhooks_out *webhooks, const struct webhook_order *order, char id[WEBHOOK_ID_BYTES], struct error *error)
{
	struct webhook_change change = { .op = WEBHOOK_PUT,
		.webhook = { .number = webhook_random(),
			.url = order->url,
			.events = order->events,
			.secret = order->secret,
			.caller = order->caller,
			.created_ms = clock_unix_ms(),
			.cursor = task_store_newest_event(webhooks->store) } };
	struct webhook *webhook = webhook_new(&change.webhook, error);
	enum error_code code;
	bool room;

	if (webhook == NULL)
		return error->code;
	pthread_mutex_lock(&webhooks->lock);
	room = webhooks->count < LIMIT_WEBHOOKS_OUT;
	webhooks->count += room; /* kept for it while it is stored */
	pthread_mutex_unlock(&webhooks->lock);
	code = room ? webhook_change_store(webhooks->store, &change, error)
		    : error_set(error, ERROR_LIMIT, NULL, "there are %d webhooks already: remove one first", LIMIT_WEBHOOKS_OUT);
	pthread_mutex_lock(&webhooks->lock);
	webhooks->count -= room;
	if (code == ERROR_NONE)
		link_webhook(webhooks, webhook);
	pthread_mutex_unlock(&webhooks->lock);
	if (code != ERROR_NONE) {
		webhook_free(webhook);
		return code;
	}
	webhook_write_id(change.webhook.number, id);
	loop_wake(webhooks->loop);
	return ERROR_NONE;
}

/* False: somebody else has removed it meanwhile. */
static bool unlink_webhook(struct webhooks_out *webhooks, int64_t number)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_of_number(webhooks, number);
	if (webhook != NULL) {
		webhook->removed = true;
		webhooks->count--;
	}
	pthread_mutex_unlock(&webhooks->lock);
	return webhook != NULL;
}

/* One for each call: two at once with a URL that two webhooks have remove both. */
enum error_code webhooks_out_remove(struct webhooks_out *webhooks, const char *id, const char *events, struct error *error)
{
	struct webhook_change change = { .op = WEBHOOK_REMOVE };
	enum error_code code;

	do {
		code = webhook_find_number(webhooks, id, events, &change.webhook.number, error);
		if (code == ERROR_NONE)
			code = webhook_change_store(webhooks->store, &change, error);
		if (code != ERROR_NONE)
			return code;
	} while (!unlink_webhook(webhooks, change.webhook.number));
	loop_wake(webhooks->loop);
	return ERROR_NONE;
}

enum error_code webhooks_out_replay(struct webhooks_out *webhooks, const char *id, int64_t event, int *count, struct error *error)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_find(webhooks, id, NULL);
	*count = webhook != NULL ? delivery_queue_replay(webhook, event) : 0;
	pthread_mutex_unlock(&webhooks->lock);
	if (webhook == NULL)
		return webhook_refuse_unknown(error);
	loop_wake(webhooks->loop);
	return ERROR_NONE;
}

void webhooks_out_expect_callback(struct webhooks_out *webhooks)
{
	const struct webhook_row row = {
		.number = WEBHOOK_CALLBACKS, .url = "", .events = "", .secret = "", .cursor = atomic_load(&webhooks->newest)
	};
	struct error error;

	pthread_mutex_lock(&webhooks->lock);
	if (webhook_of_number(webhooks, WEBHOOK_CALLBACKS) == NULL)
		link_webhook(webhooks, webhook_new(&row, &error)); /* which has no patterns that could be wrong */
	pthread_mutex_unlock(&webhooks->lock);
}
