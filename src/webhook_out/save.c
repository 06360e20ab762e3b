/* save.c - what must outlive the process: places in the log, and the rows of deliveries that failed.
 *
 * The webhooks' thread gathers what has changed and hands it to the store as one write; the next is made when that one is done, so a busy time
 * costs few commits. A write that fails is made again. What is lost by a crash is at most that something was delivered already. */
#include "webhook_out/internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define BATCH_CHANGES 1024 /* the rest goes with the next write */
#define RETRY_MS 1000
#define NEWS_NS INT64_C(1000000000)
#define NEWS_BYTES (64 * 1024)

struct dropped {
	int64_t webhook, event;
};

struct save {
	struct webhooks_out *webhooks;
	struct store_write write;
	struct webhook_change changes[BATCH_CHANGES];
	size_t count; /* of the write under way, or to be repeated */
	_Atomic bool under_way;
	bool again; /* the last write failed */
	bool troubled;
	int64_t last_ns;	 /* of the last write, monotonic */
	struct dropped *dropped; /* under the webhooks' lock: rows that are to go */
	size_t dropped_count, dropped_room;
};

struct save *save_new(struct webhooks_out *webhooks)
{
	struct save *save = memory_new(sizeof *save);

	save->webhooks = webhooks;
	return save;
}

static void clear_changes(struct save *save)
{
	for (size_t i = 0; i < save->count; i++) {
		free((char *)(uintptr_t)save->changes[i].delivery.problem);
		free((char *)(uintptr_t)save->changes[i].webhook.news);
	}
	save->count = 0;
}

void save_free(struct save *save)
{
	if (save == NULL)
		return;
	clear_changes(save);
	free(save->dropped);
	free(save);
}

void save_delivered(struct save *save, const struct webhook *webhook, int64_t event)
{
	if (save->dropped_count == save->dropped_room) {
		save->dropped_room = 2 * save->dropped_room + 16;
		save->dropped = memory_resize(save->dropped, save->dropped_room * sizeof *save->dropped);
	}
	save->dropped[save->dropped_count++] = (struct dropped){ webhook->number, event };
}

/* ---- a batch ---- */

static struct webhook_change *add_change(struct save *save, enum webhook_op op)
{
	if (save->count == BATCH_CHANGES)
		return NULL;
	save->changes[save->count] = (struct webhook_change){ .op = op, .host = save->webhooks->host };
	return &save->changes[save->count++];
}

static void add_dropped(struct save *save)
{
	struct webhook_change *change;

	while (save->dropped_count > 0 && (change = add_change(save, WEBHOOK_DELIVERED)) != NULL) {
		save->dropped_count--;
		change->delivery = (struct delivery_row){ .webhook = save->dropped[save->dropped_count].webhook,
			.event = save->dropped[save->dropped_count].event };
	}
}

/* False: there is no room for all. */
static bool add_deliveries(struct save *save, struct webhook *webhook)
{
	struct webhook_change *change;

	for (struct delivery *at = webhook->deliveries; at != NULL; at = at->next) {
		if (!at->dirty)
			continue;
		change = add_change(save, WEBHOOK_DELIVERY);
		if (change == NULL)
			return false;
		change->delivery = (struct delivery_row){ .webhook = webhook->number,
			.event = at->event,
			.sequence = at->sequence,
			.attempts = at->attempts,
			.first_ms = at->first_ms,
			.due_ms = at->due_ms,
			.parked = at->parked,
			.status = at->status,
			.problem = at->problem[0] != '\0' ? memory_copy_text(at->problem) : NULL };
		at->dirty = false;
	}
	return true;
}

/* False: there is no room for it. */
static bool add_cursor(struct save *save, struct webhook *webhook)
{
	int64_t cursor = delivery_queue_cursor(webhook);
	struct webhook_change *change;

	if (cursor == webhook->cursor)
		return true;
	change = add_change(save, WEBHOOK_CURSOR);
	if (change == NULL)
		return false;
	change->webhook = (struct webhook_row){ .number = webhook->number, .cursor = cursor };
	webhook->cursor = cursor;
	return true;
}

