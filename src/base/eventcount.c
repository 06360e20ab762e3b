/* eventcount.c - a futex with bit sets. Any thread; owns nothing but the words it is given.
 *
 * A word counts how often it was rung. A waiter reads it, looks at its flag, and sleeps only while the word is what it read: a ring
 * in between ends the wait before it begins. */
#include "base/eventcount.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

uint32_t bell_place(struct bell *bell)
{
	return atomic_fetch_add_explicit(&bell->next, 1, memory_order_relaxed) % BELL_PLACES;
}

static uint32_t mark_of(uint32_t place)
{
	return UINT32_C(1) << (place % 32);
}

/* 0: woken, or never asleep. Without a reason at times. */
static int sleep_at(_Atomic uint32_t *word, uint32_t rings, uint32_t mark, const struct timespec *until)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, rings, until, NULL, mark) == -1 ? errno : 0;
}

bool bell_wait(struct bell *bell, uint32_t place, const _Atomic bool *come, int64_t deadline_ns)
{
	_Atomic uint32_t *word = &bell->words[place / 32].rings;
	struct timespec until = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };
	uint32_t rings;

	for (;;) {
		rings = atomic_load(word);
		if (atomic_load(come))
			return true;
		if (sleep_at(word, rings, mark_of(place), &until) == ETIMEDOUT)
			return atomic_load(come);
	}
}

void bell_note(struct bell_places *places, uint32_t place)
{
	places->marks[place / 32] |= mark_of(place);
}

void bell_ring(struct bell *bell, struct bell_places *places)
{
	for (int i = 0; i < BELL_WORDS; i++) {
		if (places->marks[i] == 0)
			continue;
		atomic_fetch_add(&bell->words[i].rings, 1);
		syscall(SYS_futex, &bell->words[i].rings, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, places->marks[i]);
		places->marks[i] = 0;
	}
}
