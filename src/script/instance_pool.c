/* instance_pool.c - hands out instances. One lock a provider, held for some instructions; instances are made without it. */
#include "script/instance_pool.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"
#include "script/call.h"
#include "script/provider.h"

/* It stays the pool's: who wakes one does so without the lock, so that it finds the lock free; by then the call may be over, and another wait there. */
struct instance_waiter {
	struct instance_waiter *next;
	sem_t wake; /* tells that something may have changed, no more */
	bool woken;
	int64_t since_ns;
	struct script_instance *given; /* it has left the queue with it */
};

void instance_pool_open(struct instance_pool *pool)
{
	long usual = LIMIT_SCRIPT_INSTANCES_PER_CORE * sysconf(_SC_NPROCESSORS_ONLN);

	pthread_mutex_init(&pool->lock, NULL);
	pool->last = &pool->first;
	thread_init_condition(&pool->turn_over);
	pool->usual = usual > LIMIT_SCRIPT_INSTANCES ? LIMIT_SCRIPT_INSTANCES : (int)usual;
}

void instance_pool_close(struct provider *provider)
{
	struct instance_pool *pool = &provider->pool;
	struct instance_waiter *waiter;

	for (int i = 0; i < pool->count; i++)
		instance_free(provider, pool->made[i]);
	while ((waiter = pool->spare) != NULL) {
		pool->spare = waiter->next;
		sem_destroy(&waiter->wake);
		free(waiter);
	}
	pthread_cond_destroy(&pool->turn_over);
	pthread_mutex_destroy(&pool->lock);
}

/* ---- under the lock ---- */

static bool may_make(const struct instance_pool *pool)
{
	return pool->count < LIMIT_SCRIPT_INSTANCES && (pool->count < pool->usual || pool->count - pool->slow < pool->usual);
}

static void forget_made(struct instance_pool *pool, const struct script_instance *instance)
{
	int i = 0;

	while (pool->made[i] != instance)
		i++;
	pool->made[i] = pool->made[--pool->count];
}

/* ---- taking one ---- */

/* Called and left with the lock; its place is NULL until it is there. */
static enum error_code make_one(struct provider *provider, struct script_instance **instance, struct error *error)
{
	struct instance_pool *pool = &provider->pool;
	enum error_code code;
	int place = 0;

	*instance = NULL;
	pool->made[pool->count++] = NULL;
	pthread_mutex_unlock(&pool->lock);
	code = instance_load(provider, true, NULL, instance, error);
	pthread_mutex_lock(&pool->lock);
	while (pool->made[place] != NULL)
		place++;
	pool->made[place] = *instance;
	if (code != ERROR_NONE)
		pool->made[place] = pool->made[--pool->count];
	return code;
}

/* ---- waiting ---- */

/* A call on its way. */
struct running {
	struct provider *provider;
	const struct instance_patience *patience;
	struct error *error;
	struct script_instance *instance;
	struct script_turn turn;
	bool slow, has_turn;
	int64_t look_ns; /* when its patience is asked next */
};

static void begin_waiting(struct running *running)
{
	running->look_ns = clock_monotonic_ns() + LIMIT_CALL_LOOK_MS * 1000000LL;
	if (running->patience->deadline_ns < running->look_ns)
		running->look_ns = running->patience->deadline_ns;
	instance_watch_wait(running->provider->watch, true);
}

/* With the lock, which it gives back while it asks. */
static bool loses_patience(struct running *running, bool its_turn)
{
	const struct instance_patience *patience = running->patience;
	pthread_mutex_t *lock = &running->provider->pool.lock;
	int64_t now_ns = clock_monotonic_ns();
	const char *why = "the host did not get to this call in time";

	if (now_ns < running->look_ns && !its_turn)
		return false;
	running->look_ns = now_ns + LIMIT_CALL_LOOK_MS * 1000000LL;
	if (patience->deadline_ns < running->look_ns)
		running->look_ns = patience->deadline_ns;
	pthread_mutex_unlock(lock);
	if (now_ns < patience->deadline_ns)
		why = patience->over(patience->context, its_turn);
	pthread_mutex_lock(lock);
	if (why != NULL)
		error_set(running->error, ERROR_BUSY, NULL, "%s", why);
	return why != NULL;
}

