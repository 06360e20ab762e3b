/* hub.c - brings new events to those who follow.
 *
 * Owns one thread ("events") and the list of subscriptions. Writers only tell a number; the thread sleeps while nobody follows. For what is new
 * it asks every subscription's filter. Who wants it and waits gets it by the thread's own write, and sleeps on: waking a thousand
 * threads for each event would cost several times what the writes do. Who cannot take it now finds it in a queue and is woken, each by
 * its own condition. Refuses to wait for a client or for a full queue. */
#include "event/hub.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define RETRY_NS 100000000L
/* A write takes some 10 us, so a thousand would use up the slices that the kernel gives, milliseconds each, while requests wait for the core. */
#define OFFERS_IN_A_ROW 8

struct event_subscription {
	struct event_hub *hub;
	struct event_filter filter;
	enum event_form form;
	struct event_subscription *next, *previous; /* under the hub's lock */
	pthread_mutex_t lock;			    /* guards all below */
	pthread_cond_t wake;
	struct event_item *queue[LIMIT_STREAM_QUEUE];
	unsigned first, count;
	size_t begun; /* bytes of the first one that its client has */
	bool missed, ending;
	struct event_wait *wait; /* of its thread, while that waits; else NULL */
};

struct event_hub {
	struct event_hub_options options;
	pthread_t thread;
	bool started;
	_Atomic int64_t newest;	  /* number of the newest event */
	_Atomic int64_t position; /* everything after it will be offered to every subscription; written under `lock` */
	_Atomic int count;
	_Atomic int formed[EVENT_FORMS]; /* how many follow in each form */
	_Atomic bool stopping;
	pthread_mutex_t wake_lock; /* guards the thread's sleep only: whoever tells never waits for the list */
	pthread_cond_t wake;
	pthread_mutex_t lock; /* guards the list */
	struct event_subscription *first;
	struct event_item *batch[LIMIT_EVENT_BATCH]; /* read and not delivered yet; the thread's */
	int batched;
};

/* ---- items ---- */

void event_item_release(struct event_item *item)
{
	if (atomic_fetch_sub_explicit(&item->holders, 1, memory_order_acq_rel) == 1)
		free(item);
}

static struct event_item *make_item(const struct event_subject *subject, int64_t number, const struct buffer texts[EVENT_FORMS])
{
	struct event_item *item = malloc(sizeof *item + texts[EVENT_WHOLE].length + texts[EVENT_BRIEF].length);
	char *to = item != NULL ? item->space : NULL;

	if (item == NULL)
		return NULL;
	atomic_init(&item->holders, 1);
	item->number = number;
	item->sequence = subject->sequence;
	snprintf(item->type, sizeof item->type, "%s", subject->type);
	snprintf(item->provider, sizeof item->provider, "%s", subject->provider != NULL ? subject->provider : "");
	snprintf(item->caller, sizeof item->caller, "%s", subject->caller != NULL ? subject->caller : "");
	for (int form = 0; form < EVENT_FORMS; form++) {
		item->texts[form] = texts[form].length > 0 ? to : NULL;
		item->lengths[form] = texts[form].length;
		if (texts[form].length > 0)
			memcpy(to, texts[form].data, texts[form].length);
		to += texts[form].length;
	}
	return item;
}

/* ---- subscriptions ---- */

static void wake_up(struct event_subscription *subscription)
{
	if (subscription->wait != NULL) {
		subscription->wait = NULL;
		pthread_cond_signal(&subscription->wake);
	}
}

/* Forgets what waits from the `kept`th on. With the lock held, or by the last who knows it. */
static void cut_queue(struct event_subscription *subscription, unsigned kept)
{
	while (subscription->count > kept) {
		subscription->count--;
		event_item_release(subscription->queue[(subscription->first + subscription->count) % LIMIT_STREAM_QUEUE]);
	}
}

/* The log has them all; only what was begun must be ended. */
static void queue_item(struct event_subscription *subscription, struct event_item *item)
{
	if (subscription->count == LIMIT_STREAM_QUEUE)
		subscription->missed = true;
	if (subscription->missed) {
		cut_queue(subscription, subscription->begun > 0 ? 1 : 0);
		return;
	}
	atomic_fetch_add_explicit(&item->holders, 1, memory_order_relaxed);
	subscription->queue[(subscription->first + subscription->count++) % LIMIT_STREAM_QUEUE] = item;
}

