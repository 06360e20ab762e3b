/* store_thread.c - the registry's thread: takes all that waits and commits it at once, so the busier the host, the cheaper a row. It carries over what
 * was kept in the ring, looks after old rows and lost connections, and calls `done` with no lock held. */
#include "registry/store_parts.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/test_setting.h"

#define GATHER_NS 5000000 /* rows of dry runs are given so long to become many */
#define GAP_NS 200000	  /* one that was begun is whole after less, as a rule */

static void sleep_until_woken(struct task_store *store, int64_t wait_ns)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(wait_ns / 1000000000);
	until.tv_nsec += (long)(wait_ns % 1000000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	store->asleep = true;
	while (store->asleep && pthread_cond_timedwait(&store->wake, &store->lock, &until) == 0)
		;
	store->asleep = false;
}

static bool has_kept(const struct task_store *store)
{
	return !store_has_carried(store, kept_rows_count(&store->kept));
}

/* Who keeps a row either sees how it sleeps, or is seen here. */
static void sleep_as(struct task_store *store, enum store_sleep sleep, int64_t wait_ns)
{
	atomic_store(&store->sleep, (int)sleep);
	if (sleep != STORE_SLEEPS || atomic_load(&store->kept.failing) || !has_kept(store))
		sleep_until_woken(store, wait_ns);
	atomic_store(&store->sleep, STORE_AWAKE);
}

/* A row that is kept has been answered for: it can wait for others, unless somebody reads or writes. */
static void gather_rows(struct task_store *store)
{
	int64_t until_ns = clock_monotonic_ns() + GATHER_NS, left_ns = GATHER_NS;

	while (store->waiting == 0 && store->settling == 0 && !store->stopping && !kept_rows_press(&store->kept) && left_ns > 0) {
		sleep_as(store, STORE_GATHERS, left_ns);
		left_ns = until_ns - clock_monotonic_ns();
	}
	if (store->waiting == 0 && !kept_rows_ready(&store->kept))
		sleep_as(store, STORE_GATHERS, GAP_NS);
}

static void await_work(struct task_store *store, int64_t wait_ns)
{
	if (atomic_load(&store->kept.failing) || !has_kept(store))
		sleep_as(store, STORE_SLEEPS, wait_ns);
	if (!atomic_load(&store->kept.failing) && has_kept(store))
		gather_rows(store);
}

/* The write belongs to its owner again as soon as `done` is called: what is needed of it is read before. */
static void finish_writes(struct store_write *writes)
{
	struct store_write *next;

	for (; writes != NULL; writes = next) {
		next = writes->next;
		writes->done(writes);
	}
}

/* Those who look after the hosts read it in the log: it begins once, and ends once. */
static void note_away(struct task_store *store, bool away)
{
	if (atomic_exchange(&store->away, away) == away)
		return;
	if (away)
		log_message(LOG_ERROR, "registry.away", "nothing can be registered until it is back: %s",
			store->writer.failure.message);
	else
		log_message(LOG_WARN, "registry.back", "the registry can be reached again");
}

static void note_health(struct task_store *store, bool works)
{
	int64_t pause_ms;

	/* a connection that lacked memory is made anew by the next group */
	note_away(store, !works && store->writer.shared && store->writer.failure.code != ERROR_MEMORY &&
				 !database_is_connected(store->writer.db));
	if (works && !store->failing)
		return;
	pthread_mutex_lock(&store->lock);
	if (!works)
		snprintf(store->failure, sizeof store->failure, "%.255s", store->writer.failure.message);
	store->failing = !works;
	pthread_mutex_unlock(&store->lock);
	pause_ms = atomic_load(&store->away) ? LIMIT_STORE_MEND_MS : LIMIT_STORE_PROBE_MS;
	store->probe_ns = works ? INT64_MAX : clock_monotonic_ns() + pause_ms * 1000000LL;
}

/* Where the writer's connection is gone too, that one is tried first. */
static void mend_readers(struct task_store *store)
{
	if (!atomic_load(&store->away) && atomic_load(&store->readers_wanted) && atomic_exchange(&store->readers_wanted, false))
		reads_mend(&store->reads); /* one that cannot be says so again */
}

/* How long it may sleep with what it has to try again. */
static int64_t retry_wait_ns(const struct task_store *store, int64_t wait_ns)
{
	bool mends = atomic_load(&store->away) || atomic_load(&store->readers_wanted);
	bool tries = mends || store->probe_ns != INT64_MAX || atomic_load(&store->kept.failing);
	int64_t most_ns = (mends ? LIMIT_STORE_MEND_MS : LIMIT_STORE_PROBE_MS) * 1000000LL;

	return tries && wait_ns > most_ns ? most_ns : wait_ns;
}