/* With the lock, which is given back for a moment: for who tells of nothing, such as a call that turns out to be slow, it looks again soon. */
static void wait_a_moment(struct instance_pool *pool, pthread_cond_t *condition)
{
	int64_t until_ns = clock_monotonic_ns() + LIMIT_SCRIPT_SLICE_MS * 1000000LL;
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	pthread_cond_timedwait(condition, &pool->lock, &until);
}

/* ---- the calls that wait, under the lock ---- */

static struct instance_waiter *enqueue(struct instance_pool *pool)
{
	struct instance_waiter *waiter = pool->spare;

	if (waiter != NULL) {
		pool->spare = waiter->next;
	} else {
		waiter = memory_new(sizeof *waiter);
		sem_init(&waiter->wake, 0, 0);
	}
	waiter->next = NULL;
	waiter->woken = false;
	waiter->given = NULL;
	waiter->since_ns = clock_monotonic_ns();
	*pool->last = waiter;
	pool->last = &waiter->next;
	pool->waiting++;
	return waiter;
}

static void dequeue(struct instance_pool *pool, struct instance_waiter *waiter)
{
	struct instance_waiter **link = &pool->first;

	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	if (pool->last == &waiter->next)
		pool->last = link;
	pool->waiting--;
}

/* Gives an instance to the first that waits, if that is its right by now; else it is free, and the first is to see whether it gets it. Returns who is to be
 * woken, or NULL. */
static struct instance_waiter *offer(struct instance_pool *pool, struct script_instance *instance, int64_t now_ns)
{
	struct instance_waiter *first = pool->first;

	if (first != NULL && now_ns - first->since_ns >= LIMIT_SCRIPT_PASSED_MS * 1000000LL) {
		dequeue(pool, first);
		first->given = instance;
		return first;
	}
	instance->next = pool->free;
	pool->free = instance;
	if (first == NULL || first->woken)
		return NULL;
	first->woken = true;
	return first;
}

/* Gives the lock back for a moment: for who tells of nothing, such as a call that turns out to be slow, it looks again soon. */
static void wait_to_be_woken(struct instance_pool *pool, struct instance_waiter *waiter)
{
	int64_t until_ns = clock_monotonic_ns() + LIMIT_SCRIPT_SLICE_MS * 1000000LL;
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	pthread_mutex_unlock(&pool->lock);
	sem_clockwait(&waiter->wake, CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&pool->lock);
	waiter->woken = false;
}

/* Until there is an instance, or one may be made. */
static enum instance_end wait_for_one(struct running *running)
{
	struct instance_pool *pool = &running->provider->pool;
	struct instance_waiter *waiter;
	enum instance_end end = INSTANCE_RAN;

	if (pool->waiting >= LIMIT_SCRIPT_QUEUE)
		return INSTANCE_CROWDED;
	begin_waiting(running);
	waiter = enqueue(pool);
	do {
		wait_to_be_woken(pool, waiter);
		if (waiter->given == NULL && pool->free == NULL && loses_patience(running, false) && waiter->given == NULL)
			end = INSTANCE_LATE;
	} while (end == INSTANCE_RAN && waiter->given == NULL && pool->free == NULL && !may_make(pool));
	if (waiter->given == NULL)
		dequeue(pool, waiter);
	running->instance = waiter->given;
	waiter->next = pool->spare;
	pool->spare = waiter;
	instance_watch_wait(running->provider->watch, false);
	return end;
}

/* The script's thread, in the midst of its code (script_turn.await). */
static enum script_stop await_turn(void *context)
{
	struct running *running = context;
	struct instance_pool *pool = &running->provider->pool;
	enum script_stop stop = SCRIPT_RUNNING;
	bool asked = false;

