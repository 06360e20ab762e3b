/* pending_call_pool.h - pending calls that have ended wait here with their buffers for the next: a request on the usual path allocates almost
 * nothing. And where the HTTP threads of those under way wait. Any thread. */
#pragma once

#include <pthread.h>

#include "base/eventcount.h"

struct pending_call;
struct task_store;

struct pending_call_pool {
	struct eventcount eventcount;	    /* an HTTP thread waits here for its call */
	struct eventcount_places committed; /* store thread: whose rows are in, and who is not told yet */
	pthread_mutex_t lock;
	struct pending_call *first; /* under lock */
	int count;		    /* under lock */
};

struct pending_call_pool *pending_call_pool_new(void);

/* So that the store's thread wakes all at once whose rows went in with one commit. Before anything is written; the pool outlives the store. */
void pending_call_pool_attach(struct pending_call_pool *pool, struct task_store *store);

/* When no call is under way any more. */
void pending_call_pool_free(struct pending_call_pool *pool);

/* A call with empty buffers; its other members are what they were. */
struct pending_call *pending_call_pool_take(struct pending_call_pool *pool);

/* It may be taken again: its buffers are emptied, and large ones give their memory back. */
void pending_call_pool_keep(struct pending_call_pool *pool, struct pending_call *pending);
