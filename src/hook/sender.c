/* sender.c - the hooks' thread: reads the log, sends what is due, notes what became of it.
 *
 * Owns the transfers, which are opened at the first delivery: a host without hooks never loads curl for them. The log is read and bodies are
 * rendered without the lock. Goes nowhere but to the hook's URL: no redirect, no proxy, public addresses over TLS, or loopback where the
 * configuration allows it. The receiver's answer counts by its status alone. */
#include "hook/room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/standard_webhooks.h"
#include "task/event_json.h"

#define STACK_BYTES (256 * 1024)
#define TAG_WAKE 0u
#define TAG_TRANSFERS 1u
#define CONCURRENT (8 * LIMIT_HOOK_CONCURRENT) /* of all hooks */
#define IDLE_MS 60000
#define GONE 410

struct attempt {
	struct transfer transfer; /* first */
	struct outgoing outgoing;
	struct hooks *hooks;
	struct hook *hook;
	int64_t event, sequence;
	char *url, *secrets[2];
	struct buffer body;
	char id[48], timestamp[24], signature[2 * (STANDARD_WEBHOOKS_SIGNATURE_BYTES + 4)];
	bool found; /* the event is there, and for this hook */
};

/* ---- reading the log ---- */

struct reading {
	struct {
		int64_t event, sequence;
	} found[LIMIT_HOOK_WINDOW];
	int count;
};

static bool take_event(void *context, const struct event_row *row)
{
	struct reading *reading = context;

	reading->found[reading->count].event = row->number;
	reading->found[reading->count++].sequence = row->task != NULL ? id_sequence(&row->task->id) : 0;
	return reading->count < LIMIT_HOOK_WINDOW;
}

static void note_found(void *context, const struct callback_row *row)
{
	(void)row;
	*(bool *)context = true;
}

/* Only jobs that have a callback concern the hook of callbacks. */
static void keep_callbacks(struct hooks *hooks, struct reading *reading)
{
	int kept = 0;
	bool found;
	struct error error;

	for (int i = 0; i < reading->count; i++) {
		found = false;
		if (reading->found[i].sequence != 0)
			task_store_callback(hooks->store, reading->found[i].sequence, note_found, &found, &error);
		if (found)
			reading->found[kept++] = reading->found[i];
	}
	reading->count = kept;
}

/* Under the lock. False: no memory; it is read again. */
static bool add_found(struct hook *hook, const struct reading *reading, int64_t reached)
{
	for (int i = 0; i < reading->count; i++) {
		if (queue_find(hook, reading->found[i].event) == NULL &&
			queue_add(hook, reading->found[i].event, reading->found[i].sequence) == NULL)
			return false;
		hook->read = reading->found[i].event;
	}
	hook->read = reached;
	return true;
}

/* True: there may be more to read at once. */
static bool read_on(struct hooks *hooks, struct hook *hook)
{
	struct event_walk walk = { .filter = hook->number != HOOK_CALLBACKS ? &hook->filter : NULL, .limit = LIMIT_HOOK_WINDOW };
	struct reading reading = { .count = 0 };
	int64_t newest = atomic_load(&hooks->newest);
	struct error error;
	bool more = false, room;

	pthread_mutex_lock(&hooks->lock);
	room = !hook->removed && hook->read < newest && queue_has_room(hook);
	walk.after = hook->read;
	pthread_mutex_unlock(&hooks->lock);
	if (!room)
		return false;
	if (task_store_events(hooks->store, &walk, take_event, &reading, &error) != ERROR_NONE) {
		log_message(LOG_WARN, "hook.read", "cannot read the log of events: %s", error.message);
		return false;
	}
	if (hook->number == HOOK_CALLBACKS)
		keep_callbacks(hooks, &reading);
	pthread_mutex_lock(&hooks->lock);
	if (!hook->removed)
		more = add_found(hook, &reading, walk.after) && hook->read < newest && queue_has_room(hook);
	pthread_mutex_unlock(&hooks->lock);
	return more;
}

