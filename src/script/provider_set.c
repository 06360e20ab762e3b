/* provider_set.c - finds providers in a set, and frees a set when nobody holds it any more. Any thread. */
#include "script/provider_set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

struct provider_set *provider_set_new(size_t room, uint64_t generation)
{
	struct provider_set *set = memory_new(sizeof *set);

	atomic_store(&set->holders, 1);
	set->generation = generation;
	set->entries = memory_new_array(room, sizeof *set->entries);
	return set;
}

struct provider_set *provider_set_hold(struct provider_set *set)
{
	atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
	return set;
}

void provider_entry_free(struct provider_entry *entry)
{
	free(entry->file);
	file_problem_release(entry->problem);
	provider_release(entry->provider);
}

void provider_set_release(struct provider_set *set)
{
	if (set == NULL || atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->count; i++)
		provider_entry_free(&set->entries[i]);
	free(set->entries);
	free(set);
}

static bool answers_to(const struct provider *provider, const char *folded)
{
	if (strcasecmp(provider->manifest.id, folded) == 0)
		return true;
	for (char **alias = provider->manifest.aliases; *alias != NULL; alias++)
		if (strcasecmp(*alias, folded) == 0)
			return true;
	return false;
}

struct provider *provider_set_find(const struct provider_set *set, const char *kind, const char *name)
{
	char folded[64];

	if (!text_fold(name, folded, sizeof folded))
		return NULL;
	for (size_t i = 0; i < set->count; i++) {
		struct provider *provider = set->entries[i].provider;

		if (provider != NULL && (kind == NULL || provider_as(provider, kind) != NULL) && answers_to(provider, folded))
			return provider;
	}
	return NULL;
}

const struct provider_entry *provider_set_entry(const struct provider_set *set, const char *file)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->entries[i].file, file) == 0)
			return &set->entries[i];
	return NULL;
}
