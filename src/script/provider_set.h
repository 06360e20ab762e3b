/* provider_set.h - all providers that are loaded now, found by name and kind (design 6, hot reload).
 *
 * Readers hold an immutable set; the loader publishes a new one when a file changes. A script that does not load keeps its last
 * good version, and its error stands beside it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/watchdog.h"
#include "script/provider.h"

struct provider_loader;

struct provider_entry {
	char *file;		   /* "providers/image_fal.lua" */
	struct provider *provider; /* NULL: no version of this file has loaded yet */
	bool waits_for_name;	   /* refused only because another file has its name: tried again at each change */
	char *error;		   /* why the newest text of the file does not load ("providers/x.lua:3: ..."), or NULL */
};

struct provider_set {
	_Atomic int holders;
	uint64_t generation;		/* grows with every published set */
	struct provider_entry *entries; /* in the order of the kinds, then of files as main catalogs list them */
	size_t count;
};

/* Loads every script of `providers_directory` with the helpers of both directories. Scripts that do not load are logged and listed; those that
 * `standstills` names (script/standstill.h) are not loaded, or rest. `pulse` is that of the thread that loads, or NULL. */
enum error_code provider_loader_open(const char *providers_directory, const char *lua_directory, const char *standstills,
	struct pulse *pulse, struct provider_loader **loader, struct error *error);
void provider_loader_close(struct provider_loader *loader);

/* Looks at the files again and publishes a new set if anything changed: new, changed and removed scripts; a changed helper (script/library.h)
 * reloads all. Returns how many scripts were loaded anew. One thread at a time (the loader). */
int provider_loader_reload(struct provider_loader *loader);

struct provider_set *provider_set_acquire(struct provider_loader *loader);
void provider_set_release(struct provider_set *set);

/* The provider of this kind with this id or alias, in any letter case and trimmed; NULL when there is none. Borrowed from the set. */
struct provider *provider_set_find(const struct provider_set *set, const char *kind, const char *name);