/* ---- one attempt: its making ---- */

static void free_attempt(struct attempt *attempt)
{
	for (size_t i = 0; i < 2; i++)
		if (attempt->secrets[i] != NULL)
			explicit_bzero(attempt->secrets[i], strlen(attempt->secrets[i]));
	free(attempt->secrets[0]);
	free(attempt->secrets[1]);
	free(attempt->url);
	outgoing_clear(&attempt->outgoing, 0);
	buffer_free(&attempt->outgoing.url);
	buffer_free(&attempt->outgoing.body);
	buffer_free(&attempt->body);
	response_clear(&attempt->transfer.response);
	free(attempt);
}

/* A test may be meant for one hook only. */
static bool is_for(const struct hook *hook, const struct event_row *row)
{
	char id[HOOK_ID_BYTES];

	if (strcmp(row->verb, HOOK_TEST_TYPE) != 0 || row->data == NULL || strstr(row->data, "\"hook_") == NULL)
		return true;
	snprintf(id, sizeof id, "hook_%016" PRIx64, (uint64_t)hook->number);
	return strstr(row->data, id) != NULL;
}

static bool render(void *context, const struct event_row *row)
{
	struct attempt *attempt = context;

	attempt->found = row->number == attempt->event && is_for(attempt->hook, row);
	if (attempt->found)
		event_json_write(&attempt->body, row);
	return false;
}

static void copy_callback(void *context, const struct callback_row *row)
{
	struct attempt *attempt = context;

	free(attempt->url);
	free(attempt->secrets[0]);
	attempt->url = strdup(row->url);
	attempt->secrets[0] = strdup(row->secret);
}

/* False: the registry cannot be read now. */
static bool read_event(struct attempt *attempt)
{
	struct event_walk walk = { .after = attempt->event - 1, .limit = 1 };
	struct task_store *store = attempt->hooks->store;
	struct error error = { 0 };
	enum error_code code = task_store_events(store, &walk, render, attempt, &error);

	if (code == ERROR_NONE && attempt->found && attempt->hook->number == HOOK_CALLBACKS)
		code = task_store_callback(store, attempt->sequence, copy_callback, attempt, &error);
	if (code == ERROR_NOT_FOUND)
		attempt->found = false;
	if (code != ERROR_NONE && code != ERROR_NOT_FOUND)
		log_message(LOG_WARN, "hook.read", "cannot read the log of events: %s", error.message);
	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

/* "v1,<signature>", and a second one while the secret is being changed. */
static bool sign(struct attempt *attempt)
{
	struct standard_webhooks_message message = { attempt->id, attempt->timestamp, attempt->body.data, attempt->body.length };
	unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES];
	char *to = attempt->signature;
	bool made = true;
	size_t length;

	for (size_t i = 0; i < 2 && made && attempt->secrets[i] != NULL; i++) {
		length = standard_webhooks_key(attempt->secrets[i], key);
		to = stpcpy(to, i > 0 ? " v1," : "v1,");
		made = length > 0 && standard_webhooks_sign(&message, key, length, to);
		to += strlen(to);
	}
	explicit_bzero(key, sizeof key);
	return made && attempt->secrets[0] != NULL;
}

static bool take_nothing(struct transfer *transfer, const void *bytes, size_t length)
{
	(void)transfer;
	(void)bytes;
	(void)length;
	return true;
}

static void attempt_done(struct transfer *transfer);

