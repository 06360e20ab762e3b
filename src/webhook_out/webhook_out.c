/* webhook_out.c - the list of webhooks: loading, registering, removing.
 *
 * HTTP threads change the list under its lock, after what they change is stored; the webhooks' thread alone frees what was removed. A secret is
 * shown to whoever registers, once, and never again. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/standard_webhooks.h"

#define ID_PREFIX "hook_"
#define CALLBACKS_ID "callbacks" /* of all callback_urls together */
#define SECRET_BYTES 32
#define SECRET_BYTES_LEAST 24 /* the specification's minimum */

/* ---- one webhook ---- */

void webhook_wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void webhook_free(struct webhook *webhook)
{
	if (webhook == NULL)
		return;
	delivery_queue_free(webhook);
	receivers_free(webhook);
	free(webhook->url);
	free(webhook->events);
	webhook_wipe(webhook->secret);
	webhook_wipe(webhook->earlier_secret);
	free(webhook->caller);
	free(webhook);
}

/* Tests pass whatever the patterns are. */
static enum error_code read_events(struct webhook *webhook, struct error *error)
{
	struct event_filter *filter = &webhook->filter;
	enum error_code code = event_filter_types(filter, webhook->events, error);

	if (code != ERROR_NONE)
		snprintf(error->path, sizeof error->path, "events"); /* the filter calls it by the name that a query has for it */
	if (code == ERROR_NONE && filter->type_count == LIMIT_EVENT_PATTERNS)
		code = error_set(error, ERROR_INVALID, "events", "stand for more than %d patterns", LIMIT_EVENT_PATTERNS - 1);
	if (code == ERROR_NONE && filter->type_count > 0)
		snprintf(filter->types[filter->type_count++], sizeof filter->types[0], "%s", WEBHOOK_TEST_TYPE);
	return code;
}

static bool copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static struct webhook *webhook_new(const struct webhook_row *row, struct error *error)
{
	struct webhook *webhook = calloc(1, sizeof *webhook);

	if (webhook == NULL || !copy_text(&webhook->url, row->url) || !copy_text(&webhook->events, row->events) ||
		!copy_text(&webhook->secret, row->secret) || !copy_text(&webhook->earlier_secret, row->earlier_secret) ||
		!copy_text(&webhook->caller, row->caller)) {
		error_memory(error);
		webhook_free(webhook);
		return NULL;
	}
	webhook->number = row->number;
	webhook->earlier_until_ms = row->earlier_until_ms;
	webhook->created_ms = row->created_ms;
	webhook->cursor = webhook->read = row->cursor;
	if (read_events(webhook, error) == ERROR_NONE)
		return webhook;
	webhook_free(webhook);
	return NULL;
}

/* Under the lock, or before the thread starts. */
static void link_webhook(struct webhooks_out *webhooks, struct webhook *webhook)
{
	webhook->next = webhooks->list;
	webhooks->list = webhook;
	webhooks->count += webhook->number != WEBHOOK_CALLBACKS;
	atomic_store(&webhooks->some, true);
}

void webhook_write_id(int64_t number, char id[WEBHOOK_ID_BYTES])
{
	if (number == WEBHOOK_CALLBACKS)
		snprintf(id, WEBHOOK_ID_BYTES, "%s", CALLBACKS_ID);
	else
		snprintf(id, WEBHOOK_ID_BYTES, ID_PREFIX "%016" PRIx64, (uint64_t)number);
}

struct webhook *webhook_find(struct webhooks_out *webhooks, const char *id, const char *events)
{
	char own[WEBHOOK_ID_BYTES];

	for (struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next) {
		webhook_write_id(webhook->number, own);
		if (events != NULL && strcmp(webhook->events, events) != 0)
			continue;
		if (!webhook->removed && (strcmp(own, id) == 0 || (*id != '\0' && strcmp(webhook->url, id) == 0)))
			return webhook;
	}
	return NULL;
}

static enum error_code refuse_unknown(struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "id", "there is no webhook with this id or URL");
}

/* ---- loading ---- */

static bool load_webhook(void *context, const struct webhook_row *row)
{
	struct webhooks_out *webhooks = context;
	struct error error;
	struct webhook *webhook = webhook_new(row, &error);

	if (webhook == NULL) {
		log_message(LOG_ERROR, "hook.load", "a webhook is left out: %s", error.message);
		return error.code != ERROR_MEMORY;
	}
	link_webhook(webhooks, webhook);
	return true;
}

