/* provider_set.h - all providers of one look at the files, found by name and kind.
 *
 * Immutable once it is published, so whoever holds one may read it on any thread. A script that does not load keeps its last good version, and its
 * error stands beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file_problem.h"
#include "script/provider.h"

struct provider_entry {
	char *file;		      /* "providers/image_fal.lua" */
	struct provider *provider;    /* held; NULL: no version of this file has loaded yet */
	bool waits_for_name;	      /* refused only because another file has its name: tried again at each change */
	struct file_problem *problem; /* held: why the newest text of the file does not load, or NULL */
};

struct provider_set {
	_Atomic int holders;
	uint64_t generation;		/* grows with every published set */
	struct provider_entry *entries; /* by file */
	size_t count;
};

/* An empty set with room for so many entries, and one holder. */
struct provider_set *provider_set_new(size_t room, uint64_t generation);
struct provider_set *provider_set_hold(struct provider_set *set);
void provider_set_release(struct provider_set *set); /* NULL: does nothing */

/* Gives back what an entry holds. */
void provider_entry_free(struct provider_entry *entry);

/* The provider that serves this kind (NULL: any) with this id or alias, in any letter case and trimmed; NULL when there is none. Borrowed from the set. */
struct provider *provider_set_find(const struct provider_set *set, const char *kind, const char *name);

/* The entry of this file, or NULL. Borrowed from the set. */
const struct provider_entry *provider_set_entry(const struct provider_set *set, const char *file);
