/* store.c - the registry's front: the queue of writes and the thread that empties it.
 *
 * Owns the store thread, its queue (one mutex, held for some instructions only) and, through writes.c, upkeep.c and reads.c, the
 * database. The thread takes all that waits and commits it at once, so the busier the host, the cheaper a row. It calls `done`
 * with no lock held. Refuses writes beyond LIMIT_STORE_QUEUE, and any after the store began to close. */
#include "registry/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/histogram.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "base/thread.h"
#include "registry/kept_rows.h"
#include "registry/ledger_audit.h"
#include "registry/reads.h"
#include "registry/sources.h"
#include "registry/upkeep.h"
#include "registry/writes.h"

#define GATHER_NS 5000000 /* rows of dry runs are given so long to become many */
#define GAP_NS 200000	  /* one that was begun is whole after less, as a rule */

/* What the store's thread does while it has nothing to do. */
enum store_sleep {
	STORE_AWAKE = 0,
	STORE_GATHERS, /* rows that are kept become more: it is woken when they are many, */
	STORE_SLEEPS,  /* and here by the first */
};

/* Who is told of what was written. Set before anything is. */
struct listener {
	void (*events)(void *context, int64_t newest);
	void *events_context;
	void (*fenced)(void *context, int64_t run);
	void *fenced_context;
	void (*moved)(void *context);
	void *moved_context;
};

struct task_store {
	struct database_place *place;
	struct sources sources;
	struct writer writer; /* store thread */
	struct kept_rows kept;
	struct upkeep upkeep; /* store thread */
	struct reads reads;
	struct ledger_audit audit;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	struct store_write *first;
	struct store_write **last;
	size_t waiting;
	int keep_days;
	int64_t run; /* of this host, in whose name it writes */
	bool asleep;
	_Atomic int sleep;	/* enum store_sleep: who keeps a row reads it without the lock */
	pthread_cond_t carried; /* some more of the rows that were kept are in the database, or cannot be */
	int settling;		/* readers who wait for that */
	bool stopping;
	_Atomic int64_t newest_event; /* of those that are committed */
	struct listener listener;
	_Atomic int64_t writing_since_ns; /* 0: it writes nothing now */
	_Atomic uint64_t commit_times[HISTOGRAM_COUNTERS];
	bool failing;		     /* the last write failed for the database's sake, and since then none succeeded */
	_Atomic bool away;	     /* for its server cannot be reached */
	_Atomic bool readers_wanted; /* connections for reading are gone */
	char failure[256];
	int64_t probe_ns; /* store thread: when to try whether it works again, */
	int64_t carry_ns; /* and whether the rows that were kept can be carried */
	struct store_write acceptance;
};

/* ---- the queue ---- */

/* Under the lock: must the store's thread be woken? Then by wake_store(), without it: it takes the lock first of all. */
static bool has_to_wake(struct task_store *store)
{
	bool asleep = store->asleep;

	store->asleep = false;
	return asleep;
}

static void wake_store(struct task_store *store)
{
	pthread_cond_signal(&store->wake);
}

bool task_store_is_away(const struct task_store *store)
{
	int64_t since_ns = atomic_load_explicit(&store->writing_since_ns, memory_order_relaxed);

	if (!store->writer.shared)
		return false;
	return atomic_load_explicit(&store->away, memory_order_relaxed) ||
	       (since_ns != 0 && clock_monotonic_ns() - since_ns > LIMIT_STORE_AWAY_MS * 1000000LL);
}

/* What is refused while the server is away was not begun: its caller can say no at once, where a full queue would be waited for in vain. */
static enum error_code check_room(const struct task_store *store, struct error *error)
{
	if (task_store_is_away(store))
		return error_set(error, ERROR_BUSY, "", "the registry cannot be reached; try again later");
	if (store->stopping)
		return error_set(error, ERROR_BUSY, "", "the host is stopping");
	if (store->waiting >= LIMIT_STORE_QUEUE)
		return error_set(error, ERROR_BUSY, "", "%zu jobs are waiting to be stored; try again later", store->waiting);
	return ERROR_NONE;
}