/* While nobody is served for it, nobody writes: so it is tried whether writing works again. */
static void probe(struct task_store *store)
{
	if (clock_monotonic_ns() >= store->probe_ns)
		note_health(store, writer_probe(&store->writer));
}

/* No other thread counts here. */
static void count_time(struct task_store *store, int64_t took_ns)
{
	int64_t took_us = took_ns / 1000;
	_Atomic uint64_t *bucket = &store->commit_times[histogram_bucket(took_us)],
			 *sum = &store->commit_times[HISTOGRAM_BUCKETS];

	atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + (uint64_t)took_us, memory_order_relaxed);
}

static void write_group(struct task_store *store, struct store_write *writes)
{
	int64_t began_ns = clock_monotonic_ns();

	atomic_store_explicit(&store->writing_since_ns, began_ns, memory_order_relaxed);
	if (writes->kind != STORE_SETTING && writes->kind != STORE_HOST) /* a host that starts waits for those */
		test_stall("store", "commit");
	note_health(store, writer_group(&store->writer, writes));
	count_time(store, clock_monotonic_ns() - began_ns);
	atomic_store_explicit(&store->writing_since_ns, 0, memory_order_relaxed);
}

/* What was kept goes before what comes now, whose events are younger. False: there was nothing, or nothing comes and it was tried lately. */
static bool carry_rows(struct task_store *store, bool idle)
{
	int64_t began_ns = clock_monotonic_ns();

	if (!kept_rows_ready(&store->kept) || (idle && atomic_load(&store->kept.failing) && began_ns < store->carry_ns))
		return false;
	atomic_store_explicit(&store->writing_since_ns, began_ns, memory_order_relaxed);
	note_health(store, kept_rows_carry(&store->kept, &store->writer));
	count_time(store, clock_monotonic_ns() - began_ns);
	atomic_store_explicit(&store->writing_since_ns, 0, memory_order_relaxed);
	store->carry_ns = began_ns + LIMIT_STORE_PROBE_MS * 1000000LL;
	store_raise_newest(store, store->writer.newest_event);
	pthread_mutex_lock(&store->lock);
	if (store->settling > 0)
		pthread_cond_broadcast(&store->carried);
	pthread_mutex_unlock(&store->lock);
	return true;
}

/* Before anybody is told of the commit: who has its money reserved finds it so. */
static void note_budgets(struct task_store *store)
{
	if (!store->writer.budgets.changed)
		return;
	store->writer.budgets.changed = false;
	budget_cache_outdate(&store->reads.budgets);
}

/* Takes all that waits and writes it. Called and left with the lock held, released in between. */
static void write_waiting(struct task_store *store)
{
	struct store_write *writes = store->first;
	bool idle = store->waiting == 0, carried;
	int64_t newest_event = store->writer.newest_event;
	int keep_days = store->keep_days;
	int64_t run = store->run;
	struct listener listener = store->listener;

	store->first = NULL;
	store->last = &store->first;
	store->waiting = 0;
	pthread_mutex_unlock(&store->lock);
	if (run != store->writer.run)
		writer_set_run(&store->writer, run);
	carried = carry_rows(store, idle);
	if (!idle) {
		write_group(store, writes);
		note_budgets(store);
		store_raise_newest(store, store->writer.newest_event);
		finish_writes(writes);
	}
	if (listener.events != NULL && store->writer.newest_event != newest_event)
		listener.events(listener.events_context, store->writer.newest_event);
	upkeep_keep_days(&store->upkeep, keep_days);
	probe(store);
	mend_readers(store);
	upkeep_run(&store->upkeep, idle && !carried);
	note_budgets(store);
	if (store->writer.moved && listener.moved != NULL)
		listener.moved(listener.moved_context);
	store->writer.moved = false;
	if (listener.fenced != NULL && run != 0 && database_is_fenced(store->writer.db))
		listener.fenced(listener.fenced_context, run);
	pthread_mutex_lock(&store->lock);
}

void *store_main(void *argument)
{
	struct task_store *store = argument;
	int64_t wait;

	pthread_mutex_lock(&store->lock);
	while (!store->stopping || store->waiting > 0 || (has_kept(store) && !atomic_load(&store->kept.failing))) {
		wait = retry_wait_ns(store, upkeep_wait_ns(&store->upkeep));
		if (store->waiting == 0 && store->keep_days == store->upkeep.keep_days && store->run == store->writer.run &&
			wait > 0)
			await_work(store, wait);
		write_waiting(store);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}
