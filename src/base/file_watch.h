/* file_watch.h - one thread that notices changed files: inotify, and a look every few seconds for file systems without it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/watchdog.h"

struct watch;

struct watch_directory {
	const char *path;
	int folders; /* so many levels of folders in it too, those whose names do not begin with a dot */
};

/* Calls `changed` on the watch's own thread, about 20 ms after something in one of the directories was written, moved, made or removed, and every few
 * seconds in any case. The list is copied and ends with a NULL path. Directories and folders that do not exist yet are watched once they do; of more
 * than LIMIT_WATCHED folders the others wait for the next look. `pulse` is the thread's, or NULL. */
enum error_code watch_start(const struct watch_directory *directories, void (*changed)(void *context), void *context,
	struct pulse *pulse, struct watch **watch, struct error *error);
void watch_stop(struct watch *watch);
