/* store.c - the registry's front: the queue of writes, and the doors to it.
 *
 * Owns the store's thread (store_thread.c), its queue (one mutex, held for some instructions only) and, through writes.c, upkeep.c and reads.c, the
 * database. Refuses writes beyond LIMIT_STORE_QUEUE, and any after the store began to close. */
#include "registry/store_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

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

bool store_has_carried(const struct task_store *store, uint64_t count)
{
	return kept_rows_carried(&store->kept) >= count;
}

void store_settle(struct task_store *store)
{
	uint64_t count = kept_rows_count(&store->kept);
	struct timespec until;
	bool late = false;

	if (store_has_carried(store, count))
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_RING_WAIT_MS / 1000;
	pthread_mutex_lock(&store->lock);
	store->settling++;
	while (!store_has_carried(store, count) && !atomic_load(&store->kept.failing) && !late) {
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

bool store_raise_newest(struct task_store *store, int64_t newest)
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

	if (!store_raise_newest(store, newest))
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

/* ---- how it stands ---- */

void task_store_commit_times(struct task_store *store, uint64_t values[HISTOGRAM_COUNTERS])
{
	for (int i = 0; i < HISTOGRAM_COUNTERS; i++)
		values[i] = atomic_load_explicit(&store->commit_times[i], memory_order_relaxed);
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

/* ---- open and close ---- */

/* Any thread. */
static void note_wanted_reader(void *context)
{
	struct task_store *store = context;

	if (!atomic_exchange(&store->readers_wanted, true))
		rouse_store(store);
}

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
