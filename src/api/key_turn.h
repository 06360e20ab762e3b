/* key_turn.h - requests with the same Idempotency-Key take turns: the first runs, the others wait for what it leaves in the store. HTTP threads.
 *
 * So only one of them asks a script, takes money and writes a row, and all others get its answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct key_turns;

/* A place in the line; lives on the stack of who holds the turn. */
struct key_turn {
	const char *key; /* borrowed */
	uint64_t hash;
	struct key_turn *next;
};

enum key_turn_outcome {
	KEY_TURN_TAKEN = 0, /* it is ours: key_turn_end() when an answer is there */
	KEY_TURN_OVER,	    /* somebody else had it, and is done: look the key up, then ask again */
	KEY_TURN_LATE,	    /* somebody else still has it at the deadline */
};

struct key_turns *key_turns_new(void);
void key_turns_free(struct key_turns *turns);

/* Takes the turn of a key, or waits until the one who has it is done, at most until `deadline_ns` (monotonic). */
enum key_turn_outcome key_turn_take(struct key_turns *turns, struct key_turn *turn, const char *key, int64_t deadline_ns);

void key_turn_end(struct key_turns *turns, struct key_turn *turn);
