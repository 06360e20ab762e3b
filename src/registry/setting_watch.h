/* setting_watch.h - follows what other hosts of the registry do to its settings: a thread that looks from time to time, and when it is told to. */
#pragma once

#include "registry/setting.h"

struct setting_watch;

/* `changed` is called on the watch's thread for each setting that there is, then for each that was changed, by whichever host, in the order of changes.
 * ERROR_IO: no thread. */
enum error_code setting_watch_start(struct task_store *store,
	void (*changed)(void *context, const char *name, const char *value, int64_t revision), void *context,
	struct setting_watch **watch, struct error *error);

/* Something was changed. Any thread; never blocks. NULL is allowed. */
void setting_watch_look(struct setting_watch *watch);

/* Before the store is closed. NULL is allowed. */
void setting_watch_stop(struct setting_watch *watch);