/* False: no memory. */
static bool write_request(struct attempt *attempt)
{
	const struct outgoing_header headers[] = { { "Content-Type", "application/json" }, { "webhook-id", attempt->id },
		{ "webhook-timestamp", attempt->timestamp }, { "webhook-signature", attempt->signature } };
	struct outgoing *outgoing = &attempt->outgoing;

	snprintf(attempt->id, sizeof attempt->id, "msg_%016" PRIx64 "_%" PRId64, (uint64_t)attempt->hook->number, attempt->event);
	snprintf(attempt->timestamp, sizeof attempt->timestamp, "%" PRId64, clock_unix_ms() / 1000);
	if (attempt->body.failed || attempt->url == NULL || !sign(attempt))
		return false;
	outgoing->method = "POST";
	outgoing->body_kind = BODY_TEXT;
	outgoing->text = attempt->body.data;
	outgoing->text_length = attempt->body.length;
	outgoing->timeout_seconds = LIMIT_HOOK_SECONDS;
	memcpy(outgoing->headers, headers, sizeof headers);
	outgoing->header_count = sizeof headers / sizeof *headers;
	buffer_text(&outgoing->url, attempt->url);
	attempt->transfer.outgoing = outgoing;
	attempt->transfer.sink = take_nothing;
	attempt->transfer.done = attempt_done;
	return !outgoing->url.failed;
}

/* ---- one attempt: its end ---- */

/* More are parked than are kept. */
static void drop_oldest(struct hooks *hooks, struct hook *hook)
{
	struct delivery *at = hook->first;

	while (at != NULL && !at->parked)
		at = at->next;
	if (hook->parked <= LIMIT_HOOK_PARKED || at == NULL)
		return;
	log_message(LOG_WARN, "hook.dropped", "event %lld: more than %d deliveries are parked", (long long)at->event,
		LIMIT_HOOK_PARKED);
	save_delivered(hooks->save, hook, at->event);
	queue_done(hook, at);
}

/* Delivered, or of no use any more. Under the lock. */
static void drop(struct hooks *hooks, struct hook *hook, struct delivery *delivery)
{
	if (delivery->stored)
		save_delivered(hooks->save, hook, delivery->event);
	queue_done(hook, delivery);
}

static void note_failure(struct attempt *attempt, struct delivery *delivery, const char *problem, int64_t now_ms)
{
	struct hook *hook = attempt->hook;
	bool for_good = delivery->status == GONE;

	snprintf(delivery->problem, sizeof delivery->problem, "%s", problem);
	snprintf(hook->problem, sizeof hook->problem, "%s", problem);
	delivery->attempts++;
	queue_failed(hook, delivery, now_ms, for_good);
	if (delivery->parked)
		log_message(LOG_WARN, "hook.parked", "event %lld was not delivered to hook_%016" PRIx64 ": %s",
			(long long)delivery->event, (uint64_t)hook->number, problem);
	drop_oldest(attempt->hooks, hook);
}

/* One that was not sent, for it is gone from the log or for another hook, says nothing about the receiver. */
static void note_success(struct attempt *attempt, int64_t now_ms)
{
	struct hook *hook = attempt->hook;

	if (!attempt->found)
		return;
	hook->problem[0] = '\0';
	hook->delivered++;
	hook->delivered_ms = now_ms;
}

/* What became of it; `problem` NULL: delivered. */
static void conclude(struct attempt *attempt, int status, const char *problem)
{
	struct hook *hook = attempt->hook;
	struct delivery *delivery;
	int64_t now_ms = clock_unix_ms();

	pthread_mutex_lock(&attempt->hooks->lock);
	hook->under_way--;
	delivery = queue_find(hook, attempt->event);
	if (delivery != NULL) { /* else the hook was removed */
		delivery->under_way = false;
		delivery->status = status;
		hook->status = attempt->found ? status : hook->status;
		if (problem != NULL) {
			note_failure(attempt, delivery, problem, now_ms);
		} else {
			drop(attempt->hooks, hook, delivery);
			note_success(attempt, now_ms);
		}
	}
	pthread_mutex_unlock(&attempt->hooks->lock);
	attempt->hooks->under_way--;
	free_attempt(attempt);
}

static void attempt_done(struct transfer *transfer)
{
	struct attempt *attempt = (struct attempt *)(void *)transfer;
	const struct response *response = &transfer->response;
	char problem[LIMIT_HOOK_PROBLEM_BYTES];
	bool answered = response->status >= 200 && response->status < 300;

	if (response->failed && !answered)
		snprintf(problem, sizeof problem, "%.100s", response->message);
	else
		snprintf(problem, sizeof problem, "the receiver answered %d", response->status);
	conclude(attempt, response->status, answered ? NULL : problem);
}