static void note_authority(void *context, const struct callback_row *row)
{
	receiver_read(row->url, context);
}

static struct receiver *host_of_row(struct webhooks_out *webhooks, struct webhook *webhook, const struct delivery_row *row)
{
	char authority[RECEIVER_AUTHORITY_BYTES] = "";
	struct error error;

	if (webhook->number == WEBHOOK_CALLBACKS)
		task_store_callback(webhooks->store, row->sequence, note_authority, authority, &error);
	return receiver_hold(webhook, authority);
}

static bool load_delivery(void *context, const struct delivery_row *row)
{
	struct webhooks_out *webhooks = context;
	struct webhook *webhook = webhooks->list;
	struct delivery *delivery;

	while (webhook != NULL && webhook->number != row->webhook)
		webhook = webhook->next;
	if (webhook == NULL)
		return true;
	delivery = delivery_queue_add(webhook, row->event, row->sequence, host_of_row(webhooks, webhook, row));
	if (delivery == NULL)
		return false;
	delivery->attempts = row->attempts;
	delivery->first_ms = row->first_ms;
	delivery->due_ms = row->due_ms;
	delivery->status = row->status;
	delivery->stored = true;
	delivery->dirty = false;
	snprintf(delivery->problem, sizeof delivery->problem, "%s", row->problem != NULL ? row->problem : "");
	if (row->parked)
		delivery_queue_park(webhook, delivery);
	return true;
}

enum error_code webhooks_out_open(
	struct gate *gate, struct task_store *store, struct webhooks_out **webhooks, struct error *error)
{
	struct webhooks_out *made = calloc(1, sizeof *made);
	struct webhook_visitor visitor = { load_webhook, load_delivery, made };
	pthread_condattr_t attributes;
	enum error_code code;

	if (made == NULL)
		return error_memory(error);
	made->gate = gate;
	made->store = store;
	pthread_mutex_init(&made->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&made->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	atomic_store(&made->newest, task_store_newest_event(store));
	made->save = save_new(made);
	code = made->save == NULL ? error_memory(error) : task_store_webhooks(store, &visitor, error);
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
		webhook_wake(webhooks);
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

enum error_code webhooks_out_check_secret(const char *secret, struct error *error)
{
	unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES];
	size_t length = 0;

	if (strncmp(secret, "whsec_", 6) == 0 && strlen(secret) < LIMIT_WEBHOOK_OUT_SECRET_BYTES)
		length = standard_webhooks_key(secret, key);
	explicit_bzero(key, sizeof key);
	return length >= SECRET_BYTES_LEAST
		       ? ERROR_NONE
		       : error_set(error, ERROR_INVALID, "secret", "must be whsec_ and the base64 of 24 to 64 bytes");
}

bool webhooks_out_make_secret(char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES])
{
	unsigned char bytes[SECRET_BYTES];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes || !crypto_load())
		return false;
	memcpy(secret, "whsec_", 6);
	EVP_EncodeBlock((unsigned char *)secret + 6, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

/* ---- registering ---- */

int64_t webhook_random(void)
{
	uint64_t number = 0;

	while (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number && errno == EINTR)
		;
	return (int64_t)(number >> 1 | 1);
}

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
	code = room ? save_now(webhooks->store, &change, error)
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
	webhook_wake(webhooks);
	return ERROR_NONE;
}

/* Under the lock. A URL may be that of several webhooks: who let go of the lock goes on by the number. */
static struct webhook *find_again(struct webhooks_out *webhooks, int64_t number)
{
	struct webhook *webhook = webhooks->list;

	while (webhook != NULL && (webhook->removed || webhook->number != number))
		webhook = webhook->next;
	return webhook;
}

static bool find_number(struct webhooks_out *webhooks, const char *id, const char *events, int64_t *number)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_find(webhooks, id, events);
	*number = webhook != NULL ? webhook->number : WEBHOOK_CALLBACKS;
	pthread_mutex_unlock(&webhooks->lock);
	return *number != WEBHOOK_CALLBACKS; /* which nobody may remove or change */
}

/* False: somebody else has removed it meanwhile. */
static bool unlink_webhook(struct webhooks_out *webhooks, int64_t number)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = find_again(webhooks, number);
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
		if (!find_number(webhooks, id, events, &change.webhook.number))
			return refuse_unknown(error);
		code = save_now(webhooks->store, &change, error);
		if (code != ERROR_NONE)
			return code;
	} while (!unlink_webhook(webhooks, change.webhook.number));
	webhook_wake(webhooks);
	return ERROR_NONE;
}

