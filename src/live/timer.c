/* timer.c - one binary heap of timers; each knows its place, so that it can be moved and taken out. Engine thread. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/memory.h"

static void timer_place(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void timer_sift_up(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && timers->heap[place / 2]->due_ns > timer->due_ns) {
		timer_place(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	timer_place(timers, place, timer);
}

static void timer_sift_down(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place, child;

	while ((child = place * 2) <= timers->count) {
		if (child < timers->count && timers->heap[child + 1]->due_ns < timers->heap[child]->due_ns)
			child++;
		if (timers->heap[child]->due_ns >= timer->due_ns)
			break;
		timer_place(timers, place, timers->heap[child]);
		place = child;
	}
	timer_place(timers, place, timer);
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
	timer_place(timers, place, last);
	timer_sift_up(timers, last);
	timer_sift_down(timers, last);
}

static void timer_enter(struct timers *timers, struct timer *timer)
{
	if (++timers->count >= timers->capacity) { /* the first place stays empty */
		timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
		timers->heap = memory_resize(timers->heap, timers->capacity * sizeof(struct timer *));
	}
	timer_place(timers, timers->count, timer);
}

void timer_set(struct live *live, struct timer *timer, int64_t due_ns)
{
	struct timers *timers = &live->timers;

	timer->due_ns = due_ns;
	if (timer->place == 0)
		timer_enter(timers, timer);
	timer_sift_up(timers, timer);
	timer_sift_down(timers, timer);
}

int64_t timers_fire(void *context, int64_t now_ns)
{
	struct live *live = context;
	struct timers *timers = &live->timers;
	struct timer *timer;

	while (timers->count > 0 && timers->heap[1]->due_ns <= now_ns) {
		timer = timers->heap[1];
		timer_clear(live, timer);
		timer->fire(timer);
	}
	return timers->count > 0 ? timers->heap[1]->due_ns : INT64_MAX;
}

void timers_free(struct timers *timers)
{
	free(timers->heap);
}
