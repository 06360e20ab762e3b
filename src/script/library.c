/* library.c - holds the texts of lua/, and of the folders of lua/ and providers/. Built by the loader thread, immutable afterwards, counted by
 * holders. What could not be read is held with its problem: who requires it is told, and nobody else minds. */
#include "script/library.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/script_source.h"

#define SIMULATOR "sim" /* the folder of lua/ with the simulator's own: a quarter of a megabyte that no provider needs */
#define SUFFIX ".lua"
#define SUFFIX_LENGTH (sizeof SUFFIX - 1)

struct script_library {
	_Atomic int holders;
	struct script_module *modules; /* in the order of their files */
	size_t count;
	uint64_t digest;
	bool full;    /* there are more than it takes */
	bool starved; /* the process had no memory or no descriptor left: it is not whole */
};

struct script_library *script_library_hold(struct script_library *library)
{
	atomic_fetch_add(&library->holders, 1);
	return library;
}

static void module_free(struct script_module *module)
{
	free(module->name);
	free(module->file);
	free(module->text);
	free(module->problem);
}

void script_library_release(struct script_library *library)
{
	if (library == NULL || atomic_fetch_sub(&library->holders, 1) != 1)
		return;
	for (size_t i = 0; i < library->count; i++)
		module_free(&library->modules[i]);
	free(library->modules);
	free(library);
}

uint64_t script_library_digest(const struct script_library *library)
{
	return library->digest;
}

const char *script_library_name(const struct script_library *library, size_t index)
{
	return index < library->count ? library->modules[index].name : NULL;
}

const char *script_library_text(const struct script_library *library, const char *file, size_t *length)
{
	for (size_t i = 0; i < library->count; i++) {
		if (strcmp(library->modules[i].file, file) != 0)
			continue;
		*length = library->modules[i].length;
		return library->modules[i].text;
	}
	return NULL;
}

void script_library_log_problems(const struct script_library *library)
{
	for (size_t i = 0; i < library->count; i++)
		if (library->modules[i].problem != NULL)
			log_message(
				LOG_ERROR, "library.rejected", "%s: %s", library->modules[i].file, library->modules[i].problem);
	if (library->full)
		log_message(
			LOG_ERROR, "library.rejected", "more than %d helpers: the others are not there", LIMIT_SCRIPT_MODULES);
}

/* ---- names ---- */

static bool is_module_word(const char *text, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return length > 0 && length <= LIMIT_SCRIPT_NAME_BYTES && strspn(text, allowed) >= length;
}

static bool is_module_file(const char *name)
{
	size_t length = strlen(name);

	return length > SUFFIX_LENGTH && strcmp(name + length - SUFFIX_LENGTH, SUFFIX) == 0 &&
	       is_module_word(name, length - SUFFIX_LENGTH);
}

static bool is_module_name(const char *name, size_t length)
{
	const char *dot = memchr(name, '.', length);
	size_t first = dot != NULL ? (size_t)(dot - name) : length;

	return is_module_word(name, first) && (dot == NULL || is_module_word(dot + 1, length - first - 1));
}

static enum error_code no_such_module(const char *name, struct error *error)
{
	const char *dot = strchr(name, '.');
	int folder = dot != NULL ? (int)(dot - name) : 0;

	if (dot == NULL)
		return error_set(error, ERROR_SCRIPT, NULL, "there is no lua/%s.lua", name);
	return error_set(error, ERROR_SCRIPT, NULL, "there is no lua/%.*s/%s.lua and no providers/%.*s/%s.lua", folder, name,
		dot + 1, folder, name, dot + 1);
}

enum error_code script_library_find(const struct script_library *library, const char *name, size_t length,
	const struct script_module **module, struct error *error)
{
	const struct script_module *found = NULL;

	if (!is_module_name(name, length))
		return error_set(error, ERROR_SCRIPT, NULL,
			"there is no lua/NAME.lua and no FOLDER/NAME.lua of this name: NAME or FOLDER.NAME, of letters, "
			"digits, '_' and '-', is expected");
	for (size_t i = 0; i < library->count; i++) {
		if (strcmp(library->modules[i].name, name) != 0)
			continue;
		if (found != NULL)
			return error_set(error, ERROR_SCRIPT, NULL, "'%s' is %s and %s: rename one of them", name, found->file,
				library->modules[i].file);
		found = &library->modules[i];
	}
	if (found == NULL)
		return no_such_module(name, error);
	if (found->text == NULL)
		return error_set(error, ERROR_SCRIPT, NULL, "%s: %s", found->file, found->problem);
	*module = found;
	return ERROR_NONE;
}

