/* provider_set.c - loads, reloads and publishes the set of providers. The loader thread writes, everyone reads.
 *
 * The only lock guards the pointer to the current set, for the time of one increment. Loading happens outside it. */
#include "script/provider_set.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/test_setting.h"
#include "base/text.h"
#include "script/standstill.h"

struct source {
	char *name;    /* "image_fal.lua" */
	char *problem; /* why it could not be read, or NULL */
	char *text;    /* NULL once the scripts are made from it: `digest` tells a change */
	size_t length;
	uint64_t digest;
};

struct source_list {
	struct source *items;
	size_t count;
	bool starved; /* something is missing for want of memory */
};

struct provider_loader {
	char *providers_directory, *lua_directory;
	struct script_library *library;
	struct source_list sources; /* what the current set was made from */
	bool library_is_new;	    /* no set is made from it yet */
	uint64_t generation;
	json_t *standstills; /* scripts that stood still in an earlier run */
	struct pulse *pulse; /* of the thread that loads; or NULL */
	pthread_mutex_t lock;
	struct provider_set *current; /* under lock */
};

/* ---- files ---- */

static void free_sources(struct source_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].problem);
		free(list->items[i].text);
	}
	free(list->items);
	*list = (struct source_list){ 0 };
}

static void forget_texts(struct source_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].text);
		list->items[i].text = NULL;
	}
}

static int compare_sources(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->name, ((const struct source *)b)->name);
}

static bool is_script(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* The text, or why there is none. False: it is not there (any more). */
static bool read_text(const char *path, struct source *source, bool *starved)
{
	struct error error;

	switch (file_read(path, LIMIT_SCRIPT_FILE_BYTES, &source->text, &source->length, &error)) {
	case ERROR_NONE: source->digest = text_digest(source->text, source->length); return true;
	case ERROR_NOT_FOUND: return false;
	case ERROR_MEMORY: *starved = true; return false;
	default: break;
	}
	source->problem = strdup(error.message);
	*starved |= source->problem == NULL;
	if (source->problem == NULL)
		return false;
	source->digest = text_digest(source->problem, strlen(source->problem));
	return true;
}

static void read_source(const char *directory, const char *name, struct source_list *list)
{
	char *path = file_join(directory, name);
	struct source source = { .name = strdup(name) };
	struct source *grown = realloc(list->items, (list->count + 1) * sizeof *grown);

	if (grown != NULL)
		list->items = grown;
	if (path != NULL && source.name != NULL && grown != NULL && read_text(path, &source, &list->starved))
		list->items[list->count++] = source;
	else
		free(source.name);
	list->starved |= path == NULL || source.name == NULL || grown == NULL;
	free(path);
}

static struct source_list read_sources(const char *directory)
{
	struct source_list list = { 0 };
	struct dirent *entry;
	DIR *listing = opendir(directory);

	list.starved = listing == NULL && errno == ENOMEM;
	while (listing != NULL && (entry = readdir(listing)) != NULL && list.count < LIMIT_PROVIDERS)
		if (is_script(entry->d_name))
			read_source(directory, entry->d_name, &list);
	if (listing != NULL)
		closedir(listing);
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, compare_sources);
	return list;
}

static const struct source *find_source(const struct source_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static bool same_text(const struct source *a, const struct source *b)
{
	return a != NULL && b != NULL && a->length == b->length && a->digest == b->digest;
}

static bool same_sources(const struct source_list *a, const struct source_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].name, b->items[i].name) != 0 || !same_text(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/* ---- sets ---- */

static struct provider_set *new_set(size_t room, uint64_t generation)
{
	struct provider_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	atomic_store(&set->holders, 1);
	set->generation = generation;
	set->entries = calloc(room > 0 ? room : 1, sizeof *set->entries);
	if (set->entries == NULL) {
		free(set);
		return NULL;
	}
	return set;
}

static void free_entry(struct provider_entry *entry)
{
	free(entry->file);
	free(entry->error);
	provider_release(entry->provider);
}

void provider_set_release(struct provider_set *set)
{
	if (set == NULL || atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->count; i++)
		free_entry(&set->entries[i]);
	free(set->entries);
	free(set);
}

struct provider_set *provider_set_acquire(struct provider_loader *loader)
{
	struct provider_set *set;

	pthread_mutex_lock(&loader->lock);
	set = loader->current;
	atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
	pthread_mutex_unlock(&loader->lock);
	return set;
}

static void publish(struct provider_loader *loader, struct provider_set *set)
{
	struct provider_set *old;

	pthread_mutex_lock(&loader->lock);
	old = loader->current;
	loader->current = set;
	pthread_mutex_unlock(&loader->lock);
	provider_set_release(old);
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

		if (provider != NULL && (kind == NULL || strcmp(provider->manifest.kind, kind) == 0) &&
			answers_to(provider, folded))
			return provider;
	}
	return NULL;
}

