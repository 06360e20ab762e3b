/* key_turn.c - the keys under way, as a list through the stacks of those who hold them: nothing is allocated. HTTP threads; the lock is held for a
 * walk along the list. */
#include "api/key_turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/thread.h"

struct key_turns {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct key_turn *first; /* under lock */
};

struct key_turns *key_turns_new(void)
{
	struct key_turns *turns = memory_new(sizeof *turns);

	pthread_mutex_init(&turns->lock, NULL);
	thread_init_condition(&turns->ended);
	return turns;
}

void key_turns_free(struct key_turns *turns)
{
	if (turns == NULL)
		return;
	pthread_cond_destroy(&turns->ended);
	pthread_mutex_destroy(&turns->lock);
	free(turns);
}

/* FNV-1a: most keys differ, and are told apart without a look at their texts. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = 14695981039346656037u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211u;
	return hash;
}

static bool is_held(const struct key_turns *turns, const struct key_turn *wanted)
{
	for (const struct key_turn *turn = turns->first; turn != NULL; turn = turn->next)
		if (turn->hash == wanted->hash && strcmp(turn->key, wanted->key) == 0)
			return true;
	return false;
}

enum key_turn_outcome key_turn_take(struct key_turns *turns, struct key_turn *turn, const char *key, int64_t deadline_ns)
{
	struct timespec until = { .tv_sec = (time_t)(deadline_ns / 1000000000), .tv_nsec = (long)(deadline_ns % 1000000000) };
	enum key_turn_outcome outcome = KEY_TURN_TAKEN;
	int failed = 0;

	*turn = (struct key_turn){ .key = key, .hash = hash_of(key) };
	pthread_mutex_lock(&turns->lock);
	while (is_held(turns, turn) && failed == 0) {
		outcome = KEY_TURN_OVER;
		failed = pthread_cond_timedwait(&turns->ended, &turns->lock, &until);
	}
	if (failed != 0 && is_held(turns, turn))
		outcome = KEY_TURN_LATE;
	if (outcome == KEY_TURN_TAKEN) {
		turn->next = turns->first;
		turns->first = turn;
	}
	pthread_mutex_unlock(&turns->lock);
	return outcome;
}

void key_turn_end(struct key_turns *turns, struct key_turn *turn)
{
	struct key_turn **link;

	pthread_mutex_lock(&turns->lock);
	for (link = &turns->first; *link != turn; link = &(*link)->next)
		;
	*link = turn->next;
	pthread_cond_broadcast(&turns->ended);
	pthread_mutex_unlock(&turns->lock);
}
