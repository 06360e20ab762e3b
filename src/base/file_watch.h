/* file_watch.h - one thread that notices changed files: inotify, and a look every few seconds for file systems without it. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/watchdog.h"

struct watch;

/* Calls `changed` on the watch's own thread, about 20 ms after something in one of the directories (NULL-terminated) was written, moved,
 * made or removed, and every few seconds in any case. Directories that do not exist yet are watched once they do. `pulse` is the thread's, or
 * NULL. */
enum error_code watch_start(const char *const *directories, void (*changed)(void *context), void *context, struct pulse *pulse,
	struct watch **watch, struct error *error);
void watch_stop(struct watch *watch);
