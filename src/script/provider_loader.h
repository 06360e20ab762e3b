/* provider_loader.h - loads provider scripts and publishes them as a set; loads them anew when files change. */
#pragma once

#include "base/error.h"
#include "base/watchdog.h"
#include "script/provider_set.h"

struct provider_loader;

/* Loads every script of `providers_directory` with the helpers of both directories. Scripts that do not load are logged and listed; those that
 * `standstills` names (script/standstill.h) are not loaded, or rest. `pulse` is that of the thread that loads, or NULL; borrowed. ERROR_MEMORY: the
 * process has no memory or no descriptor left. */
enum error_code provider_loader_open(const char *providers_directory, const char *lua_directory, const char *standstills,
	struct pulse *pulse, struct provider_loader **loader, struct error *error);
void provider_loader_close(struct provider_loader *loader); /* NULL: does nothing */

/* Looks at the files again and publishes a new set if anything changed: new, changed and removed scripts; a changed helper (script/library.h)
 * reloads all. While the process has no memory or no descriptor left all stays as it is, until the next look. Returns how many scripts were
 * loaded anew. One thread at a time. */
int provider_loader_reload(struct provider_loader *loader);

/* The current set, with one more holder: give it back with provider_set_release(). Any thread. */
struct provider_set *provider_loader_acquire(struct provider_loader *loader);
