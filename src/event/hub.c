/* hub.c - brings new events to those who follow.
 *
 * Owns one thread ("events") and the list of subscriptions. Writers only tell a number; the thread sleeps while nobody follows. For each event
 * it asks every subscription's filter and puts the shared text into the queues of those who want it, waking each by its own condition: so
 * a thousand followers do not meet at one lock, and who does not want an event sleeps on. Refuses to wait for a full queue. */
#include "event/hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define RETRY_NS 100000000L

struct event_subscription {
	struct event_hub *hub;
	struct event_filter filter;
	struct event_subscription *next, *previous; /* under the hub's lock */
	pthread_mutex_t lock;			    /* guards all below */
	pthread_cond_t wake;
	struct event_item *queue[LIMIT_STREAM_QUEUE];
	unsigned first, count;
	bool missed, ending, waiting;
};

struct event_hub {
	struct event_hub_options options;
	pthread_t thread;
	bool started;
	_Atomic int64_t newest;	  /* number of the newest event */
	_Atomic int64_t position; /* everything after it will be offered to every subscription; written under `lock` */
	_Atomic int count;
	_Atomic bool stopping;
	pthread_mutex_t wake_lock; /* guards the thread's sleep only: whoever tells never waits for the list */
	pthread_cond_t wake;
	pthread_mutex_t lock; /* guards the list */
	struct event_subscription *first;
};

/* ---- items ---- */

void event_item_release(struct event_item *item)
{
	if (atomic_fetch_sub_explicit(&item->holders, 1, memory_order_acq_rel) == 1)
		free(item);
}

static struct event_item *make_item(int64_t number, const char *text, size_t length)
{
	struct event_item *item = malloc(sizeof *item + length);

	if (item == NULL)
		return NULL;
	atomic_init(&item->holders, 1);
	item->number = number;
	item->length = length;
	memcpy(item->text, text, length);
	return item;
}

/* ---- subscriptions ---- */

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void wake_up(struct event_subscription *subscription)
{
	if (subscription->waiting) {
		subscription->waiting = false;
		pthread_cond_signal(&subscription->wake);
	}
}

/* Forgets what waits. With the lock held, or by the last who knows it. */
static void empty_queue(struct event_subscription *subscription)
{
	for (; subscription->count > 0; subscription->count--) {
		event_item_release(subscription->queue[subscription->first]);
		subscription->first = (subscription->first + 1) % LIMIT_STREAM_QUEUE;
	}
}

static void offer(struct event_subscription *subscription, struct event_item *item)
{
	pthread_mutex_lock(&subscription->lock);
	if (subscription->count == LIMIT_STREAM_QUEUE)
		subscription->missed = true;
	if (subscription->missed) {
		empty_queue(subscription); /* the log has them all */
	} else {
		atomic_fetch_add_explicit(&item->holders, 1, memory_order_relaxed);
		subscription->queue[(subscription->first + subscription->count++) % LIMIT_STREAM_QUEUE] = item;
	}
	wake_up(subscription);
	pthread_mutex_unlock(&subscription->lock);
}

static void link_subscription(struct event_hub *hub, struct event_subscription *subscription)
{
	subscription->next = hub->first;
	if (hub->first != NULL)
		hub->first->previous = subscription;
	hub->first = subscription;
}

/* While nobody follows, the position stays behind. The count comes first, then the look at the newest number: so whoever tells a newer one
 * sees the count. */
static enum error_code enter(struct event_hub *hub, struct event_subscription *subscription, int maximum, int64_t *from)
{
	enum error_code code = ERROR_BUSY;
	int before;

	pthread_mutex_lock(&hub->lock);
	before = atomic_load(&hub->count);
	if (before < maximum && !atomic_load(&hub->stopping)) {
		atomic_store(&hub->count, before + 1);
		if (before == 0)
			atomic_store(&hub->position, atomic_load(&hub->newest));
		*from = atomic_load(&hub->position);
		link_subscription(hub, subscription);
		code = ERROR_NONE;
	}
	pthread_mutex_unlock(&hub->lock);
	return code;
}

static void free_subscription(struct event_subscription *subscription)
{
	empty_queue(subscription);
	pthread_cond_destroy(&subscription->wake);
	pthread_mutex_destroy(&subscription->lock);
	free(subscription);
}

enum error_code event_subscribe(struct event_hub *hub, const struct event_filter *filter, int maximum,
	struct event_subscription **subscription, int64_t *from, struct error *error)
{
	struct event_subscription *made = calloc(1, sizeof *made);

	if (made == NULL)
		return error_memory(error);
	made->hub = hub;
	made->filter = *filter;
	pthread_mutex_init(&made->lock, NULL);
	init_condition(&made->wake);
	if (enter(hub, made, maximum, from) != ERROR_NONE) {
		free_subscription(made);
		return error_set(error, ERROR_BUSY, "", "%d event streams are open, the maximum", maximum);
	}
	*subscription = made;
	return ERROR_NONE;
}

void event_unsubscribe(struct event_subscription *subscription)
{
	struct event_hub *hub = subscription->hub;

	pthread_mutex_lock(&hub->lock);
	if (subscription->previous != NULL)
		subscription->previous->next = subscription->next;
	else
		hub->first = subscription->next;
	if (subscription->next != NULL)
		subscription->next->previous = subscription->previous;
	atomic_fetch_sub(&hub->count, 1);
	pthread_mutex_unlock(&hub->lock);
	free_subscription(subscription);
}

static struct timespec after_ms(int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	return until;
}

