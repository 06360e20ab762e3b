/* delivery_queue.c - one webhook's deliveries, ordered by their event's number. Under the webhooks' lock.
 *
 * Those of one job keep their order: the first that is not parked is tried, the others wait behind it. One that fails gets a row in the
 * registry, and so do those behind it, so that the place in the log can move on without them. */
#include "webhook_out/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"

#define FIRST_PAUSE_MS 5000
#define JITTER 8 /* a pause is up to an eighth longer, so that receivers that return are not met by all at once */

static struct delivery *earlier_of_job(const struct webhook *webhook, const struct delivery *delivery)
{
	struct delivery *at = webhook->deliveries;

	for (; at != NULL && at != delivery; at = at->next)
		if (at->sequence == delivery->sequence && !at->parked)
			return at;
	return NULL;
}

static struct delivery *next_of_job(const struct delivery *delivery)
{
	struct delivery *at = delivery->next;

	while (at != NULL && (at->sequence != delivery->sequence || at->parked))
		at = at->next;
	return at;
}

struct delivery *delivery_queue_find(const struct webhook *webhook, int64_t event)
{
	struct delivery *at = webhook->deliveries;

	while (at != NULL && at->event != event)
		at = at->next;
	return at;
}

struct delivery *delivery_queue_add(struct webhook *webhook, int64_t event, int64_t sequence, struct receiver *receiver)
{
	struct delivery *delivery = memory_new(sizeof *delivery), **place = &webhook->deliveries;
	struct delivery *before;

	delivery->receiver = receiver;
	receiver->waiting++;
	while (*place != NULL && (*place)->event < event)
		place = &(*place)->next;
	delivery->event = event;
	delivery->sequence = sequence;
	delivery->next = *place;
	*place = delivery;
	webhook->waiting++;
	before = earlier_of_job(webhook, delivery);
	delivery->behind = before != NULL;
	delivery->stored = delivery->dirty = before != NULL && before->stored;
	return delivery;
}

/* Its successor need not wait for it any more. */
static void free_next_of_job(struct delivery *delivery)
{
	struct delivery *next = next_of_job(delivery);

	if (next != NULL && !delivery->behind)
		next->behind = false;
}

void delivery_queue_done(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery)
{
	struct delivery **place = &webhook->deliveries;

	if (delivery->stored)
		save_delivered(webhooks->save, webhook, delivery->event);
	if (!delivery->parked)
		free_next_of_job(delivery);
	while (*place != delivery)
		place = &(*place)->next;
	*place = delivery->next;
	if (delivery->parked)
		webhook->parked--;
	else
		webhook->waiting--;
	delivery->receiver->waiting -= !delivery->parked;
	receiver_release(webhook, delivery->receiver);
	free(delivery);
}

struct delivery *delivery_queue_next(
	const struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms)
{
	struct delivery *at, *next = NULL;

	if (webhook->under_way >=
		(webhook->number == WEBHOOK_CALLBACKS ? LIMIT_WEBHOOK_OUT_CALLBACKS_CONCURRENT : LIMIT_WEBHOOK_OUT_CONCURRENT))
		return NULL;
	for (at = webhook->deliveries; at != NULL; at = at->next) {
		if (at->parked || at->under_way || at->behind)
			continue;
		if (at->due_ms > now_ms) {
			if (at->due_ms < *due_ms)
				*due_ms = at->due_ms;
		} else if ((next == NULL || at->receiver->served < next->receiver->served) &&
			   receiver_may_start(webhooks, at->receiver)) {
			next = at;
		}
	}
	return next;
}

bool delivery_queue_set_aside(struct webhook *webhook)
{
	bool some = false;

	for (struct delivery *at = webhook->deliveries; at != NULL; at = at->next) {
		if (at->stored || at->under_way || !receiver_is_slow(at->receiver))
			continue;
		at->stored = at->dirty = some = true;
	}
	return some;
}

void delivery_queue_store_all(struct webhook *webhook)
{
	for (struct delivery *at = webhook->deliveries; at != NULL; at = at->next) {
		if (at->stored)
			continue;
		at->stored = at->dirty = true;
	}
}

