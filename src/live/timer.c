/* timer.c - one binary heap of timers; each knows its place, so that it can be moved and taken out. Engine thread.
 *
 * Room is made when an owner of a timer is, so that setting one cannot fail. */
#include "live/internal.h"

#include <stdlib.h>

static void put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void sift_up(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && timers->heap[place / 2]->due_ns > timer->due_ns) {
		put(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	put(timers, place, timer);
}

static void sift_down(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place, child;

	while ((child = place * 2) <= timers->count) {
		if (child < timers->count && timers->heap[child + 1]->due_ns < timers->heap[child]->due_ns)
			child++;
		if (timers->heap[child]->due_ns >= timer->due_ns)
			break;
		put(timers, place, timers->heap[child]);
		place = child;
	}
	put(timers, place, timer);
}

bool timers_join(struct timers *timers)
{
	size_t count = timers->owners + 1;
	size_t capacity = timers->capacity == 0 ? 64 : timers->capacity;
	struct timer **grown;

	timers->owners++;
	if (count < timers->capacity)
		return true;
	while (capacity <= count)
		capacity *= 2;
	grown = realloc(timers->heap, capacity * sizeof *grown);
	if (grown == NULL) {
		timers->owners--;
		return false;
	}
	timers->heap = grown;
	timers->capacity = capacity;
	return true;
}

void timers_leave(struct timers *timers)
{
	timers->owners--;
}

void timer_clear(struct live *live, struct timer *timer)
{
	struct timers *timers = &live->timers;
	struct timer *last;
	size_t place = timer->place;

	if (place == 0)
		return;
	timer->place = 0;
	last = timers->heap[timers->count--];
	if (last == timer)
		return;
	put(timers, place, last);
	sift_up(timers, last);
	sift_down(timers, last);
}

void timer_set(struct live *live, struct timer *timer, int64_t due_ns)
{
	struct timers *timers = &live->timers;

	timer->due_ns = due_ns;
	if (timer->place == 0) {
		put(timers, ++timers->count, timer);
		sift_up(timers, timer);
		return;
	}
	sift_up(timers, timer);
	sift_down(timers, timer);
}

int64_t timers_fire(void *context, int64_t now_ns)
{
	struct live *live = context;
	struct timers *timers = &live->timers;
	struct timer *timer;

	while (timers->count > 0 && timers->heap[1]->due_ns <= now_ns) {
		timer = timers->heap[1];
		timer_clear(live, timer);
		timer->fire(live, timer);
	}
	return timers->count > 0 ? timers->heap[1]->due_ns : INT64_MAX;
}

void timers_free(struct timers *timers)
{
	free(timers->heap);
}
