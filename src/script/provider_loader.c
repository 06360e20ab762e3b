/* provider_loader.c - loads, reloads and publishes providers. The loader's thread writes, everyone reads.
 *
 * The only lock guards the pointer to the current set, for the time of one increment. Loading happens outside it. */
#include "script/provider_loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "script/script_problem.h"
#include "script/script_source.h"
#include "script/standstill.h"

#define SHOWN_DIRECTORY "providers"

struct provider_loader {
	char *providers_directory, *lua_directory;
	struct script_library *library;
	struct script_sources sources; /* what the current set was made from */
	bool library_is_new;	       /* no set is made from it yet */
	uint64_t generation;
	json_t *standstills;	      /* scripts that stood still in an earlier run */
	struct pulse *pulse;	      /* of the thread that loads; or NULL */
	struct instance_watch *watch; /* of the providers' calls */
	pthread_mutex_t lock;
	struct provider_set *current; /* under lock; NULL before the first */
};

struct provider_set *provider_loader_acquire(struct provider_loader *loader)
{
	struct provider_set *set;

	pthread_mutex_lock(&loader->lock);
	set = provider_set_hold(loader->current);
	pthread_mutex_unlock(&loader->lock);
	return set;
}

static void publish_set(struct provider_loader *loader, struct provider_set *set)
{
	struct provider_set *old;

	pthread_mutex_lock(&loader->lock);
	old = loader->current;
	loader->current = set;
	pthread_mutex_unlock(&loader->lock);
	provider_set_release(old);
}

/* ---- one script ---- */

/* One look at the files. */
struct look {
	struct provider_loader *loader;
	struct provider_set *set;	      /* being made */
	const struct script_sources *sources; /* the files that are there now */
	bool reload_all;
	int loaded; /* scripts */
};

/* The provider of another file that answers to this name: in the new set, or in the current one if its file is still there. */
static const struct provider *name_holder(const struct look *look, const char *file, const char *name)
{
	const struct provider *other = provider_set_find(look->set, NULL, name);

	if (other == NULL && look->loader->current != NULL)
		other = provider_set_find(look->loader->current, NULL, name);
	if (other == NULL || strcmp(other->file, file) == 0 ||
		script_sources_find(look->sources, other->file + strlen(SHOWN_DIRECTORY "/")) == NULL)
		return NULL;
	return other;
}

/* An id or alias may belong to one provider only; the one that was there first keeps it. */
static enum error_code check_names(const struct look *look, const struct provider *provider, struct error *error)
{
	const char *name = provider->manifest.id;
	char **alias = provider->manifest.aliases;

	for (; name != NULL; name = *alias != NULL ? *alias++ : NULL) {
		const struct provider *other = name_holder(look, provider->file, name);

		if (other != NULL)
			return error_set(error, ERROR_SCRIPT, "id", "%s:1: the name '%s' is taken by %s", provider->file, name,
				other->file);
	}
	return ERROR_NONE;
}

/* Loads the text, unless that stood still before; one that stood still in a call is loaded, and rests. */
static enum error_code load_text(
	struct provider_loader *loader, struct provider_entry *entry, const struct script_source *source, struct error *error)
{
	uint64_t digest =
		source->digest * 31 + script_library_digest(loader->library); /* of the text and all that it may require */
	const char *at = NULL, *step = standstills_find(loader->standstills, entry->file, digest, &at);
	enum error_code code;

	if (step != NULL && strcmp(step, STANDSTILL_LOAD) == 0)
		return error_set(error, ERROR_SCRIPT, NULL,
			"%s:1: not loaded: loading it did not come back (%s), and the host had to be ended; it is "
			"tried again when it is changed",
			entry->file, at);
	pulse_enter(loader->pulse, entry->file, STANDSTILL_LOAD, digest);
	test_stall(entry->file, STANDSTILL_LOAD);
	code = provider_load(&(struct provider_source){ .file = entry->file,
				     .text = source->text,
				     .length = source->length,
				     .library = loader->library,
				     .digest = digest,
				     .generation = ++loader->generation,
				     .watch = loader->watch },
		&entry->provider, error);
	pulse_leave(loader->pulse);
	if (code == ERROR_NONE && step != NULL)
		provider_stood_still(entry->provider, step, at);
	return code;
}

static struct provider *last_good(const struct provider_entry *before)
{
	return before != NULL && before->provider != NULL ? provider_hold(before->provider) : NULL;
}

