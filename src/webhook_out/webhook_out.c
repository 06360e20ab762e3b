/* webhook_out.c - the list of hooks: loading, registering, removing.
 *
 * HTTP threads change the list under its lock, after what they change is stored; the hooks' thread alone frees what was removed. A secret is
 * shown to whoever registers, once, and never again. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/standard_webhooks.h"

#define ID_PREFIX "hook_"
#define CALLBACKS_ID "callbacks" /* of all callback_urls together */
#define SECRET_BYTES 32
#define SECRET_BYTES_LEAST 24 /* the specification's minimum */

/* ---- one hook ---- */

void hook_wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void hook_free(struct hook *hook)
{
	if (hook == NULL)
		return;
	queue_free(hook);
	hosts_free(hook);
	free(hook->url);
	free(hook->events);
	hook_wipe(hook->secret);
	hook_wipe(hook->earlier_secret);
	free(hook->caller);
	free(hook);
}

/* Tests pass whatever the patterns are. */
static enum error_code read_events(struct hook *hook, struct error *error)
{
	struct event_filter *filter = &hook->filter;
	enum error_code code = event_filter_types(filter, hook->events, error);

	if (code != ERROR_NONE)
		snprintf(error->path, sizeof error->path, "events"); /* the filter calls it by the name that a query has for it */
	if (code == ERROR_NONE && filter->type_count == LIMIT_EVENT_PATTERNS)
		code = error_set(error, ERROR_INVALID, "events", "stand for more than %d patterns", LIMIT_EVENT_PATTERNS - 1);
	if (code == ERROR_NONE && filter->type_count > 0)
		snprintf(filter->types[filter->type_count++], sizeof filter->types[0], "%s", HOOK_TEST_TYPE);
	return code;
}

static bool copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static struct hook *hook_new(const struct hook_row *row, struct error *error)
{
	struct hook *hook = calloc(1, sizeof *hook);

	if (hook == NULL || !copy_text(&hook->url, row->url) || !copy_text(&hook->events, row->events) ||
		!copy_text(&hook->secret, row->secret) || !copy_text(&hook->earlier_secret, row->earlier_secret) ||
		!copy_text(&hook->caller, row->caller)) {
		error_memory(error);
		hook_free(hook);
		return NULL;
	}
	hook->number = row->number;
	hook->earlier_until_ms = row->earlier_until_ms;
	hook->created_ms = row->created_ms;
	hook->cursor = hook->read = row->cursor;
	if (read_events(hook, error) == ERROR_NONE)
		return hook;
	hook_free(hook);
	return NULL;
}

/* Under the lock, or before the thread starts. */
static void link_hook(struct hooks *hooks, struct hook *hook)
{
	hook->next = hooks->list;
	hooks->list = hook;
	hooks->count += hook->number != HOOK_CALLBACKS;
	atomic_store(&hooks->some, true);
}

void hook_write_id(int64_t number, char id[HOOK_ID_BYTES])
{
	if (number == HOOK_CALLBACKS)
		snprintf(id, HOOK_ID_BYTES, "%s", CALLBACKS_ID);
	else
		snprintf(id, HOOK_ID_BYTES, ID_PREFIX "%016" PRIx64, (uint64_t)number);
}

struct hook *hook_find(struct hooks *hooks, const char *id, const char *events)
{
	char own[HOOK_ID_BYTES];

	for (struct hook *hook = hooks->list; hook != NULL; hook = hook->next) {
		hook_write_id(hook->number, own);
		if (events != NULL && strcmp(hook->events, events) != 0)
			continue;
		if (!hook->removed && (strcmp(own, id) == 0 || (*id != '\0' && strcmp(hook->url, id) == 0)))
			return hook;
	}
	return NULL;
}

static enum error_code refuse_unknown(struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "id", "there is no webhook with this id or URL");
}

/* ---- loading ---- */

static bool load_hook(void *context, const struct hook_row *row)
{
	struct hooks *hooks = context;
	struct error error;
	struct hook *hook = hook_new(row, &error);

	if (hook == NULL) {
		log_message(LOG_ERROR, "hook.load", "a webhook is left out: %s", error.message);
		return error.code != ERROR_MEMORY;
	}
	link_hook(hooks, hook);
	return true;
}

static void note_authority(void *context, const struct callback_row *row)
{
	host_read(row->url, context);
}

static struct hook_host *host_of_row(struct hooks *hooks, struct hook *hook, const struct delivery_row *row)
{
	char authority[HOOK_AUTHORITY_BYTES] = "";
	struct error error;

	if (hook->number == HOOK_CALLBACKS)
		task_store_callback(hooks->store, row->sequence, note_authority, authority, &error);
	return host_hold(hook, authority);
}

static bool load_delivery(void *context, const struct delivery_row *row)
{
	struct hooks *hooks = context;
	struct hook *hook = hooks->list;
	struct delivery *delivery;

	while (hook != NULL && hook->number != row->hook)
		hook = hook->next;
	if (hook == NULL)
		return true;
	delivery = queue_add(hook, row->event, row->sequence, host_of_row(hooks, hook, row));
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
		queue_park(hook, delivery);
	return true;
}