/* ---- starting ---- */

static bool have_transfers(struct hooks *hooks)
{
	struct error error;

	if (hooks->transfers == NULL && transfers_open(hooks->epoll, TAG_TRANSFERS, &hooks->transfers, &error) != ERROR_NONE)
		log_message(LOG_ERROR, "hook.transfers", "%s", error.message);
	return hooks->transfers != NULL;
}

static char *copy_or_null(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static struct attempt *new_attempt(struct hooks *hooks, struct hook *hook, const struct delivery *delivery, int64_t now_ms)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);

	if (attempt == NULL)
		return NULL;
	outgoing_init(&attempt->outgoing);
	buffer_init(&attempt->body, 2 * LIMIT_EVENT_BYTES);
	response_init(&attempt->transfer.response);
	attempt->hooks = hooks;
	attempt->hook = hook;
	attempt->event = delivery->event;
	attempt->sequence = delivery->sequence;
	attempt->url = copy_or_null(hook->url);
	attempt->secrets[0] = copy_or_null(hook->secret);
	if (hook->earlier_until_ms > now_ms)
		attempt->secrets[1] = copy_or_null(hook->earlier_secret);
	return attempt;
}

/* Takes the next delivery that is due. NULL: there is none, or no memory. */
static struct attempt *take(struct hooks *hooks, struct hook *hook, int64_t now_ms, int64_t *due_ms)
{
	struct attempt *attempt = NULL;
	struct delivery *delivery;

	pthread_mutex_lock(&hooks->lock);
	delivery = hook->removed ? NULL : queue_next(hook, now_ms, due_ms);
	if (delivery != NULL)
		attempt = new_attempt(hooks, hook, delivery, now_ms);
	if (attempt != NULL) {
		delivery->under_way = true;
		hook->under_way++;
		hooks->under_way++;
	}
	pthread_mutex_unlock(&hooks->lock);
	return attempt;
}

/* Not sent: it is of no use any more (its event was purged), or it is tried again. */
static void begin(struct hooks *hooks, struct attempt *attempt, const struct config *config)
{
	struct error error;

	if (!read_event(attempt))
		conclude(attempt, 0, "the log of events could not be read");
	else if (!attempt->found)
		conclude(attempt, 0, NULL);
	else if (attempt->url != NULL && hooks_check_url(config, attempt->url, &error) != ERROR_NONE)
		conclude(attempt, 0, error.message);
	else if (!write_request(attempt) || !have_transfers(hooks))
		conclude(attempt, 0, "out of memory");
	else
		transfers_start(hooks->transfers, &attempt->transfer);
}

/* ---- the loop ---- */

static void free_removed(struct hooks *hooks)
{
	struct hook **place = &hooks->list, *hook;

	pthread_mutex_lock(&hooks->lock);
	while ((hook = *place) != NULL) {
		if (hook->removed && hook->under_way == 0) {
			*place = hook->next;
			hook_free(hook);
		} else {
			place = &hook->next;
		}
	}
	pthread_mutex_unlock(&hooks->lock);
}

/* The list grows at its front only, and only this thread frees: it can be walked without the lock. */
static struct hook *first_hook(struct hooks *hooks)
{
	struct hook *first;

	pthread_mutex_lock(&hooks->lock);
	first = hooks->list;
	pthread_mutex_unlock(&hooks->lock);
	return first;
}

/* Everything that can be done now. Returns when to look again. */
static int64_t work(struct hooks *hooks, const struct config *config, int64_t now_ms)
{
	int64_t due_ms = now_ms + IDLE_MS;
	struct attempt *attempt;
	bool more;

	for (struct hook *hook = first_hook(hooks); hook != NULL; hook = hook->next) {
		do {
			more = read_on(hooks, hook);
			while (hooks->under_way < CONCURRENT && (attempt = take(hooks, hook, now_ms, &due_ms)) != NULL)
				begin(hooks, attempt, config);
		} while (more && !atomic_load(&hooks->stopping));
	}
	return due_ms;
}

