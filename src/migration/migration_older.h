/* migration_older.h - lets a registry take itself for an older copy of what it was: a backup that was put back, or one that has moved away. Its jobs may have
 * been sent, paid for and ended since; so none of them is sent from here, and what became of them counts as unknown. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "migration/migration_side.h"

/* `side` is open, and no host uses it. What was under way is left to the next host: it finds the job's paid request sent, and its outcome not known. `open_jobs`: how many
 * that are. `was_restored`: an event tells of it, whose number lies so far ahead that none is given out twice. ERROR_IO, ERROR_BUSY. */
enum error_code migration_declare_older(struct migration_side *side, bool was_restored, int64_t *open_jobs, struct error *error);

/* Finds the registry, waits until no host lives on it, opens it and does that. Errors as migration_run(). */
enum error_code migration_restored(const char *home, const char *url, void (*tell)(void *context, const char *text),
	void *context, int64_t *open_jobs, struct error *error);
