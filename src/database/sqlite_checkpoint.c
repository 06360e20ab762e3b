/* sqlite_checkpoint.c - the thread that copies the write-ahead log.
 *
 * Owns a connection of its own. A checkpoint syncs the log, copies its pages and syncs the database: tens of milliseconds for a
 * long log, in which SQLite lets others write. So the bulk is copied here; but only when nobody writes in between does the log
 * begin anew, therefore the thread that writes copies the few pages that came meanwhile (sqlite.c). A checkpoint that fails loses
 * nothing: the log stays, and the next one tries again. */
#include "database/sqlite_checkpoint.h"

#include <stdint.h>
#include <string.h>

#include "base/thread.h"
#include "database/sqlite_tools.h"

static void *checkpointer_main(void *argument)
{
	struct checkpointer *checkpointer = argument;

	pthread_mutex_lock(&checkpointer->lock);
	while (!checkpointer->stopping) {
		if (checkpointer->state != CHECKPOINT_COPYING) {
			pthread_cond_wait(&checkpointer->wake, &checkpointer->lock);
			continue;
		}
		pthread_mutex_unlock(&checkpointer->lock);
		sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		pthread_mutex_lock(&checkpointer->lock);
		checkpointer->state = CHECKPOINT_COPIED;
	}
	pthread_mutex_unlock(&checkpointer->lock);
	return NULL;
}

void checkpointer_request(struct checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->lock);
	if (checkpointer->state == CHECKPOINT_RESTING) {
		checkpointer->state = CHECKPOINT_COPYING;
		pthread_cond_signal(&checkpointer->wake);
	}
	pthread_mutex_unlock(&checkpointer->lock);
}

bool checkpointer_ended(struct checkpointer *checkpointer)
{
	bool ended;

	pthread_mutex_lock(&checkpointer->lock);
	ended = checkpointer->state == CHECKPOINT_COPIED;
	if (ended)
		checkpointer->state = CHECKPOINT_RESTING;
	pthread_mutex_unlock(&checkpointer->lock);
	return ended;
}

enum error_code checkpointer_open(struct checkpointer *checkpointer, const char *path, const char *name, struct error *error)
{
	int64_t tables;

	pthread_mutex_init(&checkpointer->lock, NULL);
	pthread_cond_init(&checkpointer->wake, NULL);
	/* A connection learns with its first read that there is a log. */
	if (sqlite3_open_v2(path, &checkpointer->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
		sqlite_query(checkpointer->db, "SELECT count(*) FROM sqlite_master", &tables) != SQLITE_OK)
		return sqlite_error(checkpointer->db, name, "open the registry", error);
	checkpointer->started =
		thread_start(&checkpointer->thread, "checkpoint", 0, checkpointer_main, checkpointer, error) == ERROR_NONE;
	return checkpointer->started ? ERROR_NONE : ERROR_IO;
}

void checkpointer_close(struct checkpointer *checkpointer)
{
	if (checkpointer->started) {
		pthread_mutex_lock(&checkpointer->lock);
		checkpointer->stopping = true;
		pthread_cond_signal(&checkpointer->wake);
		pthread_mutex_unlock(&checkpointer->lock);
		pthread_join(checkpointer->thread, NULL);
		checkpointer->started = false;
	}
	sqlite3_close(checkpointer->db);
	checkpointer->db = NULL;
	pthread_cond_destroy(&checkpointer->wake);
	pthread_mutex_destroy(&checkpointer->lock);
}