/* One that was rendered when nobody followed in this form was in the log before this one did, which reads the log first of all. */
static bool wants(const struct event_subscription *subscription, const struct event_item *item)
{
	return item->texts[subscription->form] != NULL &&
	       event_filter_passes(&subscription->filter, &(struct event_subject){ .type = item->type,
								  .provider = item->provider[0] != '\0' ? item->provider : NULL,
								  .caller = item->caller,
								  .sequence = item->sequence });
}

static struct iovec part_of(const struct event_item *item, enum event_form form)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)item->texts[form], .iov_len = item->lengths[form] };
}

/* Writes those it wants to a client whose thread waits. Returns how many of the batch are done with; the rest is for the queue. */
static int push_batch(struct event_subscription *subscription, struct event_item *const *batch, int count)
{
	struct event_wait *wait = subscription->wait;
	enum event_form form = subscription->form;
	struct iovec parts[LIMIT_EVENT_BATCH];
	int places[LIMIT_EVENT_BATCH], wanted = 0;
	size_t sent;

	for (int i = 0; i < count; i++) {
		if (batch[i]->number <= wait->last || !wants(subscription, batch[i]))
			continue;
		parts[wanted] = part_of(batch[i], form);
		places[wanted++] = i;
	}
	sent = wanted > 0 ? wait->push(wait->context, parts, wanted) : 0;
	for (int k = 0; k < wanted; k++) {
		if (sent < batch[places[k]]->lengths[form]) {
			subscription->begun = sent;
			return places[k];
		}
		sent -= batch[places[k]]->lengths[form];
		wait->last = batch[places[k]]->number;
		wait->pushed++;
	}
	return count;
}

static void offer_batch(struct event_subscription *subscription, struct event_item *const *batch, int count)
{
	int done = 0;

	pthread_mutex_lock(&subscription->lock);
	if (subscription->wait != NULL && subscription->wait->push != NULL)
		done = push_batch(subscription, batch, count);
	for (; done < count; done++)
		if (wants(subscription, batch[done]))
			queue_item(subscription, batch[done]);
	if (subscription->count > 0 || subscription->missed)
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

/* Under the hub's lock, so that the last that is told is how it is. */
static void tell_whether_followed(const struct event_hub *hub, bool some)
{
	if (hub->options.follow != NULL)
		hub->options.follow(hub->options.follow_context, some);
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
		atomic_fetch_add(&hub->formed[subscription->form], 1);
		if (before == 0) {
			atomic_store(&hub->position, atomic_load(&hub->newest));
			tell_whether_followed(hub, true);
		}
		*from = atomic_load(&hub->position);
		link_subscription(hub, subscription);
		code = ERROR_NONE;
	}
	pthread_mutex_unlock(&hub->lock);
	return code;
}

static void free_subscription(struct event_subscription *subscription)
{
	cut_queue(subscription, 0);
	pthread_cond_destroy(&subscription->wake);
	pthread_mutex_destroy(&subscription->lock);
	free(subscription);
}

enum error_code event_subscribe(struct event_hub *hub, const struct event_filter *filter, enum event_form form, int maximum,
	struct event_subscription **subscription, int64_t *from, struct error *error)
{
	struct event_subscription *made = memory_new(sizeof *made);

	made->hub = hub;
	made->filter = *filter;
	made->form = form;
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->wake);
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
	if (atomic_fetch_sub(&hub->count, 1) == 1)
		tell_whether_followed(hub, false);
	atomic_fetch_sub(&hub->formed[subscription->form], 1);
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

/* What was begun comes before all else but the end. */
static enum event_news take_news(struct event_subscription *subscription, struct event_wait *wait)
{
	if (subscription->ending)
		return EVENT_END;
	if (subscription->missed && subscription->begun == 0) {
		subscription->missed = false;
		return EVENT_MISSED;
	}
	if (subscription->count == 0)
		return EVENT_SILENCE;
	wait->item = subscription->queue[subscription->first];
	wait->begun = subscription->begun;
	subscription->begun = 0;
	subscription->first = (subscription->first + 1) % LIMIT_STREAM_QUEUE;
	subscription->count--;
	return EVENT_NEWS;
}

