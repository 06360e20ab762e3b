/* sender.c - the webhooks' thread: reads the log on, begins what is due, and runs the loop that sends it.
 *
 * The log is read without the lock. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define STACK_BYTES (256 * 1024)
#define CROWDED_MS 250 /* between two looks at whether who keeps the window full is slow */
#define IDLE_MS 60000

/* ---- reading the log ---- */

struct reading {
	struct {
		int64_t event, sequence;
		char authority[RECEIVER_AUTHORITY_BYTES]; /* of its callback, or "" */
	} found[LIMIT_WEBHOOK_OUT_WINDOW];
	int count;
};

static bool note_event(void *context, const struct event_row *row)
{
	struct reading *reading = context;

	reading->found[reading->count].authority[0] = '\0';
	reading->found[reading->count].event = row->number;
	reading->found[reading->count++].sequence = row->task != NULL ? id_sequence(&row->task->id) : 0;
	return reading->count < LIMIT_WEBHOOK_OUT_WINDOW;
}

/* Only jobs that have a callback concern the webhook of callbacks. False: the registry cannot be read now. */
static bool keep_callbacks(struct webhooks_out *webhooks, struct reading *reading)
{
	int kept = 0;

	for (int i = 0; i < reading->count; i++) {
		if (reading->found[i].sequence != 0 &&
			!receiver_of_job(webhooks->store, reading->found[i].sequence, reading->found[i].authority))
			return false;
		if (reading->found[i].authority[0] == '\0')
			continue;
		if (kept < i)
			reading->found[kept] = reading->found[i];
		kept++;
	}
	reading->count = kept;
	return true;
}

/* More wait for this receiver than anybody's may: the newest are kept aside, to be sent again when asked for. */
static void park_surplus(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery)
{
	if (!delivery->receiver->anybodys || delivery->receiver->waiting <= LIMIT_WEBHOOK_OUT_RECEIVER_PENDING)
		return;
	snprintf(delivery->problem, sizeof delivery->problem, "more than %d deliveries wait for this receiver",
		LIMIT_WEBHOOK_OUT_RECEIVER_PENDING);
	delivery->stored = delivery->dirty = true;
	delivery_queue_park(webhooks, webhook, delivery);
}

/* Under the lock. */
static void add_found(struct webhooks_out *webhooks, struct webhook *webhook, const struct reading *reading, int64_t reached)
{
	struct delivery *added;

	for (int i = 0; i < reading->count; i++) {
		if (delivery_queue_find(webhook, reading->found[i].event) == NULL) {
			added = delivery_queue_add(webhook, reading->found[i].event, reading->found[i].sequence,
				receiver_hold(webhook, reading->found[i].authority));
			park_surplus(webhooks, webhook, added);
		}
		webhook->read = reading->found[i].event;
	}
	webhook->read = reached;
}

/* True: there may be more to read at once. */
static bool read_log_on(struct webhooks_out *webhooks, struct webhook *webhook)
{
	struct event_walk walk = { .filter = webhook->number != WEBHOOK_CALLBACKS ? &webhook->filter : NULL,
		.limit = LIMIT_WEBHOOK_OUT_WINDOW,
		.follows = true };
	struct reading reading = { .count = 0 };
	int64_t newest = atomic_load(&webhooks->newest);
	struct error error;
	bool more = false, room;

	pthread_mutex_lock(&webhooks->lock);
	room = !webhook->removed && !webhook->leaving && webhook->read < newest &&
	       (delivery_queue_has_room(webhook) || (delivery_queue_set_aside(webhook) && delivery_queue_has_room(webhook)));
	walk.after = webhook->read;
	pthread_mutex_unlock(&webhooks->lock);
	if (!room)
		return false;
	if (task_store_events(webhooks->store, &walk, note_event, &reading, &error) != ERROR_NONE) {
		log_message(LOG_WARN, "hook.read", "cannot read the log of events: %s", error.message);
		return false;
	}
	if (webhook->number == WEBHOOK_CALLBACKS && !keep_callbacks(webhooks, &reading)) {
		log_message(LOG_WARN, "hook.read", "cannot read whose callbacks these events are");
		return false;
	}
	pthread_mutex_lock(&webhooks->lock);
	if (!webhook->removed) {
		add_found(webhooks, webhook, &reading, walk.after);
		more = webhook->read < newest && delivery_queue_has_room(webhook);
	}
	pthread_mutex_unlock(&webhooks->lock);
	return more;
}

/* ---- the loop ---- */

static void free_removed(struct webhooks_out *webhooks)
{
	struct webhook **place = &webhooks->list, *webhook;

	pthread_mutex_lock(&webhooks->lock);
	while ((webhook = *place) != NULL) {
		if (webhook->removed && webhook->under_way == 0 && !webhook->changing) {
			*place = webhook->next;
			webhook_free(webhook);
		} else {
			place = &webhook->next;
		}
	}
	pthread_mutex_unlock(&webhooks->lock);
}

/* The list grows at its front only, and only this thread frees: it can be walked without the lock. */
static struct webhook *first_webhook(struct webhooks_out *webhooks)
{
	struct webhook *first;

	pthread_mutex_lock(&webhooks->lock);
	first = webhooks->list;
	pthread_mutex_unlock(&webhooks->lock);
	return first;
}

