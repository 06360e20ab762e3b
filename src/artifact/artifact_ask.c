/* artifact_ask.c - a queue from many threads to one, and back by a semaphore. */
#include "artifact/artifact_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

#define NS_PER_SECOND INT64_C(1000000000)

void artifact_asks_init(struct artifact_asks *asks)
{
	pthread_mutex_init(&asks->lock, NULL);
	asks->first = NULL;
	asks->last = &asks->first;
}

void artifact_asks_free(struct artifact_asks *asks)
{
	pthread_mutex_destroy(&asks->lock);
}

void *artifact_ask_new(size_t bytes, void (*run)(void *context, struct artifact_ask *ask), void *context)
{
	struct artifact_ask *ask = memory_new(bytes);

	sem_init(&ask->done, 0, 0);
	atomic_init(&ask->holders, 2);
	ask->run = run;
	ask->context = context;
	return ask;
}

static void ask_release(struct artifact_ask *ask)
{
	if (atomic_fetch_sub_explicit(&ask->holders, 1, memory_order_acq_rel) != 1)
		return;
	sem_destroy(&ask->done);
	free(ask);
}

/* ---- who asks ---- */

static void ask_put(struct artifact_asks *asks, struct artifact_ask *ask)
{
	pthread_mutex_lock(&asks->lock);
	ask->next = NULL;
	*asks->last = ask;
	asks->last = &ask->next;
	pthread_mutex_unlock(&asks->lock);
	loop_wake(asks->loop);
}

/* False: the thread has it already. */
static bool ask_take_back(struct artifact_asks *asks, const struct artifact_ask *ask)
{
	struct artifact_ask **at;
	bool found;

	pthread_mutex_lock(&asks->lock);
	for (at = &asks->first; *at != NULL && *at != ask;)
		at = &(*at)->next;
	found = *at != NULL;
	if (found) {
		*at = ask->next;
		if (*at == NULL)
			asks->last = at;
	}
	pthread_mutex_unlock(&asks->lock);
	return found;
}

static bool ask_is_answered(struct artifact_ask *ask, int timeout_ms)
{
	int64_t until = clock_monotonic_ns() + timeout_ms * INT64_C(1000000);
	struct timespec time = { .tv_sec = (time_t)(until / NS_PER_SECOND), .tv_nsec = (long)(until % NS_PER_SECOND) };
	int code;

	do
		code = sem_clockwait(&ask->done, CLOCK_MONOTONIC, &time);
	while (code != 0 && errno == EINTR);
	return code == 0 && atomic_load(&ask->ended);
}

enum error_code artifact_ask_wait(
	struct artifact_asks *asks, struct artifact_ask *ask, int timeout_ms, const char *late, struct error *error)
{
	enum error_code code;

	ask_put(asks, ask);
	if (ask_is_answered(ask, timeout_ms)) {
		code = ask->code;
		*error = ask->error;
	} else {
		if (ask_take_back(asks, ask))
			ask_release(ask); /* for the thread, which will not see it */
		code = error_set(error, ERROR_BUSY, NULL, "%s", late);
	}
	ask_release(ask);
	return code;
}

void artifact_ask_leave(struct artifact_asks *asks, struct artifact_ask *ask)
{
	ask_put(asks, ask);
	ask_release(ask);
}

/* ---- the artifacts thread ---- */

static struct artifact_ask *ask_take(struct artifact_asks *asks)
{
	struct artifact_ask *ask;

	pthread_mutex_lock(&asks->lock);
	ask = asks->first;
	if (ask != NULL) {
		asks->first = ask->next;
		if (asks->first == NULL)
			asks->last = &asks->first;
	}
	pthread_mutex_unlock(&asks->lock);
	return ask;
}

void artifact_asks_run(struct artifact_asks *asks)
{
	struct artifact_ask *ask;

	while ((ask = ask_take(asks)) != NULL)
		ask->run(ask->context, ask);
}

void artifact_ask_end(struct artifact_ask *ask)
{
	atomic_store(&ask->ended, true);
	sem_post(&ask->done);
	ask_release(ask);
}
