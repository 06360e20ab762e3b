/* delivery_queue.c - one hook's deliveries, ordered by their event's number. Called with the hooks' lock held; no memory but that of its deliveries.
 *
 * Those of one job keep their order: the first that is not parked is tried, the others wait behind it. One that fails gets a row in the
 * registry, and so do those behind it, so that the place in the log can move on without them. */
#include "webhook_out/internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PAUSE_MS 5000
#define JITTER 8 /* a pause is up to an eighth longer, so that receivers that return are not met by all at once */

static struct delivery *earlier_of_job(const struct hook *hook, const struct delivery *delivery)
{
	struct delivery *at = hook->first;

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

struct delivery *queue_find(const struct hook *hook, int64_t event)
{
	struct delivery *at = hook->first;

	while (at != NULL && at->event != event)
		at = at->next;
	return at;
}

struct delivery *queue_add(struct hook *hook, int64_t event, int64_t sequence, struct hook_host *host)
{
	struct delivery *delivery = calloc(1, sizeof *delivery), **place = &hook->first;
	struct delivery *before;

	if (delivery == NULL) {
		host_release(hook, host);
		return NULL;
	}
	delivery->host = host;
	host->waiting++;
	while (*place != NULL && (*place)->event < event)
		place = &(*place)->next;
	delivery->event = event;
	delivery->sequence = sequence;
	delivery->next = *place;
	*place = delivery;
	hook->waiting++;
	before = earlier_of_job(hook, delivery);
	delivery->behind = before != NULL;
	delivery->stored = delivery->dirty = before != NULL && before->stored;
	return delivery;
}

/* Its successor need not wait for it any more. */
static void free_deliveries_of_job(struct delivery *delivery)
{
	struct delivery *next = next_of_job(delivery);

	if (next != NULL && !delivery->behind)
		next->behind = false;
}

static void unlink_delivery(struct hook *hook, struct delivery *delivery)
{
	struct delivery **place = &hook->first;

	while (*place != delivery)
		place = &(*place)->next;
	*place = delivery->next;
	if (delivery->parked)
		hook->parked--;
	else
		hook->waiting--;
	delivery->host->waiting -= !delivery->parked;
	host_release(hook, delivery->host);
	free(delivery);
}

void queue_done(struct hook *hook, struct delivery *delivery)
{
	if (!delivery->parked)
		free_deliveries_of_job(delivery);
	unlink_delivery(hook, delivery);
}

struct delivery *queue_next(const struct hooks *hooks, struct hook *hook, int64_t now_ms, int64_t *due_ms)
{
	struct delivery *at, *next = NULL;

	if (hook->under_way >= (hook->number == HOOK_CALLBACKS ? LIMIT_HOOK_CALLBACKS_CONCURRENT : LIMIT_HOOK_CONCURRENT))
		return NULL;
	for (at = hook->first; at != NULL; at = at->next) {
		if (at->parked || at->under_way || at->behind)
			continue;
		if (at->due_ms > now_ms) {
			if (at->due_ms < *due_ms)
				*due_ms = at->due_ms;
		} else if ((next == NULL || at->host->served < next->host->served) && host_may_start(hooks, at->host, now_ms)) {
			next = at;
		}
	}
	return next;
}

bool queue_set_aside(struct hook *hook, int64_t now_ms)
{
	bool some = false;

	for (struct delivery *at = hook->first; at != NULL; at = at->next) {
		if (at->stored || at->under_way || !host_is_slow(at->host, now_ms))
			continue;
		at->stored = at->dirty = some = true;
	}
	return some;
}

/* 5 s, 10 s, 20 s, ... */
static int64_t pause_after(int attempts)
{
	int64_t pause = FIRST_PAUSE_MS;

	for (int i = 1; i < attempts && pause < LIMIT_HOOK_PAUSE_MS; i++)
		pause *= 2;
	if (pause > LIMIT_HOOK_PAUSE_MS)
		pause = LIMIT_HOOK_PAUSE_MS;
	return pause + hook_random() % (pause / JITTER);
}

/* Those behind it leave the log's place too. */
static void store_deliveries_of_job(struct delivery *delivery)
{
	for (; delivery != NULL; delivery = next_of_job(delivery)) {
		if (delivery->stored)
			continue;
		delivery->stored = delivery->dirty = true;
	}
}

void queue_park(struct hook *hook, struct delivery *delivery)
{
	free_deliveries_of_job(delivery);
	delivery->parked = true;
	delivery->host->waiting--;
	hook->waiting--;
	hook->parked++;
}

void queue_failed(struct hook *hook, struct delivery *delivery, int64_t now_ms, bool for_good)
{
	if (delivery->first_ms == 0)
		delivery->first_ms = now_ms;
	delivery->due_ms = now_ms + pause_after(delivery->attempts);
	store_deliveries_of_job(delivery);
	delivery->dirty = true;
	if (for_good || now_ms - delivery->first_ms >= LIMIT_HOOK_DAY_MS)
		queue_park(hook, delivery);
}

/* Where it stands among its job's deliveries, which may have gone on without it. */
static void unpark(struct hook *hook, struct delivery *delivery)
{
	struct delivery *next;

	delivery->parked = false;
	delivery->dirty = true;
	delivery->attempts = 0;
	delivery->first_ms = delivery->due_ms = 0;
	delivery->host->waiting++;
	hook->parked--;
	hook->waiting++;
	delivery->behind = earlier_of_job(hook, delivery) != NULL;
	next = next_of_job(delivery);
	if (next != NULL && !next->under_way)
		next->behind = true;
	store_deliveries_of_job(delivery);
}

int queue_replay(struct hook *hook, int64_t event)
{
	int count = 0;

	for (struct delivery *at = hook->first; at != NULL; at = at->next) {
		if (!at->parked || (event != 0 && at->event != event))
			continue;
		unpark(hook, at);
		count++;
	}
	return count;
}

/* The place up to which the registry need not look again. */
int64_t queue_cursor(const struct hook *hook)
{
	const struct delivery *at = hook->first;

	while (at != NULL && at->stored)
		at = at->next;
	return at != NULL ? at->event - 1 : hook->read;
}

/* Only what was not tried yet is read ahead; what waits for its next try is bounded for itself. */
bool queue_has_room(const struct hook *hook)
{
	int fresh = 0;

	if (hook->waiting >= (hook->number == HOOK_CALLBACKS ? LIMIT_HOOK_CALLBACKS_PENDING : LIMIT_HOOK_PENDING))
		return false;
	for (const struct delivery *at = hook->first; at != NULL; at = at->next)
		fresh += !at->stored;
	return fresh < LIMIT_HOOK_WINDOW;
}

void queue_free(struct hook *hook)
{
	struct delivery *next;

	for (; hook->first != NULL; hook->first = next) {
		next = hook->first->next;
		free(hook->first);
	}
}