enum error_code task_store_put(struct task_store *store, struct store_write *write)
{
	enum error_code code;
	bool asleep = false;

	write->next = NULL;
	pthread_mutex_lock(&store->lock);
	code = check_room(store, &write->error);
	if (code == ERROR_NONE) {
		*store->last = write;
		store->last = &write->next;
		store->waiting++;
		asleep = has_to_wake(store);
	}
	pthread_mutex_unlock(&store->lock);
	if (asleep)
		wake_store(store);
	return code;
}

/* Any thread, without the lock. */
static void rouse_store(struct task_store *store)
{
	bool asleep;

	pthread_mutex_lock(&store->lock);
	asleep = has_to_wake(store);
	pthread_mutex_unlock(&store->lock);
	if (asleep)
		wake_store(store);
}

/* While the store's thread works, or gathers, no system call is made. */
bool task_store_keep(struct task_store *store, const struct store_write *write)
{
	int sleep;

	if (!kept_rows_add(&store->kept, &store->writer, write))
		return false;
	sleep = atomic_load(&store->sleep);
	if (sleep == STORE_AWAKE || (sleep == STORE_GATHERS && !kept_rows_press(&store->kept)))
		return true;
	if (atomic_compare_exchange_strong(&store->sleep, &sleep, STORE_AWAKE))
		rouse_store(store);
	return true;
}

static bool is_carried(const struct task_store *store, uint64_t count)
{
	return kept_rows_carried(&store->kept) >= count;
}

void store_settle(struct task_store *store)
{
	uint64_t count = kept_rows_count(&store->kept);
	struct timespec until;
	bool late = false;

	if (is_carried(store, count))
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_RING_WAIT_MS / 1000;
	pthread_mutex_lock(&store->lock);
	store->settling++;
	while (!is_carried(store, count) && !atomic_load(&store->kept.failing) && !late) {
		if (has_to_wake(store))
			wake_store(store);
		late = pthread_cond_timedwait(&store->carried, &store->lock, &until) != 0;
	}
	store->settling--;
	pthread_mutex_unlock(&store->lock);
}

bool store_find_kept(
	struct task_store *store, const struct id *id, void (*visit)(void *context, const struct task *task), void *context)
{
	return kept_rows_find(&store->kept, id, visit, context);
}

bool task_store_withdraw(struct task_store *store, struct store_write *write)
{
	struct store_write **link;
	bool found;

	pthread_mutex_lock(&store->lock);
	for (link = &store->first; *link != NULL && *link != write; link = &(*link)->next)
		;
	found = *link != NULL;
	if (found) {
		*link = write->next;
		if (write->next == NULL)
			store->last = link;
		store->waiting--;
	}
	pthread_mutex_unlock(&store->lock);
	return found;
}

void task_store_on_events(struct task_store *store, void (*notify)(void *context, int64_t newest), void *context)
{
	pthread_mutex_lock(&store->lock);
	store->listener.events = notify;
	store->listener.events_context = context;
	pthread_mutex_unlock(&store->lock);
}

void task_store_set_cleaner(struct task_store *store, struct cleaner cleaner)
{
	pthread_mutex_lock(&store->lock);
	store->writer.cleaner = cleaner;
	pthread_mutex_unlock(&store->lock);
}

void task_store_counts(struct task_store *store,
	void (*visit)(void *context, const char *kind, const char *provider, enum task_status status, uint64_t count),
	void *context)
{
	const struct source *source;
	uint64_t count;

	store_settle(store);
	for (int number = 1; (source = sources_get(&store->sources, number)) != NULL; number++) {
		for (int status = 0; status < TASK_STATUSES; status++) {
			count = atomic_load_explicit(&source->became[status], memory_order_relaxed);
			if (count > 0)
				visit(context, source->kind, source->provider, (enum task_status)status, count);
		}
	}
}

