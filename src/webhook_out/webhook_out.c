/* webhook_out.c - the list of webhooks: loading, registering, removing.
 *
 * HTTP threads change the list under its lock, after what they change is stored; the webhooks' thread alone frees what was removed. Where several hosts share
 * the registry they change its rows alone, and the thread takes over what concerns this host. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

void webhook_link(struct webhooks_out *webhooks, struct webhook *webhook)
{
	webhook->next = webhooks->list;
	webhooks->list = webhook;
	webhooks->count += webhook->number != WEBHOOK_CALLBACKS;
	atomic_store(&webhooks->some, true);
}

/* ---- open and close ---- */

enum error_code webhooks_out_open(struct gate *gate, struct task_store *store, const struct webhooks_out_host *host,
	struct webhooks_out **webhooks, struct error *error)
{
	struct webhooks_out *made = memory_new(sizeof *made);
	enum error_code code = ERROR_NONE;

	made->gate = gate;
	made->store = store;
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->changed);
	atomic_store(&made->newest, task_store_newest_event(store));
	made->save = save_new(made);
	made->shared = host != NULL;
	if (host != NULL)
		made->among = *host;
	else
		code = webhooks_load(made, error);
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
	int64_t known = atomic_load(&webhooks->newest);

	while (known < newest && !atomic_compare_exchange_weak(&webhooks->newest, &known, newest))
		;
	if (atomic_load_explicit(&webhooks->expects, memory_order_relaxed))
		webhooks_out_look(webhooks);
	else if (newest == 0 || atomic_load_explicit(&webhooks->some, memory_order_relaxed))
		loop_wake(webhooks->loop);
}

void webhooks_out_look(struct webhooks_out *webhooks)
{
	if (!webhooks->shared)
		return;
	atomic_store(&webhooks->look, true);
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

/* One that is being registered keeps a place while it is stored; where other hosts register too the registry is asked, and two at once may both be the
 * last. */
static enum error_code take_place(struct webhooks_out *webhooks, struct error *error)
{
	struct webhook_rows rows;
	int count = 0;

	if (webhooks->shared) {
		if (webhook_rows_read(webhooks, false, &rows, error) == ERROR_NONE)
			for (const struct webhook *webhook = rows.first; webhook != NULL; webhook = webhook->next)
				count += webhook->number != WEBHOOK_CALLBACKS;
		webhook_rows_free(&rows);
		if (error->code != ERROR_NONE)
			return error->code;
	}
	pthread_mutex_lock(&webhooks->lock);
	if (!webhooks->shared)
		count = webhooks->count;
	webhooks->count += count < LIMIT_WEBHOOKS_OUT;
	pthread_mutex_unlock(&webhooks->lock);
	return count < LIMIT_WEBHOOKS_OUT ? ERROR_NONE
					  : error_set(error, ERROR_LIMIT, NULL, "there are %d webhooks already: remove one first",
						    LIMIT_WEBHOOKS_OUT);
}

/* Stored, or not. Takes `webhook` over. */
static void give_place(struct webhooks_out *webhooks, struct webhook *webhook, bool stored)
{
	pthread_mutex_lock(&webhooks->lock);
	webhooks->count--;
	if (stored && !webhooks->shared)
		webhook_link(webhooks, webhook);
	pthread_mutex_unlock(&webhooks->lock);
	if (!stored || webhooks->shared)
		webhook_free(webhook); /* the thread reads it from its row */
	webhooks_out_look(webhooks);
	loop_wake(webhooks->loop);
}

enum error_code webhooks_out_add(
	struct webhooks_out *webhooks, const struct webhook_order *order, char id[WEBHOOK_ID_BYTES], struct error *error)
{
	int64_t host = webhooks->shared ? webhooks->among.number(webhooks->among.context) : 0;
	struct webhook_change change = { .op = WEBHOOK_PUT,
		.host = host,
		.webhook = { .number = webhook_random(),
			.url = order->url,
			.events = order->events,
			.secret = order->secret,
			.caller = order->caller,
			.created_ms = clock_unix_ms(),
			.cursor = webhooks->shared ? -1 : task_store_newest_event(webhooks->store),
			.owner = host } };
	struct webhook *webhook;
	enum error_code code;

	*error = (struct error){ .code = ERROR_NONE };
	webhook = webhook_new(&change.webhook, error);
	if (webhook == NULL)
		return error->code;
	code = take_place(webhooks, error);
	if (code != ERROR_NONE) {
		webhook_free(webhook);
		return code;
	}
	code = webhook_change_store(webhooks->store, &change, error);
	give_place(webhooks, webhook, code == ERROR_NONE);
	if (code == ERROR_NONE)
		webhook_write_id(change.webhook.number, id);
	return code;
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
		if (code != ERROR_NONE)
			return code;
		code = webhook_change_store(webhooks->store, &change, error);
		if (code != ERROR_NONE && code != ERROR_NOT_FOUND)
			return code;
		if (webhooks->shared)
			unlink_webhook(webhooks, change.webhook.number); /* at once, if it is this host's */
		else
			code = unlink_webhook(webhooks, change.webhook.number) ? ERROR_NONE : ERROR_NOT_FOUND;
	} while (code == ERROR_NOT_FOUND);
	webhooks_out_look(webhooks);
	loop_wake(webhooks->loop);
	return ERROR_NONE;
}