/* ---- loading ---- */

struct loading {
	struct provider_loader *loader;
	struct provider_set *set;	   /* being made */
	const struct source_list *sources; /* the files that are there now */
};

static const struct provider_entry *entry_of(const struct provider_set *set, const char *file)
{
	for (size_t i = 0; set != NULL && i < set->count; i++)
		if (strcmp(set->entries[i].file, file) == 0)
			return &set->entries[i];
	return NULL;
}

/* The provider of another file that answers to this name: in the new set, or in the current one if its file is still there. */
static const struct provider *name_holder(const struct loading *loading, const char *file, const char *name)
{
	const struct provider *other = provider_set_find(loading->set, NULL, name);

	if (other == NULL && loading->loader->current != NULL)
		other = provider_set_find(loading->loader->current, NULL, name);
	if (other == NULL || strcmp(other->file, file) == 0 ||
		find_source(loading->sources, other->file + strlen("providers/")) == NULL)
		return NULL;
	return other;
}

/* An id or alias may belong to one provider only; the one that was there first keeps it. */
static enum error_code check_names(const struct loading *loading, const struct provider *provider, struct error *error)
{
	const char *name = provider->manifest.id;
	char **alias = provider->manifest.aliases;

	for (; name != NULL; name = *alias != NULL ? *alias++ : NULL) {
		const struct provider *other = name_holder(loading, provider->file, name);

		if (other != NULL)
			return error_set(error, ERROR_SCRIPT, "id", "%s:1: the name '%s' is taken by %s", provider->file, name,
				other->file);
	}
	return ERROR_NONE;
}

/* Of a script's text and all that it may require. */
static uint64_t digest_of(const struct provider_loader *loader, const struct source *source)
{
	return source->digest * 31 + script_library_digest(loader->library);
}

/* Loads the text, unless that stood still before; one that stood still in a call is loaded, and rests. */
static enum error_code load_text(
	struct provider_loader *loader, struct provider_entry *entry, const struct source *source, struct error *error)
{
	uint64_t digest = digest_of(loader, source);
	const char *at = NULL, *step = standstills_find(loader->standstills, entry->file, digest, &at);
	enum error_code code;

	if (step != NULL && strcmp(step, STANDSTILL_LOAD) == 0)
		return error_set(error, ERROR_SCRIPT, NULL,
			"%s:1: not loaded: loading it did not come back (%s), and the host had to be ended; it is tried again "
			"when "
			"it is changed",
			entry->file, at);
	pulse_enter(loader->pulse, entry->file, STANDSTILL_LOAD, digest);
	test_stall(entry->file, STANDSTILL_LOAD);
	code = provider_load(
		entry->file, source->text, source->length, loader->library, ++loader->generation, &entry->provider, error);
	pulse_leave(loader->pulse);
	if (code != ERROR_NONE)
		return code;
	entry->provider->digest = digest;
	if (step != NULL)
		provider_stood_still(entry->provider, step, at);
	return ERROR_NONE;
}

/* False: out of memory. */
static bool load_entry(const struct loading *loading, struct provider_entry *entry, const struct source *source,
	const struct provider_entry *before)
{
	struct provider_loader *loader = loading->loader;
	struct error error = { 0 };
	enum error_code code;

	if (source->problem != NULL)
		code = error_set(&error, ERROR_SCRIPT, NULL, "%s:1: %s", entry->file, source->problem);
	else
		code = load_text(loader, entry, source, &error);
	if (code == ERROR_NONE) {
		code = check_names(loading, entry->provider, &error);
		entry->waits_for_name = code != ERROR_NONE;
	}
	if (code == ERROR_NONE) {
		log_message(LOG_INFO, "script.loaded", "%s generation %llu", entry->file,
			(unsigned long long)entry->provider->generation);
		return true;
	}
	if (code == ERROR_MEMORY)
		return false;
	log_message(LOG_ERROR, "script.rejected", "%s", error.message);
	provider_release(entry->provider);
	entry->provider = before != NULL && before->provider != NULL ? provider_hold(before->provider) : NULL;
	entry->error = strdup(error.message);
	return entry->error != NULL;
}

