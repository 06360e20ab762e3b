/* pending_call_pool.c - a stack of spare calls, bounded. Any thread; the lock is held for a pointer. */
#include "api/pending_call_pool.h"

#include <stdlib.h>

#include "api/pending_call.h"
#include "base/limits.h"
#include "base/memory.h"

#define SPARES 64
#define SPARE_BUFFER_BYTES 16384

static void pool_wake_group(void *context)
{
	struct pending_call_pool *pool = context;

	eventcount_wake(&pool->eventcount, &pool->committed);
}

struct pending_call_pool *pending_call_pool_new(void)
{
	struct pending_call_pool *pool = memory_new_aligned(_Alignof(struct pending_call_pool), sizeof *pool);

	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

void pending_call_pool_attach(struct pending_call_pool *pool, struct task_store *store)
{
	task_store_on_group(store, pool_wake_group, pool);
}

static void pool_free_call(struct pending_call *pending)
{
	script_call_free(&pending->call.call);
	buffer_free(&pending->answer);
	buffer_free(&pending->row);
	free(pending);
}

void pending_call_pool_free(struct pending_call_pool *pool)
{
	struct pending_call *next;

	if (pool == NULL)
		return;
	for (; pool->first != NULL; pool->first = next) {
		next = pool->first->next_spare;
		pool_free_call(pool->first);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct pending_call *pool_make_call(void)
{
	struct pending_call *pending = memory_new(sizeof *pending);

	pending->texts = (struct buffer_budget){ .limit = SIZE_MAX, .total = script_call_total() };
	buffer_init(&pending->answer, LIMIT_ANSWER_BYTES);
	buffer_init(&pending->row, LIMIT_ROW_BYTES);
	pending->answer.budget = pending->row.budget = &pending->texts;
	script_call_init(&pending->call.call);
	return pending;
}

struct pending_call *pending_call_pool_take(struct pending_call_pool *pool)
{
	struct pending_call *pending;

	pthread_mutex_lock(&pool->lock);
	pending = pool->first;
	if (pending != NULL) {
		pool->first = pending->next_spare;
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return pending != NULL ? pending : pool_make_call();
}

void pending_call_pool_keep(struct pending_call_pool *pool, struct pending_call *pending)
{
	bool kept;

	script_call_clear(&pending->call.call, SPARE_BUFFER_BYTES);
	buffer_reset(&pending->answer, SPARE_BUFFER_BYTES);
	buffer_reset(&pending->row, SPARE_BUFFER_BYTES);
	pthread_mutex_lock(&pool->lock);
	kept = pool->count < SPARES;
	if (kept) {
		pending->next_spare = pool->first;
		pool->first = pending;
		pool->count++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!kept)
		pool_free_call(pending);
}