static void wait_for_events(struct hooks *hooks, int64_t wait_ms)
{
	struct epoll_event events[32];
	uint64_t count;
	int ready = epoll_wait(hooks->epoll, events, 32, wait_ms < 0 ? 0 : (int)wait_ms);

	for (int i = 0; i < ready; i++) {
		if (events[i].data.u64 >> 32 == TAG_TRANSFERS)
			transfers_ready(hooks->transfers, (int)(uint32_t)events[i].data.u64, events[i].events);
		else if (read(hooks->wake, &count, sizeof count) == -1 && errno != EAGAIN)
			log_message(LOG_ERROR, "hook.wake", "cannot read the eventfd: %s", strerror(errno));
	}
	if (hooks->transfers != NULL)
		transfers_finish(hooks->transfers);
}

/* What is still under way is tried again by the next run. */
static void finish(struct hooks *hooks)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_HOOK_STOP_MS * INT64_C(1000000);

	while (hooks->under_way > 0 && clock_monotonic_ns() < deadline)
		wait_for_events(hooks, 20);
	if (hooks->transfers != NULL)
		transfers_abort(hooks->transfers);
	for (int i = 0; i < 2; i++) { /* the one under way, and what came since */
		deadline = clock_monotonic_ns() + LIMIT_HOOK_STOP_MS * INT64_C(1000000);
		while (!save_is_idle(hooks->save) && clock_monotonic_ns() < deadline)
			wait_for_events(hooks, 20);
		save_run(hooks->save, clock_unix_ms(), true);
	}
	deadline = clock_monotonic_ns() + LIMIT_HOOK_STOP_MS * INT64_C(1000000);
	while (!save_is_idle(hooks->save) && clock_monotonic_ns() < deadline)
		wait_for_events(hooks, 20);
}

static void *hooks_main(void *argument)
{
	struct hooks *hooks = argument;

	pthread_setname_np(pthread_self(), "hooks");
	while (!atomic_load(&hooks->stopping)) {
		const struct gate_view *view = gate_acquire(hooks->gate);
		int64_t now_ms = clock_unix_ms(), due_ms = now_ms + IDLE_MS, save_ms;

		if (view->config->hooks.enabled)
			due_ms = work(hooks, view->config, now_ms);
		gate_release(hooks->gate, view);
		free_removed(hooks);
		save_ms = save_run(hooks->save, now_ms, false);
		wait_for_events(hooks, (save_ms < due_ms ? save_ms : due_ms) - clock_unix_ms());
	}
	finish(hooks);
	return NULL;
}

void hook_wake(struct hooks *hooks)
{
	uint64_t one = 1;

	while (write(hooks->wake, &one, sizeof one) == -1 && errno == EINTR)
		;
}

enum error_code sender_start(struct hooks *hooks, struct error *error)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)TAG_WAKE << 32 };
	pthread_attr_t attributes;

	hooks->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	hooks->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (hooks->wake == -1 || hooks->epoll == -1 || epoll_ctl(hooks->epoll, EPOLL_CTL_ADD, hooks->wake, &event) == -1)
		return error_set(error, ERROR_IO, NULL, "cannot prepare outgoing webhooks: %s", strerror(errno));
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	hooks->started = pthread_create(&hooks->thread, &attributes, hooks_main, hooks) == 0;
	pthread_attr_destroy(&attributes);
	return hooks->started ? ERROR_NONE : error_set(error, ERROR_MEMORY, NULL, "cannot start the thread of webhooks");
}

void sender_stop(struct hooks *hooks)
{
	if (!hooks->started)
		return;
	atomic_store(&hooks->stopping, true);
	hook_wake(hooks);
	pthread_join(hooks->thread, NULL);
	hooks->started = false;
	transfers_close(hooks->transfers);
	hooks->transfers = NULL;
}
