/* shared_library.h - shared libraries that are loaded when they are first needed (net/curl.h, base/crypto.h). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Whether one is loaded; begins as LIBRARY_NOT_LOADED. */
struct library {
	_Atomic bool loaded;
	pthread_mutex_t lock;
};

#define LIBRARY_NOT_LOADED                                                                                                       \
	{                                                                                                                        \
		.loaded = false, .lock = PTHREAD_MUTEX_INITIALIZER                                                               \
	}

/* Calls `load` unless it has succeeded before: one that was not found is looked for again, for it may have been memory that was not there.
 * False: it is not loaded. Any thread. */
bool library_load(struct library *library, bool (*load)(void));

/* The library by its soname, for the life of the process, or NULL. */
void *library_open(const char *soname);

/* Puts the address of the function `name` into the function pointer at `place`. */
bool library_find(void *library, const char *name, void *place);