/* Adds one file to the set: the version before when nothing changed, else a new one, which is counted. False: out of memory. */
static bool add_entry(const struct loading *loading, const struct source *source, bool reload_all, int *loaded)
{
	struct provider_loader *loader = loading->loader;
	struct provider_entry entry = { 0 };
	const struct provider_entry *before;
	bool load, added;

	if (asprintf(&entry.file, "providers/%s", source->name) == -1)
		return false;
	before = entry_of(loader->current, entry.file);
	load = reload_all || before == NULL || before->waits_for_name ||
	       !same_text(source, find_source(&loader->sources, source->name));
	if (load) {
		added = load_entry(loading, &entry, source, before);
	} else {
		entry.provider = before->provider != NULL ? provider_hold(before->provider) : NULL;
		entry.error = before->error != NULL ? strdup(before->error) : NULL;
		added = before->error == NULL || entry.error != NULL;
	}
	if (added) {
		loading->set->entries[loading->set->count++] = entry;
		*loaded += load;
	} else {
		free_entry(&entry);
	}
	return added;
}

static void log_removed(const struct provider_loader *loader, const struct source_list *sources)
{
	for (size_t i = 0; i < loader->sources.count; i++)
		if (find_source(sources, loader->sources.items[i].name) == NULL)
			log_message(LOG_INFO, "script.removed", "providers/%s", loader->sources.items[i].name);
}

/* Reads the helpers anew; what is as it was stays. False: out of memory. */
static bool renew_library(struct provider_loader *loader)
{
	struct script_library *library;
	struct error error;

	if (script_library_read(loader->lua_directory, loader->providers_directory, &library, &error) != ERROR_NONE)
		return false;
	if (loader->library != NULL && script_library_digest(loader->library) == script_library_digest(library)) {
		script_library_release(library);
		return true;
	}
	script_library_log_problems(library);
	script_library_release(loader->library);
	loader->library = library;
	loader->library_is_new = true;
	return true;
}

/* Want of memory is no file's fault: all stays as it is, and the next look tries again. */
static int put_off(void)
{
	log_message(LOG_ERROR, "script.rejected", "out of memory: the scripts stay as they were until the next look");
	return 0;
}

/* NULL: out of memory. */
static struct provider_set *make_set(
	struct provider_loader *loader, const struct source_list *sources, bool reload_all, int *loaded)
{
	struct provider_set *set = new_set(sources->count, loader->current != NULL ? loader->current->generation + 1 : 1);
	struct loading loading = { .loader = loader, .set = set, .sources = sources };

	for (size_t i = 0; set != NULL && i < sources->count; i++) {
		if (!add_entry(&loading, &sources->items[i], reload_all, loaded)) {
			provider_set_release(set);
			set = NULL;
		}
	}
	return set;
}

int provider_loader_reload(struct provider_loader *loader)
{
	struct source_list sources = read_sources(loader->providers_directory);
	struct provider_set *set;
	int loaded = 0;

	if (sources.starved || !renew_library(loader)) {
		free_sources(&sources);
		return put_off();
	}
	if (loader->current != NULL && !loader->library_is_new && same_sources(&sources, &loader->sources)) {
		free_sources(&sources);
		return 0;
	}
	set = make_set(loader, &sources, loader->library_is_new, &loaded);
	if (set == NULL) {
		free_sources(&sources);
		return put_off();
	}
	loader->library_is_new = false;
	log_removed(loader, &sources);
	free_sources(&loader->sources);
	forget_texts(&sources);
	loader->sources = sources;
	publish(loader, set);
	return loaded;
}

enum error_code provider_loader_open(const char *providers_directory, const char *lua_directory, const char *standstills,
	struct pulse *pulse, struct provider_loader **loader, struct error *error)
{
	struct provider_loader *made = calloc(1, sizeof *made);

	if (made == NULL)
		return error_memory(error);
	pthread_mutex_init(&made->lock, NULL);
	made->providers_directory = strdup(providers_directory);
	made->lua_directory = strdup(lua_directory);
	made->standstills = standstills_read(standstills);
	made->pulse = pulse;
	if (made->providers_directory != NULL && made->lua_directory != NULL && made->standstills != NULL)
		provider_loader_reload(made);
	if (made->current == NULL) {
		provider_loader_close(made);
		return error_memory(error);
	}
	*loader = made;
	return ERROR_NONE;
}

void provider_loader_close(struct provider_loader *loader)
{
	if (loader == NULL)
		return;
	provider_set_release(loader->current);
	script_library_release(loader->library);
	free_sources(&loader->sources);
	free(loader->providers_directory);
	free(loader->lua_directory);
	json_decref(loader->standstills);
	pthread_mutex_destroy(&loader->lock);
	free(loader);
}
