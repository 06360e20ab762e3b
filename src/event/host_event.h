/* host_event.h - events of the host itself: configuration read anew, live execution stopped, a budget refused. */
#pragma once

#include <stdbool.h>

#include "registry/store.h"

/* Writes an event of the host itself: `type` as clients see it ("host.script.reloaded"), `data` a JSON object or NULL; both are copied. It is
 * written soon, and waited for by nobody. Any thread. False when it cannot be: the store is stopping or has too much to do, or the texts are too long. */
bool host_event_emit(struct task_store *store, const char *type, const char *data);
