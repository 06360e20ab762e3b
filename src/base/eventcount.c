/* eventcount.c - a futex with bit sets. Any thread; owns nothing but the words it is given.
 *
 * A word counts how often it was woken. A waiter reads it, looks at its flag, and sleeps only while the word is what it read: a wake-up
 * in between ends the wait before it begins. */
#include "base/eventcount.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

uint32_t eventcount_place(struct eventcount *eventcount)
{
	return atomic_fetch_add_explicit(&eventcount->next, 1, memory_order_relaxed) % EVENTCOUNT_PLACES;
}

static uint32_t mark_of(uint32_t place)
{
	return UINT32_C(1) << (place % 32);
}

/* 0: woken, or never asleep. Without a reason at times. */
static int sleep_at(_Atomic uint32_t *word, uint32_t wakes, uint32_t mark, const struct timespec *until)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, wakes, until, NULL, mark) == -1 ? errno : 0;
}

bool eventcount_wait(struct eventcount *eventcount, uint32_t place, const _Atomic bool *come, int64_t deadline_ns)
{
	_Atomic uint32_t *word = &eventcount->words[place / 32].wakes;
	struct timespec until = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };
	uint32_t wakes;

	for (;;) {
		wakes = atomic_load(word);
		if (atomic_load(come))
			return true;
		if (sleep_at(word, wakes, mark_of(place), &until) == ETIMEDOUT)
			return atomic_load(come);
	}
}

void eventcount_note(struct eventcount_places *places, uint32_t place)
{
	places->marks[place / 32] |= mark_of(place);
}

void eventcount_wake(struct eventcount *eventcount, struct eventcount_places *places)
{
	for (int i = 0; i < EVENTCOUNT_WORDS; i++) {
		if (places->marks[i] == 0)
			continue;
		atomic_fetch_add(&eventcount->words[i].wakes, 1);
		syscall(SYS_futex, &eventcount->words[i].wakes, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, places->marks[i]);
		places->marks[i] = 0;
	}
}
