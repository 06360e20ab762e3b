/* ask.c - what somebody wants to know: the queue of a provider. Any thread puts in, the directory's takes out.
 *
 * A key stands in it once, whoever asks. What an HTTP thread waits for is taken first. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "directory/internal.h"

void ask_free(struct ask *ask)
{
	free(ask->key);
	free(ask);
}

/* Is it under way already? The directory's thread. */
static bool is_running(const struct shelf *shelf, enum part part, const char *key)
{
	const struct directory_call *call = shelf->running[part == PART_MODEL || part == PART_PRICE];

	for (char **at = call != NULL && call->part == part ? call->keys : NULL; at != NULL && *at != NULL; at++)
		if (strcmp(*at, key) == 0)
			return true;
	return false;
}

/* The ask of this key, or where it belongs: the end. */
static struct ask **ask_place(struct shelf *shelf, enum part part, const char *key)
{
	struct ask **place = &shelf->asks;

	while (*place != NULL && ((*place)->part != part || strcmp((*place)->key, key) != 0))
		place = &(*place)->next;
	return place;
}

/* Under the lock. Those that are awaited are bounded by the threads that wait. */
static bool queue_ask(struct shelf *shelf, enum part part, const char *key, int64_t age_ms, bool awaited)
{
	struct ask **place = ask_place(shelf, part, key), *ask = *place;

	if (ask == NULL) {
		if (shelf->ask_count >= LIMIT_DIRECTORY_ASKS && !awaited)
			return false;
		*place = ask = memory_new(sizeof *ask);
		*ask = (struct ask){ .part = part, .key = memory_copy_text(key), .age_ms = age_ms };
		shelf->ask_count++;
	}
	if (age_ms < ask->age_ms)
		ask->age_ms = age_ms;
	ask->awaited |= awaited;
	return true;
}

bool directory_ask(struct shelf *shelf, enum part part, const char *key, int64_t age_ms, bool awaited)
{
	struct directory *directory = shelf->directory;
	bool queued = true;

	if (part == PART_LIST)
		atomic_store(&shelf->asks_list, true);
	pthread_mutex_lock(&directory->lock);
	if (part != PART_LIST)
		queued = queue_ask(shelf, part, key, age_ms, awaited);
	directory->woken = true;
	pthread_cond_signal(&directory->work);
	pthread_mutex_unlock(&directory->lock);
	return queued;
}

/* Under the lock. NULL: there is none that is not under way. */
static struct ask **choose_ask(struct shelf *shelf, enum part part)
{
	struct ask **first = NULL;

	for (struct ask **place = &shelf->asks; *place != NULL; place = &(*place)->next) {
		if ((*place)->part != part || is_running(shelf, part, (*place)->key))
			continue;
		if ((*place)->awaited)
			return place;
		if (first == NULL)
			first = place;
	}
	return first;
}

struct ask *directory_take_ask(struct shelf *shelf, enum part part)
{
	struct directory *directory = shelf->directory;
	struct ask **place, *taken = NULL;

	pthread_mutex_lock(&directory->lock);
	place = choose_ask(shelf, part);
	if (place != NULL) {
		taken = *place;
		*place = taken->next;
		shelf->ask_count--;
	}
	pthread_mutex_unlock(&directory->lock);
	return taken;
}