/* What the answers of other hosts say of it: not more often than somebody would look. */
static bool add_news(struct save *save, struct webhook *webhook)
{
	int64_t now_ns = clock_monotonic_ns();
	struct webhook_change *change;
	struct buffer news;

	if (!save->webhooks->shared || !webhook->news || (!webhook->leaving && now_ns - webhook->told_ns < NEWS_NS))
		return true;
	change = add_change(save, WEBHOOK_NEWS);
	if (change == NULL)
		return false;
	buffer_init(&news, NEWS_BYTES);
	webhook_news_write(webhook, &news);
	change->webhook = (struct webhook_row){ .number = webhook->number, .news = buffer_take(&news) };
	webhook->told_ns = now_ns;
	webhook->news = false;
	return true;
}

/* All is written, and nothing is under way. */
static void add_leaving(struct save *save, struct webhook *webhook)
{
	struct webhook_change *change;

	if (!webhook->leaving || webhook->under_way > 0 || save->dropped_count > 0)
		return;
	change = add_change(save, WEBHOOK_LEAVE);
	if (change == NULL)
		return;
	change->webhook = (struct webhook_row){ .number = webhook->number };
	webhook->given = true;
}

/* A place moves on only with every row that it leaves behind, in the same commit. */
static void add_webhook(struct save *save, struct webhook *webhook)
{
	if (webhook->leaving && webhook->under_way == 0)
		delivery_queue_store_all(webhook);
	if (!webhook->removed && add_deliveries(save, webhook) && add_cursor(save, webhook) && add_news(save, webhook))
		add_leaving(save, webhook);
}

static void gather(struct save *save)
{
	pthread_mutex_lock(&save->webhooks->lock);
	add_dropped(save);
	for (struct webhook *webhook = save->webhooks->list; webhook != NULL; webhook = webhook->next)
		add_webhook(save, webhook);
	pthread_mutex_unlock(&save->webhooks->lock);
}

/* They are other hosts' now. */
static void forget_given(struct webhooks_out *webhooks)
{
	pthread_mutex_lock(&webhooks->lock);
	for (struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next)
		webhook->removed = webhook->removed || webhook->given;
	pthread_mutex_unlock(&webhooks->lock);
}

/* Store thread. */
static void on_batch_written(struct store_write *write)
{
	struct save *save = (struct save *)(void *)((char *)write - offsetof(struct save, write));

	atomic_store(&save->under_way, false);
	loop_wake(save->webhooks->loop);
}

static void put_batch(struct save *save)
{
	save->write = (struct store_write){ .kind = STORE_WEBHOOKS,
		.webhook_changes = save->changes,
		.webhook_change_count = save->count,
		.done = on_batch_written };
	save->write.outcome = STORE_FAILED;
	atomic_store(&save->under_way, true);
	if (task_store_put(save->webhooks->store, &save->write) != ERROR_NONE)
		atomic_store(&save->under_way, false);
}

/* Looks at how the last write ended. */
static void conclude_batch(struct save *save)
{
	if (save->count == 0)
		return;
	save->again = save->write.outcome != STORE_WRITTEN;
	if (!save->again) {
		clear_changes(save);
		forget_given(save->webhooks);
	} else if (!save->troubled)
		log_message(
			LOG_WARN, "hook.save", "cannot store what was delivered, trying again: %s", save->write.error.message);
	save->troubled = save->again;
}

int64_t save_run(struct save *save, int64_t now_ms, bool at_once)
{
	int64_t pause_ms = save->again ? RETRY_MS : LIMIT_WEBHOOK_OUT_SAVE_MS;
	int64_t now_ns = clock_monotonic_ns(), since_ms = (now_ns - save->last_ns) / 1000000;

	if (atomic_load(&save->under_way))
		return INT64_MAX;
	conclude_batch(save);
	if (!at_once && since_ms < pause_ms)
		return now_ms + pause_ms - since_ms;
	save->last_ns = now_ns;
	if (!save->again)
		gather(save);
	if (save->count > 0)
		put_batch(save);
	return save->again ? now_ms + RETRY_MS : INT64_MAX;
}

bool save_is_idle(struct save *save)
{
	return !atomic_load(&save->under_way);
}

bool save_is_settled(struct save *save)
{
	return save_is_idle(save) && save->count == 0;
}

void save_forget(struct save *save)
{
	save->dropped_count = 0;
}