/* One of each webhook that has one, so that none takes all the room. False: there was none. */
static bool begin_round(struct webhooks_out *webhooks, const struct config *config, int64_t now_ms, int64_t *due_ms)
{
	struct attempt *attempt;
	bool some = false;

	for (struct webhook *webhook = first_webhook(webhooks);
		webhook != NULL && webhooks->under_way < LIMIT_WEBHOOKS_OUT_CONCURRENT; webhook = webhook->next) {
		attempt = attempt_take(webhooks, webhook, now_ms, due_ms);
		if (attempt != NULL) {
			attempt_begin(attempt, config);
			some = true;
		}
	}
	return some;
}

static bool is_crowded(struct webhooks_out *webhooks, const struct webhook *webhook)
{
	bool crowded;

	pthread_mutex_lock(&webhooks->lock);
	crowded = !webhook->removed && !webhook->leaving && webhook->read < atomic_load(&webhooks->newest) &&
		  !delivery_queue_has_room(webhook);
	pthread_mutex_unlock(&webhooks->lock);
	return crowded;
}

/* Everything that can be done now. Returns when to look again. */
static int64_t work(struct webhooks_out *webhooks, const struct config *config, int64_t now_ms)
{
	int64_t due_ms = now_ms + IDLE_MS;
	bool more;

	do {
		more = false;
		for (struct webhook *webhook = first_webhook(webhooks); webhook != NULL; webhook = webhook->next)
			more |= read_log_on(webhooks, webhook);
		while (!atomic_load(&webhooks->stopping) && begin_round(webhooks, config, now_ms, &due_ms))
			;
	} while (more && !atomic_load(&webhooks->stopping));
	for (struct webhook *webhook = first_webhook(webhooks); webhook != NULL; webhook = webhook->next)
		if (is_crowded(webhooks, webhook) && due_ms > now_ms + CROWDED_MS)
			due_ms = now_ms + CROWDED_MS;
	return due_ms;
}

static void wait_for_events(struct webhooks_out *webhooks, int64_t wait_ms)
{
	loop_run_once(webhooks->loop, wait_ms > 0 ? clock_monotonic_ns() + wait_ms * INT64_C(1000000) : 0);
}

static int64_t earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

/* Where other hosts go on with them. */
static void leave_all(struct webhooks_out *webhooks)
{
	pthread_mutex_lock(&webhooks->lock);
	for (struct webhook *webhook = webhooks->list; webhooks->shared && webhook != NULL; webhook = webhook->next)
		webhook->leaving = true;
	pthread_mutex_unlock(&webhooks->lock);
}

/* What is still under way is tried again by the next run. */
static void finish_sending(struct webhooks_out *webhooks)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_WEBHOOK_OUT_STOP_MS * INT64_C(1000000);

	while (webhooks->under_way > 0 && clock_monotonic_ns() < deadline)
		wait_for_events(webhooks, 20);
	transfers_abort(webhooks->loop);
	leave_all(webhooks);
	for (int i = 0; i < 2; i++) { /* the one under way, and what came since */
		deadline = clock_monotonic_ns() + LIMIT_WEBHOOK_OUT_STOP_MS * INT64_C(1000000);
		while (!save_is_idle(webhooks->save) && clock_monotonic_ns() < deadline)
			wait_for_events(webhooks, 20);
		save_run(webhooks->save, clock_unix_ms(), true);
	}
	deadline = clock_monotonic_ns() + LIMIT_WEBHOOK_OUT_STOP_MS * INT64_C(1000000);
	while (!save_is_idle(webhooks->save) && clock_monotonic_ns() < deadline)
		wait_for_events(webhooks, 20);
}

static void *webhooks_out_main(void *argument)
{
	struct webhooks_out *webhooks = argument;

	while (!atomic_load(&webhooks->stopping)) {
		const struct gate_view *view = gate_acquire(webhooks->gate);
		int64_t now_ms = clock_unix_ms(), due_ms = now_ms + IDLE_MS;
		bool enabled = view->config->hooks.enabled;

		if (enabled)
			due_ms = work(webhooks, view->config, now_ms);
		gate_release(webhooks->gate, view);
		free_removed(webhooks);
		due_ms = earlier(due_ms, save_run(webhooks->save, now_ms, false));
		due_ms = earlier(due_ms, webhook_owner_run(webhooks, now_ms, enabled));
		wait_for_events(webhooks, due_ms - clock_unix_ms());
	}
	finish_sending(webhooks);
	return NULL;
}

enum error_code sender_start(struct webhooks_out *webhooks, struct error *error)
{
	if (loop_new(NULL, &webhooks->loop, error) != ERROR_NONE)
		return error->code;
	webhooks->started =
		thread_start(&webhooks->thread, "hooks", STACK_BYTES, webhooks_out_main, webhooks, error) == ERROR_NONE;
	return webhooks->started ? ERROR_NONE : ERROR_IO;
}

void sender_stop(struct webhooks_out *webhooks)
{
	if (!webhooks->started)
		return;
	atomic_store(&webhooks->stopping, true);
	loop_wake(webhooks->loop);
	pthread_join(webhooks->thread, NULL);
	webhooks->started = false;
}