/* Fills the entry with what the file has now; one that does not load keeps its version before. False: no memory. */
static bool load_entry(const struct look *look, struct provider_entry *entry, const struct script_source *source,
	const struct provider_entry *before)
{
	struct error error = { 0 };
	enum error_code code;

	if (source->problem != NULL)
		code = error_set(&error, ERROR_SCRIPT, NULL, "%s:1: %s", entry->file, source->problem);
	else
		code = load_text(look->loader, entry, source, &error);
	if (code == ERROR_NONE) {
		code = check_names(look, entry->provider, &error);
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
	entry->provider = last_good(before);
	entry->problem = script_problem_quoted(error.message, entry->file, source->text, source->length, look->loader->library);
	return true;
}

/* Adds one file to the set: the version before when nothing changed, else a new one. False: no memory. */
static bool add_entry(struct look *look, const struct script_source *source)
{
	const struct provider_loader *loader = look->loader;
	struct provider_entry entry = { .file = file_join(SHOWN_DIRECTORY, source->name) };
	const struct provider_entry *before = loader->current != NULL ? provider_set_entry(loader->current, entry.file) : NULL;
	bool load = look->reload_all || before == NULL || before->waits_for_name ||
		    !script_source_same(source, script_sources_find(&loader->sources, source->name));

	if (!load) {
		entry.provider = last_good(before);
		entry.problem = file_problem_hold(before->problem);
	} else if (!load_entry(look, &entry, source, before)) {
		provider_entry_free(&entry);
		return false;
	}
	look->set->entries[look->set->count++] = entry;
	look->loaded += load;
	return true;
}

/* ---- a look ---- */

static void log_removed(const struct provider_loader *loader, const struct script_sources *sources)
{
	for (size_t i = 0; i < loader->sources.count; i++)
		if (script_sources_find(sources, loader->sources.items[i].name) == NULL)
			log_message(LOG_INFO, "script.removed", "%s/%s", SHOWN_DIRECTORY, loader->sources.items[i].name);
}

/* Reads the helpers anew; what is as it was stays. False: they could not be read whole. */
static bool renew_library(struct provider_loader *loader)
{
	struct script_library *library = script_library_read(loader->lua_directory, loader->providers_directory);

	if (library == NULL)
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

static bool nothing_changed(const struct provider_loader *loader, const struct script_sources *sources)
{
	return loader->current != NULL && !loader->library_is_new && script_sources_same(sources, &loader->sources);
}

/* False: no memory for one of the scripts. */
static bool make_set(struct look *look)
{
	const struct provider_set *current = look->loader->current;

	look->set = provider_set_new(look->sources->count, current != NULL ? current->generation + 1 : 1);
	for (size_t i = 0; i < look->sources->count; i++)
		if (!add_entry(look, &look->sources->items[i]))
			return false;
	return true;
}

int provider_loader_reload(struct provider_loader *loader)
{
	struct script_sources sources = script_sources_read(loader->providers_directory);
	struct look look = { .loader = loader, .sources = &sources };
	bool whole = !sources.starved && renew_library(loader);

	if (whole && nothing_changed(loader, &sources)) {
		script_sources_free(&sources);
		return 0;
	}
	look.reload_all = loader->library_is_new;
	if (!whole || !make_set(&look)) { /* no file's fault: the next look tries again */
		log_message(LOG_ERROR, "script.rejected",
			"no memory or no descriptor is left: the scripts stay as they were until the next look");
		provider_set_release(look.set);
		script_sources_free(&sources);
		return 0;
	}
	loader->library_is_new = false;
	log_removed(loader, &sources);
	script_sources_free(&loader->sources);
	script_sources_forget_texts(&sources);
	loader->sources = sources;
	publish_set(loader, look.set);
	return look.loaded;
}

enum error_code provider_loader_open(
	const struct provider_loader_options *options, struct provider_loader **loader, struct error *error)
{
	struct provider_loader *made = memory_new(sizeof *made);

	pthread_mutex_init(&made->lock, NULL);
	made->providers_directory = memory_copy_text(options->providers);
	made->lua_directory = memory_copy_text(options->lua);
	made->standstills = standstills_read(options->standstills);
	made->pulse = options->pulse;
	made->watch = options->instances;
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
	script_sources_free(&loader->sources);
	free(loader->providers_directory);
	free(loader->lua_directory);
	json_decref(loader->standstills);
	pthread_mutex_destroy(&loader->lock);
	free(loader);
}
