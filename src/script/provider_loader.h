/* provider_loader.h - loads provider scripts and publishes them as a set; loads them anew when files change. */
#pragma once

#include "base/error.h"
#include "base/watchdog.h"
#include "script/provider_set.h"

struct provider_loader;

struct provider_loader_options {
	const char *providers, *lua;	  /* folders: of scripts, and of helpers for both */
	const char *standstills;	  /* the file that names scripts which are not loaded, or rest (script/standstill.h) */
	struct pulse *pulse;		  /* of the thread that loads, or NULL; borrowed */
	struct instance_watch *instances; /* looks after their calls; outlives the loader and what it has loaded */
};

/* Loads every script. Scripts that do not load are logged and listed. ERROR_MEMORY: the process has no memory or no descriptor left. */
enum error_code provider_loader_open(
	const struct provider_loader_options *options, struct provider_loader **loader, struct error *error);
void provider_loader_close(struct provider_loader *loader); /* NULL: does nothing */

/* Looks at the files again and publishes a new set if anything changed: new, changed and removed scripts; a changed helper (script/library.h)
 * reloads all. While the process has no memory or no descriptor left all stays as it is, until the next look. Returns how many scripts were
 * loaded anew. One thread at a time. */
int provider_loader_reload(struct provider_loader *loader);

/* The current set, with one more holder: give it back with provider_set_release(). Any thread. */
struct provider_set *provider_loader_acquire(struct provider_loader *loader);
