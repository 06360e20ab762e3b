/* registry_start.h - opens the registry at the start of a host, which waits for a server that is not there yet. */
#pragma once

#include "registry/store.h"

/* As task_store_open(). A registry on a server is tried again for LIMIT_REGISTRY_START_MS while the server cannot be reached or is starting; SIGTERM and SIGINT,
 * which are blocked in every thread, end that. Main thread. */
enum error_code registry_start(const char *home, const char *url, int keep_days, struct task_store **store, struct error *error);