/* 5 s, 10 s, 20 s, ... */
static int64_t pause_after(int attempts)
{
	int64_t pause = FIRST_PAUSE_MS;

	for (int i = 1; i < attempts && pause < LIMIT_WEBHOOK_OUT_PAUSE_MS; i++)
		pause *= 2;
	if (pause > LIMIT_WEBHOOK_OUT_PAUSE_MS)
		pause = LIMIT_WEBHOOK_OUT_PAUSE_MS;
	return pause + webhook_random() % (pause / JITTER);
}

/* Those behind it leave the log's place too. */
static void store_rest_of_job(struct delivery *delivery)
{
	for (; delivery != NULL; delivery = next_of_job(delivery)) {
		if (delivery->stored)
			continue;
		delivery->stored = delivery->dirty = true;
	}
}

/* Of this receiver, when more are parked than are kept. */
static void drop_oldest_parked(struct webhooks_out *webhooks, struct webhook *webhook, const struct receiver *receiver)
{
	struct delivery *at = webhook->deliveries;

	if (webhook->parked <= LIMIT_WEBHOOK_OUT_PARKED)
		return;
	while (!(at->parked && at->receiver == receiver))
		at = at->next;
	log_message(LOG_WARN, "hook.dropped", "event %lld: more than %d deliveries are parked", (long long)at->event,
		LIMIT_WEBHOOK_OUT_PARKED);
	delivery_queue_done(webhooks, webhook, at);
}

void delivery_queue_park(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery)
{
	free_next_of_job(delivery);
	delivery->parked = true;
	delivery->receiver->waiting--;
	webhook->waiting--;
	webhook->parked++;
	drop_oldest_parked(webhooks, webhook, delivery->receiver);
}

void delivery_queue_failed(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery, int64_t now_ms,
	bool for_good, const char *problem)
{
	snprintf(delivery->problem, sizeof delivery->problem, "%s", problem);
	delivery->attempts++;
	if (delivery->first_ms == 0)
		delivery->first_ms = now_ms;
	delivery->due_ms = now_ms + pause_after(delivery->attempts);
	store_rest_of_job(delivery);
	delivery->dirty = true;
	if (!for_good && now_ms - delivery->first_ms < LIMIT_WEBHOOK_OUT_DAY_MS)
		return;
	log_message(LOG_WARN, "hook.parked", "event %lld was not delivered to hook_%016" PRIx64 ": %s",
		(long long)delivery->event, (uint64_t)webhook->number, problem);
	delivery_queue_park(webhooks, webhook, delivery);
}

/* Where it stands among its job's deliveries, which may have gone on without it. */
static void unpark(struct webhook *webhook, struct delivery *delivery)
{
	struct delivery *next;

	delivery->parked = false;
	delivery->dirty = true;
	delivery->attempts = 0;
	delivery->first_ms = delivery->due_ms = 0;
	delivery->receiver->waiting++;
	webhook->parked--;
	webhook->waiting++;
	delivery->behind = earlier_of_job(webhook, delivery) != NULL;
	next = next_of_job(delivery);
	if (next != NULL && !next->under_way)
		next->behind = true;
	store_rest_of_job(delivery);
}

int delivery_queue_replay(struct webhook *webhook, int64_t event)
{
	int count = 0;

	for (struct delivery *at = webhook->deliveries; at != NULL; at = at->next) {
		if (!at->parked || (event != 0 && at->event != event))
			continue;
		unpark(webhook, at);
		count++;
	}
	return count;
}

/* The place up to which the registry need not look again. */
int64_t delivery_queue_cursor(const struct webhook *webhook)
{
	const struct delivery *at = webhook->deliveries;

	while (at != NULL && at->stored)
		at = at->next;
	return at != NULL ? at->event - 1 : webhook->read;
}

/* Only what was not tried yet is read ahead; what waits for its next try is bounded for itself. */
bool delivery_queue_has_room(const struct webhook *webhook)
{
	int fresh = 0;

	if (webhook->waiting >=
		(webhook->number == WEBHOOK_CALLBACKS ? LIMIT_WEBHOOK_OUT_CALLBACKS_PENDING : LIMIT_WEBHOOK_OUT_PENDING))
		return false;
	for (const struct delivery *at = webhook->deliveries; at != NULL; at = at->next)
		fresh += !at->stored;
	return fresh < LIMIT_WEBHOOK_OUT_WINDOW;
}

void delivery_queue_free(struct webhook *webhook)
{
	struct delivery *next;

	for (; webhook->deliveries != NULL; webhook->deliveries = next) {
		next = webhook->deliveries->next;
		free(webhook->deliveries);
	}
}