enum event_news event_await(struct event_subscription *subscription, struct event_wait *wait)
{
	struct timespec until = after_ms(wait->timeout_ms);
	enum event_news news;
	int failed = 0;

	wait->pushed = 0;
	pthread_mutex_lock(&subscription->lock);
	while (!has_news(subscription) && failed == 0 && wait->timeout_ms > 0) {
		subscription->wait = wait;
		failed = pthread_cond_timedwait(&subscription->wake, &subscription->lock, &until);
	}
	subscription->wait = NULL;
	news = take_news(subscription, wait);
	pthread_mutex_unlock(&subscription->lock);
	return news;
}

int event_hub_subscriptions(const struct event_hub *hub)
{
	return atomic_load_explicit(&hub->count, memory_order_relaxed);
}

/* ---- the thread ---- */

bool event_hub_wants(struct event_hub *hub, enum event_form form)
{
	return atomic_load(&hub->formed[form]) > 0;
}

bool event_hub_add(
	struct event_hub *hub, const struct event_subject *subject, int64_t number, const struct buffer texts[EVENT_FORMS])
{
	struct event_item *item = hub->batched < LIMIT_EVENT_BATCH ? make_item(subject, number, texts) : NULL;

	if (item == NULL)
		return false;
	hub->batch[hub->batched++] = item;
	return true;
}

/* Hands on what was read. Who comes in between is offered all of it: the position moves with the delivery. */
static void deliver_batch(struct event_hub *hub)
{
	int offered = 0;

	if (hub->batched == 0)
		return;
	pthread_mutex_lock(&hub->lock);
	for (struct event_subscription *one = hub->first; one != NULL; one = one->next) {
		offer_batch(one, hub->batch, hub->batched);
		if (++offered % OFFERS_IN_A_ROW == 0)
			sched_yield();
	}
	if (hub->batch[hub->batched - 1]->number > atomic_load(&hub->position))
		atomic_store(&hub->position, hub->batch[hub->batched - 1]->number);
	pthread_mutex_unlock(&hub->lock);
	while (hub->batched > 0)
		event_item_release(hub->batch[--hub->batched]);
}

void event_hub_notify(void *context, int64_t newest)
{
	struct event_hub *hub = context;
	int64_t known = atomic_load(&hub->newest);

	while (known < newest && !atomic_compare_exchange_weak(&hub->newest, &known, newest))
		;
	if (known >= newest || atomic_load(&hub->count) == 0)
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

static void read_on_log(struct event_hub *hub, bool *troubled)
{
	int64_t reached = atomic_load(&hub->position);
	struct error error = { .code = ERROR_NONE };

	enum error_code code = hub->options.read(hub->options.context, hub, &reached, &error);

	deliver_batch(hub);
	if (code == ERROR_NONE) {
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

	while (!atomic_load(&hub->stopping)) {
		pthread_mutex_lock(&hub->wake_lock);
		while (!has_work(hub) && !atomic_load(&hub->stopping))
			pthread_cond_wait(&hub->wake, &hub->wake_lock);
		pthread_mutex_unlock(&hub->wake_lock);
		if (!atomic_load(&hub->stopping))
			read_on_log(hub, &troubled);
	}
	return NULL;
}

/* ---- open and close ---- */

enum error_code event_hub_open(const struct event_hub_options *options, struct event_hub **hub, struct error *error)
{
	struct event_hub *made = memory_new(sizeof *made);

	made->options = *options;
	atomic_init(&made->newest, options->newest);
	atomic_init(&made->position, options->newest);
	pthread_mutex_init(&made->lock, NULL);
	pthread_mutex_init(&made->wake_lock, NULL);
	thread_init_condition(&made->wake);
	made->started = thread_start(&made->thread, "events", 0, hub_main, made, error) == ERROR_NONE;
	if (!made->started) {
		event_hub_free(made);
		return ERROR_IO;
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