enum error_code hooks_open(struct gate *gate, struct task_store *store, struct hooks **hooks, struct error *error)
{
	struct hooks *made = calloc(1, sizeof *made);
	struct hook_visitor visitor = { load_hook, load_delivery, made };
	pthread_condattr_t attributes;
	enum error_code code;

	if (made == NULL)
		return error_memory(error);
	made->gate = gate;
	made->store = store;
	made->epoll = made->wake = -1;
	pthread_mutex_init(&made->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&made->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	atomic_store(&made->newest, task_store_newest_event(store));
	made->save = save_new(made);
	code = made->save == NULL ? error_memory(error) : task_store_hooks(store, &visitor, error);
	if (code == ERROR_NONE)
		code = sender_start(made, error);
	if (code == ERROR_NONE)
		*hooks = made;
	else
		hooks_free(made);
	return code;
}

void hooks_stop(struct hooks *hooks)
{
	if (hooks != NULL)
		sender_stop(hooks);
}

void hooks_free(struct hooks *hooks)
{
	struct hook *next;

	if (hooks == NULL)
		return;
	for (; hooks->list != NULL; hooks->list = next) {
		next = hooks->list->next;
		hook_free(hooks->list);
	}
	save_free(hooks->save);
	if (hooks->epoll != -1)
		close(hooks->epoll);
	if (hooks->wake != -1)
		close(hooks->wake);
	pthread_cond_destroy(&hooks->changed);
	pthread_mutex_destroy(&hooks->lock);
	free(hooks);
}

void hooks_notify(struct hooks *hooks, int64_t newest)
{
	if (newest > 0)
		atomic_store(&hooks->newest, newest);
	if (newest == 0 || atomic_load_explicit(&hooks->some, memory_order_relaxed))
		hook_wake(hooks);
}

/* ---- what is good ---- */

enum error_code hooks_check_url(const struct config *config, const char *url, struct error *error)
{
	const char *refusal = config_refuse_hook_url(config, url);

	if (refusal == NULL && destination_is_this_host(url, config->live.public_url))
		refusal = "is this host's own address: it does not call itself";
	if (refusal == NULL && strlen(url) > LIMIT_HOOK_URL_BYTES)
		refusal = "is longer than 2048 bytes";
	return refusal == NULL ? ERROR_NONE : error_set(error, ERROR_INVALID, "url", "%s", refusal);
}

enum error_code hooks_check_secret(const char *secret, struct error *error)
{
	unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES];
	size_t length = 0;

	if (strncmp(secret, "whsec_", 6) == 0 && strlen(secret) < LIMIT_HOOK_SECRET_BYTES)
		length = standard_webhooks_key(secret, key);
	explicit_bzero(key, sizeof key);
	return length >= SECRET_BYTES_LEAST
		       ? ERROR_NONE
		       : error_set(error, ERROR_INVALID, "secret", "must be whsec_ and the base64 of 24 to 64 bytes");
}

bool hooks_make_secret(char secret[LIMIT_HOOK_SECRET_BYTES])
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

int64_t hook_random(void)
{
	uint64_t number = 0;

	while (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number && errno == EINTR)
		;
	return (int64_t)(number >> 1 | 1);
}

enum error_code hooks_add(struct hooks *hooks, const struct hook_order *order, char id[HOOK_ID_BYTES], struct error *error)
{
	struct hook_change change = { .op = HOOK_PUT,
		.hook = { .number = hook_random(),
			.url = order->url,
			.events = order->events,
			.secret = order->secret,
			.caller = order->caller,
			.created_ms = clock_unix_ms(),
			.cursor = task_store_newest_event(hooks->store) } };
	struct hook *hook = hook_new(&change.hook, error);
	enum error_code code;
	bool room;

	if (hook == NULL)
		return error->code;
	pthread_mutex_lock(&hooks->lock);
	room = hooks->count < LIMIT_HOOKS;
	hooks->count += room; /* kept for it while it is stored */
	pthread_mutex_unlock(&hooks->lock);
	code = room ? save_now(hooks->store, &change, error)
		    : error_set(error, ERROR_LIMIT, NULL, "there are %d webhooks already: remove one first", LIMIT_HOOKS);
	pthread_mutex_lock(&hooks->lock);
	hooks->count -= room;
	if (code == ERROR_NONE)
		link_hook(hooks, hook);
	pthread_mutex_unlock(&hooks->lock);
	if (code != ERROR_NONE) {
		hook_free(hook);
		return code;
	}
	hook_write_id(change.hook.number, id);
	hook_wake(hooks);
	return ERROR_NONE;
}

/* Under the lock. A URL may be that of several hooks: who let go of the lock goes on by the number. */
static struct hook *find_again(struct hooks *hooks, int64_t number)
{
	struct hook *hook = hooks->list;

	while (hook != NULL && (hook->removed || hook->number != number))
		hook = hook->next;
	return hook;
}