static bool has_news(const struct event_subscription *subscription)
{
	return subscription->count > 0 || subscription->missed || subscription->ending;
}

static enum event_news take_news(struct event_subscription *subscription, struct event_item **item)
{
	if (subscription->ending)
		return EVENT_END;
	if (subscription->missed) {
		subscription->missed = false;
		return EVENT_MISSED;
	}
	if (subscription->count == 0)
		return EVENT_SILENCE;
	*item = subscription->queue[subscription->first];
	subscription->first = (subscription->first + 1) % LIMIT_STREAM_QUEUE;
	subscription->count--;
	return EVENT_NEWS;
}

enum event_news event_await(struct event_subscription *subscription, int timeout_ms, struct event_item **item)
{
	struct timespec until = after_ms(timeout_ms);
	enum event_news news;
	int failed = 0;

	pthread_mutex_lock(&subscription->lock);
	while (!has_news(subscription) && failed == 0 && timeout_ms > 0) {
		subscription->waiting = true;
		failed = pthread_cond_timedwait(&subscription->wake, &subscription->lock, &until);
	}
	subscription->waiting = false;
	news = take_news(subscription, item);
	pthread_mutex_unlock(&subscription->lock);
	return news;
}

int event_hub_subscriptions(const struct event_hub *hub)
{
	return atomic_load_explicit(&hub->count, memory_order_relaxed);
}

/* ---- the thread ---- */

bool event_hub_add(struct event_hub *hub, const struct event_subject *subject, int64_t number, const char *text, size_t length)
{
	struct event_item *item = make_item(number, text, length);

	if (item == NULL)
		return false;
	pthread_mutex_lock(&hub->lock);
	for (struct event_subscription *one = hub->first; one != NULL; one = one->next)
		if (event_filter_passes(&one->filter, subject))
			offer(one, item);
	if (number > atomic_load(&hub->position))
		atomic_store(&hub->position, number);
	pthread_mutex_unlock(&hub->lock);
	event_item_release(item);
	return true;
}

void event_hub_told(void *context, int64_t newest)
{
	struct event_hub *hub = context;

	atomic_store(&hub->newest, newest);
	if (atomic_load(&hub->count) == 0)
		return;
	pthread_mutex_lock(&hub->wake_lock);
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->wake_lock);
}

static bool has_work(const struct event_hub *hub)
{
	return atomic_load(&hub->count) > 0 && atomic_load(&hub->position) < atomic_load(&hub->newest);
}

static void move_on(struct event_hub *hub, int64_t reached)
{
	pthread_mutex_lock(&hub->lock);
	if (reached > atomic_load(&hub->position))
		atomic_store(&hub->position, reached);
	pthread_mutex_unlock(&hub->lock);
}

static void read_on(struct event_hub *hub, bool *troubled)
{
	int64_t reached = atomic_load(&hub->position);
	struct error error = { .code = ERROR_NONE };

	if (hub->options.read(hub->options.context, hub, &reached, &error) == ERROR_NONE) {
		move_on(hub, reached);
		*troubled = false;
		return;
	}
	if (!*troubled)
		log_message(LOG_WARN, "events.read", "event streams wait: %s", error.message);
	*troubled = true;
	nanosleep(&(struct timespec){ .tv_nsec = RETRY_NS }, NULL);
}

static void *hub_main(void *argument)
{
	struct event_hub *hub = argument;
	bool troubled = false;

	pthread_setname_np(pthread_self(), "events");
	while (!atomic_load(&hub->stopping)) {
		pthread_mutex_lock(&hub->wake_lock);
		while (!has_work(hub) && !atomic_load(&hub->stopping))
			pthread_cond_wait(&hub->wake, &hub->wake_lock);
		pthread_mutex_unlock(&hub->wake_lock);
		if (!atomic_load(&hub->stopping))
			read_on(hub, &troubled);
	}
	return NULL;
}

/* ---- open and close ---- */

enum error_code event_hub_open(const struct event_hub_options *options, struct event_hub **hub, struct error *error)
{
	struct event_hub *made = calloc(1, sizeof *made);
	int failed;

	if (made == NULL)
		return error_memory(error);
	made->options = *options;
	atomic_init(&made->newest, options->newest);
	atomic_init(&made->position, options->newest);
	pthread_mutex_init(&made->lock, NULL);
	pthread_mutex_init(&made->wake_lock, NULL);
	init_condition(&made->wake);
	failed = pthread_create(&made->thread, NULL, hub_main, made);
	made->started = failed == 0;
	if (failed != 0) {
		event_hub_free(made);
		return error_set(error, ERROR_IO, "", "cannot start the thread of the event streams: %s", strerror(failed));
	}
	*hub = made;
	return ERROR_NONE;
}

void event_hub_stop(struct event_hub *hub)
{
	if (hub == NULL || !hub->started)
		return;
	pthread_mutex_lock(&hub->wake_lock);
	atomic_store(&hub->stopping, true);
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->wake_lock);
	pthread_join(hub->thread, NULL);
	hub->started = false;
	pthread_mutex_lock(&hub->lock);
	for (struct event_subscription *one = hub->first; one != NULL; one = one->next) {
		pthread_mutex_lock(&one->lock);
		one->ending = true;
		wake_up(one);
		pthread_mutex_unlock(&one->lock);
	}
	pthread_mutex_unlock(&hub->lock);
}

void event_hub_free(struct event_hub *hub)
{
	if (hub == NULL)
		return;
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->wake_lock);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