uint64_t task_store_budget_differences(struct task_store *store)
{
	return atomic_load_explicit(&store->audit.differences, memory_order_relaxed);
}

size_t task_store_backlog(struct task_store *store)
{
	size_t waiting;

	pthread_mutex_lock(&store->lock);
	waiting = store->waiting;
	pthread_mutex_unlock(&store->lock);
	return waiting;
}

void task_store_set_keep_days(struct task_store *store, int keep_days)
{
	bool asleep;

	pthread_mutex_lock(&store->lock);
	store->keep_days = keep_days < 1 ? 1 : keep_days;
	asleep = has_to_wake(store);
	pthread_mutex_unlock(&store->lock);
	if (asleep)
		wake_store(store);
}

const struct database_place *task_store_place(const struct task_store *store)
{
	return store->place;
}

void task_store_set_run(struct task_store *store, int64_t run)
{
	bool asleep;

	pthread_mutex_lock(&store->lock);
	store->run = run;
	asleep = has_to_wake(store);
	pthread_mutex_unlock(&store->lock);
	if (asleep)
		wake_store(store);
}

void task_store_on_fenced(struct task_store *store, void (*fenced)(void *context, int64_t run), void *context)
{
	pthread_mutex_lock(&store->lock);
	store->listener.fenced = fenced;
	store->listener.fenced_context = context;
	pthread_mutex_unlock(&store->lock);
}

void task_store_on_moved(struct task_store *store, void (*moved)(void *context), void *context)
{
	pthread_mutex_lock(&store->lock);
	store->listener.moved = moved;
	store->listener.moved_context = context;
	pthread_mutex_unlock(&store->lock);
}

int64_t task_store_newest_event(struct task_store *store)
{
	store_settle(store);
	return atomic_load_explicit(&store->newest_event, memory_order_acquire);
}

/* Numbers only grow, whoever tells them. False: it was known already. */
static bool raise_newest(struct task_store *store, int64_t newest)
{
	int64_t known = atomic_load_explicit(&store->newest_event, memory_order_acquire);

	while (known < newest && !atomic_compare_exchange_weak_explicit(
					 &store->newest_event, &known, newest, memory_order_acq_rel, memory_order_acquire))
		;
	return known < newest;
}

void task_store_hear(struct task_store *store, int64_t newest)
{
	struct listener listener;

	if (!raise_newest(store, newest))
		return;
	pthread_mutex_lock(&store->lock);
	listener = store->listener;
	pthread_mutex_unlock(&store->lock);
	if (listener.events != NULL)
		listener.events(listener.events_context, newest);
}

struct reads *store_reads(struct task_store *store)
{
	return &store->reads;
}

/* ---- the store thread ---- */

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
	return !is_carried(store, kept_rows_count(&store->kept));
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