static bool find_number(struct hooks *hooks, const char *id, const char *events, int64_t *number)
{
	struct hook *hook;

	pthread_mutex_lock(&hooks->lock);
	hook = hook_find(hooks, id, events);
	*number = hook != NULL ? hook->number : HOOK_CALLBACKS;
	pthread_mutex_unlock(&hooks->lock);
	return *number != HOOK_CALLBACKS; /* which nobody may remove or change */
}

/* False: somebody else has removed it meanwhile. */
static bool unlink_hook(struct hooks *hooks, int64_t number)
{
	struct hook *hook;

	pthread_mutex_lock(&hooks->lock);
	hook = find_again(hooks, number);
	if (hook != NULL) {
		hook->removed = true;
		hooks->count--;
	}
	pthread_mutex_unlock(&hooks->lock);
	return hook != NULL;
}

/* One for each call: two at once with a URL that two hooks have remove both. */
enum error_code hooks_remove(struct hooks *hooks, const char *id, const char *events, struct error *error)
{
	struct hook_change change = { .op = HOOK_REMOVE };
	enum error_code code;

	do {
		if (!find_number(hooks, id, events, &change.hook.number))
			return refuse_unknown(error);
		code = save_now(hooks->store, &change, error);
		if (code != ERROR_NONE)
			return code;
	} while (!unlink_hook(hooks, change.hook.number));
	hook_wake(hooks);
	return ERROR_NONE;
}

/* Under the lock: waits for who changes the same secret. NULL with an error: the hook is gone, or it took too long. */
static struct hook *await_turn(struct hooks *hooks, int64_t number, struct error *error)
{
	struct hook *hook = find_again(hooks, number);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_CALL_WAIT_MS / 1000;
	while (hook != NULL && hook->changing) {
		if (pthread_cond_timedwait(&hooks->changed, &hooks->lock, &until) == ETIMEDOUT) {
			error_set(error, ERROR_BUSY, NULL,
				"the registry is slow, and the secret is being changed by somebody else");
			return NULL;
		}
		hook = find_again(hooks, number);
	}
	if (hook == NULL)
		refuse_unknown(error);
	return hook;
}

/* One after the other: what is stored is what is in force, and the secret before is the one that was in force until then. */
static enum error_code change_secret(struct hooks *hooks, struct hook_change *change, char **fresh, struct error *error)
{
	struct hook *hook = await_turn(hooks, change->hook.number, error);
	enum error_code code;
	char *earlier;

	if (hook == NULL)
		return error->code;
	hook->changing = true;
	earlier = strdup(hook->secret);
	pthread_mutex_unlock(&hooks->lock);
	change->hook.earlier_secret = earlier;
	code = earlier == NULL ? error_memory(error) : save_now(hooks->store, change, error);
	hook_wipe(earlier);
	pthread_mutex_lock(&hooks->lock);
	hook->changing = false; /* the thread does not free it meanwhile */
	pthread_cond_broadcast(&hooks->changed);
	if (code != ERROR_NONE)
		return code;
	if (hook->removed)
		return refuse_unknown(error);
	hook_wipe(hook->earlier_secret);
	hook->earlier_secret = hook->secret;
	hook->secret = *fresh;
	hook->earlier_until_ms = change->hook.earlier_until_ms;
	*fresh = NULL;
	return ERROR_NONE;
}

enum error_code hooks_rotate(struct hooks *hooks, const char *id, const char *secret, struct error *error)
{
	struct hook_change change = { .op = HOOK_SECRETS,
		.hook = { .secret = secret, .earlier_until_ms = clock_unix_ms() + LIMIT_HOOK_ROTATION_MS } };
	char *fresh;
	enum error_code code;

	if (!find_number(hooks, id, NULL, &change.hook.number))
		return refuse_unknown(error);
	fresh = strdup(secret);
	if (fresh == NULL)
		return error_memory(error);
	pthread_mutex_lock(&hooks->lock);
	code = change_secret(hooks, &change, &fresh, error);
	pthread_mutex_unlock(&hooks->lock);
	hook_wipe(fresh);
	return code;
}

enum error_code hooks_replay(struct hooks *hooks, const char *id, int64_t event, int *count, struct error *error)
{
	struct hook *hook;

	pthread_mutex_lock(&hooks->lock);
	hook = hook_find(hooks, id, NULL);
	*count = hook != NULL ? queue_replay(hook, event) : 0;
	pthread_mutex_unlock(&hooks->lock);
	if (hook == NULL)
		return refuse_unknown(error);
	hook_wake(hooks);
	return ERROR_NONE;
}

enum error_code hooks_expect_callback(struct hooks *hooks, struct error *error)
{
	const struct hook_row row = {
		.number = HOOK_CALLBACKS, .url = "", .events = "", .secret = "", .cursor = atomic_load(&hooks->newest)
	};
	struct hook *hook, *made = hook_new(&row, error);

	if (made == NULL)
		return error->code;
	pthread_mutex_lock(&hooks->lock);
	for (hook = hooks->list; hook != NULL && hook->number != HOOK_CALLBACKS; hook = hook->next)
		;
	if (hook == NULL)
		link_hook(hooks, made);
	pthread_mutex_unlock(&hooks->lock);
	if (hook != NULL)
		hook_free(made);
	return ERROR_NONE;
}
