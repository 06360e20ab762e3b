/* sqlite_checkpoint.h - carries the write-ahead log over to the database beside the writing, so that no write waits for it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include <sqlite3.h>

#include "base/error.h"

enum checkpoint_state {
	CHECKPOINT_RESTING = 0,
	CHECKPOINT_COPYING,
	CHECKPOINT_COPIED, /* all but what was written meanwhile; the thread that writes carries the rest over */
};

struct checkpointer {
	sqlite3 *db;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	enum checkpoint_state state;
	bool stopping;
};

/* Opens a connection to an existing database and starts the thread. */
enum error_code checkpointer_open(struct checkpointer *checkpointer, const char *path, const char *name, struct error *error);
void checkpointer_close(struct checkpointer *checkpointer);

/* Begins copying if it rests. Never waits. */
void checkpointer_request(struct checkpointer *checkpointer);

/* Has a copy ended since the last request? Then it rests again. */
bool checkpointer_ended(struct checkpointer *checkpointer);
