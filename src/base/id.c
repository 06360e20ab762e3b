/* id.c - makes and reads UUIDv7. Owns the last sequence, an atomic, and a small store of random bytes. */
#include "base/id.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"

#define COUNTER_BITS 12
#define SLOT_BITS 6

static _Atomic int64_t last_sequence;
static _Atomic int64_t id_step = 1; /* from one id to the next, in a run of its own sequences */
static _Atomic int64_t id_slot;	    /* what is left of a sequence by that step */

static pthread_mutex_t random_lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t random_store[512];
static size_t random_used = sizeof random_store;

void id_continue_after(int64_t sequence)
{
	int64_t last = atomic_load(&last_sequence);

	while (last < sequence && !atomic_compare_exchange_weak(&last_sequence, &last, sequence))
		;
}

void id_share(int slot)
{
	atomic_store(&id_slot, slot);
	atomic_store(&id_step, slot < 0 ? 1 : INT64_C(1) << SLOT_BITS);
}

/* The smallest above `last` that is this host's. */
static int64_t sequence_after(int64_t last)
{
	int64_t step = atomic_load(&id_step), slot = atomic_load(&id_slot);

	return step == 1 ? last + 1 : last - (last & (step - 1)) + slot + ((last & (step - 1)) >= slot ? step : 0);
}

static int64_t next_sequence(void)
{
	int64_t before = id_sequence_at(clock_unix_ms()) - 1;
	int64_t last = atomic_load(&last_sequence);
	int64_t next;

	do {
		next = sequence_after(before > last ? before : last);
	} while (!atomic_compare_exchange_weak(&last_sequence, &last, next));
	return next;
}

/* Eight random bytes, from a store that costs one system call for many ids. An id stays unique without them; they are there so that ids
 * cannot be guessed. */
static void take_random(uint8_t bytes[8])
{
	pthread_mutex_lock(&random_lock);
	if (random_used + 8 > sizeof random_store) {
		if (getrandom(random_store, sizeof random_store, 0) != (ssize_t)sizeof random_store)
			memset(random_store, 0, sizeof random_store);
		random_used = 0;
	}
	memcpy(bytes, random_store + random_used, 8);
	memset(random_store + random_used, 0, 8);
	random_used += 8;
	pthread_mutex_unlock(&random_lock);
}

struct id id_make(void)
{
	int64_t sequence = next_sequence();
	uint64_t ms = (uint64_t)sequence >> COUNTER_BITS;
	struct id id;

	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	take_random(id.bytes + 8);
	id.bytes[6] = (uint8_t)(0x70 | ((sequence >> 8) & 0x0f));
	id.bytes[7] = (uint8_t)sequence;
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

int64_t id_sequence(const struct id *id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->bytes[i];
	return (int64_t)(ms << COUNTER_BITS | (uint64_t)(id->bytes[6] & 0x0f) << 8 | id->bytes[7]);
}

int64_t id_sequence_at(int64_t unix_ms)
{
	return unix_ms << COUNTER_BITS;
}

void id_format(const struct id *id, char text[ID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char *to = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[id->bytes[i] >> 4];
		*to++ = digits[id->bytes[i] & 15];
	}
	*to = '\0';
}

bool id_parse(const char *text, struct id *id)
{
	int high, low;

	for (int i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		high = text_hex_value(text[0]);
		low = high < 0 ? -1 : text_hex_value(text[1]);
		if (low < 0)
			return false;
		id->bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text == '\0';
}
