/* sender.c - the hooks' thread: reads the log on, begins what is due, and drives the transfers.
 *
 * The log is read without the lock. Owns the transfers, which are opened at the first delivery: a host without hooks never loads curl for
 * them. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define STACK_BYTES (256 * 1024)
#define TAG_WAKE 0u
#define CROWDED_MS 250 /* between two looks at whether who keeps the window full is slow */
#define IDLE_MS 60000

/* ---- reading the log ---- */

struct reading {
	struct {
		int64_t event, sequence;
		char authority[HOOK_AUTHORITY_BYTES]; /* of its callback, or "" */
	} found[LIMIT_HOOK_WINDOW];
	int count;
};

static bool take_event(void *context, const struct event_row *row)
{
	struct reading *reading = context;

	reading->found[reading->count].authority[0] = '\0';
	reading->found[reading->count].event = row->number;
	reading->found[reading->count++].sequence = row->task != NULL ? id_sequence(&row->task->id) : 0;
	return reading->count < LIMIT_HOOK_WINDOW;
}

static void note_authority(void *context, const struct callback_row *row)
{
	host_read(row->url, context);
}

/* Only jobs that have a callback concern the hook of callbacks. */
static void keep_callbacks(struct hooks *hooks, struct reading *reading)
{
	int kept = 0;
	struct error error;

	for (int i = 0; i < reading->count; i++) {
		if (reading->found[i].sequence != 0)
			task_store_callback(
				hooks->store, reading->found[i].sequence, note_authority, reading->found[i].authority, &error);
		if (reading->found[i].authority[0] == '\0')
			continue;
		if (kept < i)
			reading->found[kept] = reading->found[i];
		kept++;
	}
	reading->count = kept;
}

/* More wait for this receiver than anybody's may: the newest are kept aside, to be sent again when asked for. */
static void park_surplus(struct hooks *hooks, struct hook *hook, struct delivery *delivery)
{
	if (!delivery->host->anybodys || delivery->host->waiting <= LIMIT_HOOK_HOST_PENDING)
		return;
	snprintf(delivery->problem, sizeof delivery->problem, "more than %d deliveries wait for this receiver",
		LIMIT_HOOK_HOST_PENDING);
	delivery->stored = delivery->dirty = true;
	queue_park(hook, delivery);
	attempt_drop_oldest(hooks, hook, delivery->host);
}

/* Under the lock. False: no memory; it is read again. */
static bool add_found(struct hooks *hooks, struct hook *hook, const struct reading *reading, int64_t reached)
{
	struct delivery *added;

	for (int i = 0; i < reading->count; i++) {
		if (queue_find(hook, reading->found[i].event) == NULL) {
			added = queue_add(hook, reading->found[i].event, reading->found[i].sequence,
				host_hold(hook, reading->found[i].authority));
			if (added == NULL)
				return false;
			park_surplus(hooks, hook, added);
		}
		hook->read = reading->found[i].event;
	}
	hook->read = reached;
	return true;
}

/* True: there may be more to read at once. */
static bool read_on(struct hooks *hooks, struct hook *hook, int64_t now_ms)
{
	struct event_walk walk = { .filter = hook->number != HOOK_CALLBACKS ? &hook->filter : NULL, .limit = LIMIT_HOOK_WINDOW };
	struct reading reading = { .count = 0 };
	int64_t newest = atomic_load(&hooks->newest);
	struct error error;
	bool more = false, room;

	pthread_mutex_lock(&hooks->lock);
	room = !hook->removed && hook->read < newest &&
	       (queue_has_room(hook) || (queue_set_aside(hook, now_ms) && queue_has_room(hook)));
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
		more = add_found(hooks, hook, &reading, walk.after) && hook->read < newest && queue_has_room(hook);
	pthread_mutex_unlock(&hooks->lock);
	return more;
}

/* ---- the loop ---- */

static void free_removed(struct hooks *hooks)
{
	struct hook **place = &hooks->list, *hook;

	pthread_mutex_lock(&hooks->lock);
	while ((hook = *place) != NULL) {
		if (hook->removed && hook->under_way == 0 && !hook->changing) {
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

/* One of each hook that has one, so that none takes all the room. False: there was none. */
static bool begin_round(struct hooks *hooks, const struct config *config, int64_t now_ms, int64_t *due_ms)
{
	struct attempt *attempt;
	bool some = false;

	for (struct hook *hook = first_hook(hooks); hook != NULL && hooks->under_way < LIMIT_HOOKS_CONCURRENT;
		hook = hook->next) {
		attempt = attempt_take(hooks, hook, now_ms, due_ms);
		if (attempt != NULL) {
			attempt_begin(attempt, config);
			some = true;
		}
	}
	return some;
}

static bool is_crowded(struct hooks *hooks, const struct hook *hook)
{
	bool crowded;

	pthread_mutex_lock(&hooks->lock);
	crowded = !hook->removed && hook->read < atomic_load(&hooks->newest) && !queue_has_room(hook);
	pthread_mutex_unlock(&hooks->lock);
	return crowded;
}

/* Everything that can be done now. Returns when to look again. */
static int64_t work(struct hooks *hooks, const struct config *config, int64_t now_ms)
{
	int64_t due_ms = now_ms + IDLE_MS;
	bool more;

	do {
		more = false;
		for (struct hook *hook = first_hook(hooks); hook != NULL; hook = hook->next)
			more |= read_on(hooks, hook, now_ms);
		while (!atomic_load(&hooks->stopping) && begin_round(hooks, config, now_ms, &due_ms))
			;
	} while (more && !atomic_load(&hooks->stopping));
	for (struct hook *hook = first_hook(hooks); hook != NULL; hook = hook->next)
		if (is_crowded(hooks, hook) && due_ms > now_ms + CROWDED_MS)
			due_ms = now_ms + CROWDED_MS;
	return due_ms;
}

static void wait_for_events(struct hooks *hooks, int64_t wait_ms)
{
	struct epoll_event events[32];
	uint64_t count;
	int ready = epoll_wait(hooks->epoll, events, 32, wait_ms < 0 ? 0 : (int)wait_ms);

	for (int i = 0; i < ready; i++) {
		if (events[i].data.u64 >> 32 == HOOK_TAG_TRANSFERS)
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