/* At the host that delivers. False: that is not this one. */
static bool replay_own(struct webhooks_out *webhooks, const char *id, int64_t event, int *count)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_find(webhooks->list, id, NULL);
	if (webhook != NULL && webhook->leaving)
		webhook = NULL;
	*count = webhook != NULL ? delivery_queue_replay(webhook, event) : 0;
	pthread_mutex_unlock(&webhooks->lock);
	loop_wake(webhooks->loop);
	return webhook != NULL;
}

/* In the rows, which the host that delivers then reads again. */
static enum error_code replay_stored(
	struct webhooks_out *webhooks, const char *id, int64_t event, int *count, struct error *error)
{
	struct webhook_change change = { .op = WEBHOOK_REPLAY, .delivery = { .event = event } };
	struct webhook_rows rows;
	enum error_code code = webhook_rows_read(webhooks, true, &rows, error);
	const struct webhook *webhook = code == ERROR_NONE ? webhook_find(rows.first, id, NULL) : NULL;

	if (webhook != NULL) {
		change.delivery.webhook = webhook->number;
		for (const struct delivery *at = webhook->deliveries; at != NULL; at = at->next)
			*count += at->parked && (event == 0 || at->event == event);
		code = *count > 0 ? webhook_change_store(webhooks->store, &change, error) : ERROR_NONE;
	} else if (code == ERROR_NONE) {
		code = webhook_refuse_unknown(error);
	}
	webhook_rows_free(&rows);
	return code;
}

enum error_code webhooks_out_replay(struct webhooks_out *webhooks, const char *id, int64_t event, int *count, struct error *error)
{
	if (replay_own(webhooks, id, event, count))
		return ERROR_NONE;
	return webhooks->shared ? replay_stored(webhooks, id, event, count, error) : webhook_refuse_unknown(error);
}

/* Where other hosts may have it already, the thread looks once the job is stored. */
int64_t webhooks_out_expect_callback(struct webhooks_out *webhooks)
{
	const struct webhook_row row = {
		.number = WEBHOOK_CALLBACKS, .url = "", .events = "", .secret = "", .cursor = atomic_load(&webhooks->newest)
	};
	struct error error;
	bool known;

	pthread_mutex_lock(&webhooks->lock);
	known = webhook_of_number(webhooks, WEBHOOK_CALLBACKS) != NULL;
	if (!known && !webhooks->shared)
		webhook_link(webhooks, webhook_new(&row, &error)); /* which has no patterns that could be wrong */
	pthread_mutex_unlock(&webhooks->lock);
	if (!webhooks->shared)
		return 0;
	if (!known && !atomic_load(&webhooks->callbacks))
		atomic_store(&webhooks->expects, true);
	return webhooks->among.number(webhooks->among.context);
}
