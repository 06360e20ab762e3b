/* orphan_hold.c - the list of holds. Any thread; the lock is held for a walk along the list. */
#include "openai/orphan_hold.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

struct orphans *orphans_new(void)
{
	struct orphans *orphans = memory_new(sizeof *orphans);

	pthread_mutex_init(&orphans->lock, NULL);
	thread_init_condition(&orphans->changed);
	orphans->offset_ms = clock_unix_ms() - clock_monotonic_ns() / 1000000;
	return orphans;
}

void orphans_free(struct orphans *orphans)
{
	struct orphan_hold *hold;

	if (orphans == NULL)
		return;
	while ((hold = orphans->first) != NULL) {
		orphans->first = hold->next;
		free(hold);
	}
	pthread_cond_destroy(&orphans->changed);
	pthread_mutex_destroy(&orphans->lock);
	free(orphans);
}

int64_t orphans_now_ms(const struct orphans *orphans)
{
	return orphans->offset_ms + clock_monotonic_ns() / 1000000;
}

static void orphans_changed(struct orphans *orphans)
{
	if (orphans->waiters > 0)
		pthread_cond_broadcast(&orphans->changed);
}

void orphans_await(struct orphans *orphans, int64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = (long)(until_ns % 1000000000) };

	orphans->waiters++;
	pthread_cond_timedwait(&orphans->changed, &orphans->lock, &until);
	orphans->waiters--;
}

static struct orphan_hold *make_hold(struct orphans *orphans, const unsigned char *fingerprint)
{
	struct orphan_hold *hold = memory_new(sizeof *hold);

	hold->orphans = orphans;
	hold->socket = -1;
	hold->listed = fingerprint != NULL;
	if (hold->listed)
		memcpy(hold->fingerprint, fingerprint, sizeof hold->fingerprint);
	return hold;
}

static void list_hold(struct orphan_hold *hold)
{
	struct orphans *orphans = hold->orphans;

	pthread_mutex_lock(&orphans->lock);
	hold->number = ++orphans->count;
	hold->next = orphans->first;
	orphans->first = hold;
	orphans_changed(orphans);
	pthread_mutex_unlock(&orphans->lock);
}

struct orphan_hold *hold_new(struct orphans *orphans, const unsigned char *fingerprint, enum attempt attempt, int socket)
{
	struct orphan_hold *hold = make_hold(orphans, fingerprint);

	hold->attempt = attempt;
	hold->socket = socket;
	list_hold(hold);
	return hold;
}

/* ---- its end ---- */

static bool is_looked_for(const struct orphans *orphans, const struct orphan_hold *over)
{
	for (const struct orphan_hold *hold = orphans->first; hold != NULL; hold = hold->next)
		if (hold->stage == HOLD_LOOKING && hold->listed &&
			memcmp(hold->fingerprint, over->fingerprint, sizeof over->fingerprint) == 0)
			return true;
	return false;
}

static bool may_go(const struct orphans *orphans, const struct orphan_hold *hold)
{
	return hold->stage == HOLD_OVER && hold->submits == 0 && !hold->being_noted &&
	       (!hold->listed || !hold->has_job || !is_looked_for(orphans, hold));
}

/* Those like this one that nobody needs any more, itself too. Who looks has either read the registry after they were noted there, or finds them here. */
static void sweep(struct orphans *orphans, const unsigned char fingerprint[32])
{
	unsigned char alike[32];
	struct orphan_hold **link = &orphans->first, *hold;

	memcpy(alike, fingerprint, sizeof alike);
	while ((hold = *link) != NULL) {
		if (memcmp(hold->fingerprint, alike, sizeof alike) != 0 || !may_go(orphans, hold)) {
			link = &hold->next;
			continue;
		}
		*link = hold->next;
		free(hold);
	}
}

void hold_set_stage(struct orphan_hold *hold, enum hold_stage stage)
{
	struct orphans *orphans = hold->orphans;
	bool looked = hold->stage == HOLD_LOOKING;

	hold->stage = stage;
	orphans_changed(orphans);
	if (looked || stage == HOLD_OVER)
		sweep(orphans, hold->fingerprint);
}

void hold_go_on(struct orphan_hold *hold, enum hold_stage stage)
{
	struct orphans *orphans = hold->orphans;

	pthread_mutex_lock(&orphans->lock);
	hold_set_stage(hold, stage);
	pthread_mutex_unlock(&orphans->lock);
}

/* Store thread. Where it could not be noted, the job counts as an orphan for a while: the next equal request gets it, and nobody pays. */
static void noted(struct store_write *write)
{
	struct orphan_hold *hold = (struct orphan_hold *)(void *)((char *)write - offsetof(struct orphan_hold, write));
	struct orphans *orphans = hold->orphans;

	pthread_mutex_lock(&orphans->lock);
	hold->being_noted = false;
	sweep(orphans, hold->fingerprint);
	pthread_mutex_unlock(&orphans->lock);
}

static void put_news(struct orphan_hold *hold, struct task_store *store, const struct store_wish_news *news)
{
	struct orphans *orphans = hold->orphans;

	hold->write = (struct store_write){ .kind = STORE_WISH, .task = { .id = hold->job }, .wish_news = *news, .done = noted };
	if (task_store_put(store, &hold->write) == ERROR_NONE)
		return;
	pthread_mutex_lock(&orphans->lock);
	hold->being_noted = false;
	pthread_mutex_unlock(&orphans->lock);
}

void hold_end(struct orphan_hold *hold, struct task_store *store, bool answered, bool forgotten)
{
	struct orphans *orphans = hold->orphans;
	const struct store_wish_news news = { .answered = answered,
		.taken = hold->taken_over,
		.caught_up = hold->caught_up,
		.forgotten = forgotten,
		.at_ms = orphans_now_ms(orphans) };
	bool notes = hold->listed && hold->has_job;

	pthread_mutex_lock(&orphans->lock);
	hold->answered = answered;
	hold->forgotten = forgotten;
	hold->being_noted = notes;
	pthread_mutex_unlock(&orphans->lock);
	if (notes)
		put_news(hold, store, &news);
	hold_go_on(hold, HOLD_OVER);
}

void hold_add_lost(struct orphans *orphans, struct task_store *store, const unsigned char fingerprint[32], const struct id *job)
{
	const struct store_wish_news news = { .lost = true, .at_ms = orphans_now_ms(orphans) };
	struct orphan_hold *hold = make_hold(orphans, fingerprint);

	hold->job = *job;
	hold->names_job = hold->has_job = hold->lost = hold->being_noted = true;
	hold->stage = HOLD_OVER;
	list_hold(hold);
	put_news(hold, store, &news); /* it may be gone by now */
}