	pthread_mutex_lock(&pool->lock);
	running->slow = true;
	pool->slow++;
	begin_waiting(running);
	while (stop == SCRIPT_RUNNING && (pool->turn_taken || !asked)) {
		asked = !pool->turn_taken;
		if (!asked)
			wait_a_moment(pool, &pool->turn_over);
		watched_beat(&running->instance->watched);
		if (loses_patience(running, asked))
			stop = SCRIPT_STOP_LATE;
	}
	if (provider_rests(running->provider))
		stop = SCRIPT_STOP_RESTS;
	running->has_turn = stop == SCRIPT_RUNNING;
	pool->turn_taken |= running->has_turn;
	instance_watch_wait(running->provider->watch, false);
	pthread_mutex_unlock(&pool->lock);
	return stop;
}

/* ---- the way of a call ---- */

static enum instance_end take_instance(struct running *running)
{
	struct instance_pool *pool = &running->provider->pool;
	enum instance_end end = INSTANCE_RAN;

	pthread_mutex_lock(&pool->lock);
	if (pool->free == NULL && !may_make(pool))
		end = wait_for_one(running);
	if (end != INSTANCE_RAN || running->instance != NULL) {
		; /* it is settled */
	} else if (pool->free != NULL) {
		running->instance = pool->free;
		pool->free = pool->free->next;
	} else if (make_one(running->provider, &running->instance, running->error) != ERROR_NONE) {
		end = INSTANCE_FAILED;
	}
	pthread_mutex_unlock(&pool->lock);
	return end;
}

/* One that was made beside slow calls goes again when they do, and not before: the next call would have to make another one, which costs more than the call. */
static void give_back(struct running *running, int64_t began_ns)
{
	struct provider *provider = running->provider;
	struct instance_pool *pool = &provider->pool;
	struct script_instance *instance = running->instance;
	struct instance_waiter *woken = NULL;
	int64_t now_ns;
	bool wanted;

	pthread_mutex_lock(&pool->lock);
	pool->slow -= running->slow;
	wanted = pool->count - pool->slow <= pool->usual;
	now_ns = pool->waiting > 0 ? clock_monotonic_ns() : 0;
	if (pool->waiting > 0)
		pool->usual_ns += (now_ns - began_ns - pool->usual_ns) / 4;
	if (running->has_turn) {
		pool->turn_taken = false;
		pthread_cond_signal(&pool->turn_over);
	}
	if (wanted)
		woken = offer(pool, instance, now_ns);
	else
		forget_made(pool, instance);
	pthread_mutex_unlock(&pool->lock);
	if (woken != NULL)
		sem_post(&woken->wake);
	if (!wanted)
		instance_free(provider, instance);
}

enum instance_end instance_pool_run(struct script_call *call, const struct instance_patience *patience, struct error *error)
{
	struct running running = { .provider = call->provider, .patience = patience, .error = error };
	enum instance_end end = take_instance(&running);
	int64_t began_ns;

	if (end != INSTANCE_RAN)
		return end;
	running.turn = (struct script_turn){ .await = await_turn, .context = &running };
	call->turn = &running.turn;
	began_ns = instance_run(running.instance, call);
	call->turn = NULL;
	give_back(&running, began_ns);
	return running.turn.answer == SCRIPT_STOP_LATE ? INSTANCE_LATE : INSTANCE_RAN;
}

int instance_pool_wait_seconds(struct instance_pool *pool)
{
	int64_t seconds;

	pthread_mutex_lock(&pool->lock);
	seconds = (pool->waiting + 1) * pool->usual_ns / (pool->count > 0 ? pool->count : 1) / 1000000000 + 1;
	pthread_mutex_unlock(&pool->lock);
	return seconds < LIMIT_RETRY_AFTER_SECONDS ? (int)seconds : LIMIT_RETRY_AFTER_SECONDS;
}