/* Under the lock: waits for who changes the same secret. NULL with an error: the webhook is gone, or it took too long. */
static struct webhook *await_turn(struct webhooks_out *webhooks, int64_t number, struct error *error)
{
	struct webhook *webhook = find_again(webhooks, number);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_CALL_WAIT_MS / 1000;
	while (webhook != NULL && webhook->changing) {
		if (pthread_cond_timedwait(&webhooks->changed, &webhooks->lock, &until) == ETIMEDOUT) {
			error_set(error, ERROR_BUSY, NULL,
				"the registry is slow, and the secret is being changed by somebody else");
			return NULL;
		}
		webhook = find_again(webhooks, number);
	}
	if (webhook == NULL)
		refuse_unknown(error);
	return webhook;
}

/* One after the other: what is stored is what is in force, and the secret before is the one that was in force until then. */
static enum error_code change_secret(
	struct webhooks_out *webhooks, struct webhook_change *change, char **fresh, struct error *error)
{
	struct webhook *webhook = await_turn(webhooks, change->webhook.number, error);
	enum error_code code;
	char *earlier;

	if (webhook == NULL)
		return error->code;
	webhook->changing = true;
	earlier = strdup(webhook->secret);
	pthread_mutex_unlock(&webhooks->lock);
	change->webhook.earlier_secret = earlier;
	code = earlier == NULL ? error_memory(error) : save_now(webhooks->store, change, error);
	webhook_wipe(earlier);
	pthread_mutex_lock(&webhooks->lock);
	webhook->changing = false; /* the thread does not free it meanwhile */
	pthread_cond_broadcast(&webhooks->changed);
	if (code != ERROR_NONE)
		return code;
	if (webhook->removed)
		return refuse_unknown(error);
	webhook_wipe(webhook->earlier_secret);
	webhook->earlier_secret = webhook->secret;
	webhook->secret = *fresh;
	webhook->earlier_until_ms = change->webhook.earlier_until_ms;
	*fresh = NULL;
	return ERROR_NONE;
}

enum error_code webhooks_out_rotate(struct webhooks_out *webhooks, const char *id, const char *secret, struct error *error)
{
	struct webhook_change change = { .op = WEBHOOK_SECRETS,
		.webhook = { .secret = secret, .earlier_until_ms = clock_unix_ms() + LIMIT_WEBHOOK_OUT_ROTATION_MS } };
	char *fresh;
	enum error_code code;

	if (!find_number(webhooks, id, NULL, &change.webhook.number))
		return refuse_unknown(error);
	fresh = strdup(secret);
	if (fresh == NULL)
		return error_memory(error);
	pthread_mutex_lock(&webhooks->lock);
	code = change_secret(webhooks, &change, &fresh, error);
	pthread_mutex_unlock(&webhooks->lock);
	webhook_wipe(fresh);
	return code;
}

enum error_code webhooks_out_replay(struct webhooks_out *webhooks, const char *id, int64_t event, int *count, struct error *error)
{
	struct webhook *webhook;

	pthread_mutex_lock(&webhooks->lock);
	webhook = webhook_find(webhooks, id, NULL);
	*count = webhook != NULL ? delivery_queue_replay(webhook, event) : 0;
	pthread_mutex_unlock(&webhooks->lock);
	if (webhook == NULL)
		return refuse_unknown(error);
	webhook_wake(webhooks);
	return ERROR_NONE;
}

enum error_code webhooks_out_expect_callback(struct webhooks_out *webhooks, struct error *error)
{
	const struct webhook_row row = {
		.number = WEBHOOK_CALLBACKS, .url = "", .events = "", .secret = "", .cursor = atomic_load(&webhooks->newest)
	};
	struct webhook *webhook, *made = webhook_new(&row, error);

	if (made == NULL)
		return error->code;
	pthread_mutex_lock(&webhooks->lock);
	for (webhook = webhooks->list; webhook != NULL && webhook->number != WEBHOOK_CALLBACKS; webhook = webhook->next)
		;
	if (webhook == NULL)
		link_webhook(webhooks, made);
	pthread_mutex_unlock(&webhooks->lock);
	if (webhook != NULL)
		webhook_free(made);
	return ERROR_NONE;
}