/* Any thread. */
static void note_wanted_reader(void *context)
{
	struct task_store *store = context;

	if (!atomic_exchange(&store->readers_wanted, true))
		rouse_store(store);
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

void task_store_commit_times(struct task_store *store, uint64_t values[HISTOGRAM_COUNTERS])
{
	for (int i = 0; i < HISTOGRAM_COUNTERS; i++)
		values[i] = atomic_load_explicit(&store->commit_times[i], memory_order_relaxed);
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
	raise_newest(store, store->writer.newest_event);
	pthread_mutex_lock(&store->lock);
	if (store->settling > 0)
		pthread_cond_broadcast(&store->carried);
	pthread_mutex_unlock(&store->lock);
	return true;
}

bool task_store_problem(struct task_store *store, char *text, size_t size)
{
	int64_t since_ns = atomic_load_explicit(&store->writing_since_ns, memory_order_relaxed);
	int64_t took_ms = since_ns != 0 ? (clock_monotonic_ns() - since_ns) / 1000000 : 0;
	bool failing;

	pthread_mutex_lock(&store->lock);
	failing = store->failing || atomic_load(&store->kept.failing);
	if (failing)
		snprintf(text, size, "the registry cannot be written: %s", store->failure);
	pthread_mutex_unlock(&store->lock);
	if (failing || (took_ms <= LIMIT_STORE_SLOW_MS && !task_store_is_away(store)))
		return failing;
	snprintf(text, size, "the registry has been writing for %lld s", (long long)took_ms / 1000);
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
		raise_newest(store, store->writer.newest_event);
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

static void *store_main(void *argument)
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

/* ---- open and close ---- */

static void make_queue(struct task_store *store, int keep_days)
{
	pthread_mutex_init(&store->lock, NULL);
	thread_init_condition(&store->wake);
	thread_init_condition(&store->carried);
	store->last = &store->first;
	store->keep_days = keep_days < 1 ? 1 : keep_days;
	store->probe_ns = INT64_MAX;
}

enum error_code task_store_open(const char *home, const char *url, int keep_days, struct task_store **store, struct error *error)
{
	struct task_store *new = memory_new(sizeof *new);
	enum error_code code;

	make_queue(new, keep_days);
	sources_init(&new->sources);
	code = database_find(home, url, &new->place, error);
	if (code == ERROR_NONE)
		code = writer_open(&new->writer, new->place, &new->sources, error);
	if (code == ERROR_NONE) {
		kept_rows_open(&new->kept, &new->writer);
		code = upkeep_open(&new->upkeep, &new->writer, new->keep_days, error);
	}
	if (code == ERROR_NONE)
		code = reads_open(&new->reads, new->place, &new->sources, error);
	atomic_store(&new->newest_event, new->writer.newest_event);
	reads_on_wanted(&new->reads, note_wanted_reader, new);
	if (code == ERROR_NONE)
		code = thread_start(&new->thread, "store", 0, store_main, new, error);
	new->started = code == ERROR_NONE;
	if (code == ERROR_NONE)
		code = ledger_audit_open(&new->audit, new, error);
	if (code != ERROR_NONE) {
		task_store_close(new);
		return code;
	}
	*store = new;
	return ERROR_NONE;
}

/* The writer is closed last: SQLite then carries its log over and removes it, and one file remains. */
void task_store_close(struct task_store *store)
{
	if (store == NULL)
		return;
	kept_rows_stop(&store->kept);
	if (store->started) {
		pthread_mutex_lock(&store->lock);
		store->stopping = true;
		atomic_store(&store->writer.leaving, true);
		has_to_wake(store);
		pthread_mutex_unlock(&store->lock);
		wake_store(store);
		pthread_join(store->thread, NULL);
	}
	ledger_audit_close(&store->audit); /* the writes that it may wait for are done */
	reads_close(&store->reads);
	upkeep_close(&store->upkeep);
	kept_rows_close(&store->kept, &store->writer);
	writer_close(&store->writer);
	sources_free(&store->sources);
	pthread_cond_destroy(&store->carried);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	database_place_free(store->place);
	free(store);
}

bool task_store_is_shared(const struct task_store *store)
{
	return database_is_shared(store->place);
}

/* ---- an older copy ---- */

bool task_store_is_older(const struct task_store *store)
{
	return store->writer.paid_beside > store->writer.paid;
}

static void accepted(struct store_write *write)
{
	if (write->outcome != STORE_WRITTEN)
		log_message(LOG_ERROR, "registry.restored", "the next start takes the registry for an older copy again: %s",
			write->error.message);
}

void task_store_accept(struct task_store *store)
{
	store->acceptance = (struct store_write){ .kind = STORE_ACCEPT, .durable = true, .done = accepted };
	if (task_store_put(store, &store->acceptance) != ERROR_NONE)
		log_message(LOG_ERROR, "registry.restored", "%s", store->acceptance.error.message);
}