/* ---- reading ---- */

/* A folder of helpers: its path, what it is called in messages, and in names. */
struct folder {
	const char *path;   /* "/srv/home/providers/fal" */
	const char *shown;  /* "providers/fal" */
	const char *prefix; /* "fal." */
};

/* Adds one; a file that is not there (any more) is none. */
static void read_module(struct script_library *library, const struct folder *folder, const char *file)
{
	char name[2 * LIMIT_SCRIPT_NAME_BYTES + 2], *path = file_join(folder->path, file);
	struct script_module module = { 0 };
	struct error error;
	enum error_code code = file_read(path, LIMIT_SCRIPT_FILE_BYTES, &module.text, &module.length, &error);

	free(path);
	library->starved |= code == ERROR_MEMORY;
	if (code == ERROR_MEMORY || code == ERROR_NOT_FOUND)
		return;
	if (code != ERROR_NONE)
		module.problem = memory_copy_text(error.message);
	snprintf(name, sizeof name, "%s%.*s", folder->prefix, (int)(strlen(file) - SUFFIX_LENGTH), file);
	module.name = memory_copy_text(name);
	module.file = file_join(folder->shown, file);
	library->modules = memory_resize(library->modules, (library->count + 1) * sizeof *library->modules);
	library->modules[library->count++] = module;
}

static void read_modules(struct script_library *library, const struct folder *folder)
{
	DIR *listing = script_listing(folder->path, &library->starved);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		if (!is_module_file(entry->d_name))
			continue;
		if (library->count < LIMIT_SCRIPT_MODULES)
			read_module(library, folder, entry->d_name);
		else
			library->full = true;
	}
	if (listing != NULL)
		closedir(listing);
}

static void read_folder(struct script_library *library, const char *directory, const char *shown, const char *name)
{
	char shown_path[64 + LIMIT_SCRIPT_NAME_BYTES], prefix[LIMIT_SCRIPT_NAME_BYTES + 2];
	char *path = file_join(directory, name);

	snprintf(shown_path, sizeof shown_path, "%s/%s", shown, name);
	snprintf(prefix, sizeof prefix, "%s.", name);
	read_modules(library, &(struct folder){ .path = path, .shown = shown_path, .prefix = prefix });
	free(path);
}

/* The folders in a directory, one level. */
static void read_folders(struct script_library *library, const char *directory, const char *shown, const char *but)
{
	DIR *listing = script_listing(directory, &library->starved);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (entry->d_type != DT_REG && strcmp(entry->d_name, but) != 0 &&
			is_module_word(entry->d_name, strlen(entry->d_name)))
			read_folder(library, directory, shown, entry->d_name);
	if (listing != NULL)
		closedir(listing);
}

static int compare_modules(const void *a, const void *b)
{
	return strcmp(((const struct script_module *)a)->file, ((const struct script_module *)b)->file);
}

static uint64_t modules_digest(const struct script_library *library)
{
	uint64_t digest = library->count;

	for (size_t i = 0; i < library->count; i++) {
		const struct script_module *module = &library->modules[i];

		digest = digest * 31 + text_digest(module->file, strlen(module->file));
		if (module->text != NULL)
			digest = digest * 31 + text_digest(module->text, module->length);
		else
			digest = digest * 31 + text_digest(module->problem, strlen(module->problem));
	}
	return digest;
}

struct script_library *script_library_read(const char *lua_directory, const char *providers_directory)
{
	struct script_library *library = memory_new(sizeof *library);

	atomic_store(&library->holders, 1);
	read_modules(library, &(struct folder){ .path = lua_directory, .shown = "lua", .prefix = "" });
	read_folders(library, lua_directory, "lua", providers_directory != NULL ? SIMULATOR : "");
	if (providers_directory != NULL)
		read_folders(library, providers_directory, "providers", "");
	if (library->starved) {
		script_library_release(library);
		return NULL;
	}
	if (library->count > 1)
		qsort(library->modules, library->count, sizeof *library->modules, compare_modules);
	library->digest = modules_digest(library);
	return library;
}
