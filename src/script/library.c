/* library.c - holds the texts of lua/, and of the folders of lua/ and providers/. Built by the loader thread, immutable afterwards, counted by
 * holders. What could not be read is held with its problem: who requires it is told, and nobody else minds. */
#include "script/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#define SUFFIX ".lua"
#define SUFFIX_LENGTH (sizeof SUFFIX - 1)

struct script_library {
	_Atomic int holders;
	struct script_module *modules; /* in the order of their files */
	size_t count;
	uint64_t digest;
	bool full; /* there are more than it takes */
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
			"there is no lua/NAME.lua and no FOLDER/NAME.lua of this name: NAME or FOLDER.NAME, of letters, digits, "
			"'_' and '-', "
			"is expected");
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

static enum error_code read_module(
	const struct folder *folder, const char *file, struct script_module *module, struct error *error)
{
	char *path = file_join(folder->path, file);
	enum error_code code;

	if (path == NULL || asprintf(&module->file, "%s/%s", folder->shown, file) == -1)
		module->file = NULL;
	if (module->file == NULL ||
		asprintf(&module->name, "%s%.*s", folder->prefix, (int)(strlen(file) - SUFFIX_LENGTH), file) == -1)
		module->name = NULL;
	if (module->name == NULL) {
		free(path);
		return error_memory(error);
	}
	code = file_read(path, LIMIT_SCRIPT_FILE_BYTES, &module->text, &module->length, error);
	free(path);
	if (code == ERROR_NONE || code == ERROR_MEMORY || code == ERROR_NOT_FOUND)
		return code;
	module->problem = strdup(error->message);
	return module->problem != NULL ? ERROR_NONE : error_memory(error);
}

static enum error_code add_module(
	struct script_library *library, const struct folder *folder, const char *file, struct error *error)
{
	struct script_module module = { 0 };
	struct script_module *grown;
	enum error_code code;

	if (library->count == LIMIT_SCRIPT_MODULES) {
		library->full = true;
		return ERROR_NONE;
	}
	grown = realloc(library->modules, (library->count + 1) * sizeof *grown);
	if (grown == NULL)
		return error_memory(error);
	library->modules = grown;
	code = read_module(folder, file, &module, error);
	if (code == ERROR_NONE) {
		library->modules[library->count++] = module;
		return ERROR_NONE;
	}
	module_free(&module);
	return code == ERROR_NOT_FOUND ? ERROR_NONE : code;
}

/* The files of a folder; what is no folder has none. */
static enum error_code read_modules(struct script_library *library, const struct folder *folder, struct error *error)
{
	DIR *listing = opendir(folder->path);
	enum error_code code = listing == NULL && errno == ENOMEM ? error_memory(error) : ERROR_NONE;
	struct dirent *entry;

	while (code == ERROR_NONE && listing != NULL && (entry = readdir(listing)) != NULL)
		if (is_module_file(entry->d_name))
			code = add_module(library, folder, entry->d_name, error);
	if (listing != NULL)
		closedir(listing);
	return code;
}

static enum error_code read_folder(
	struct script_library *library, const char *directory, const char *shown, const char *name, struct error *error)
{
	char shown_path[64 + LIMIT_SCRIPT_NAME_BYTES], prefix[LIMIT_SCRIPT_NAME_BYTES + 2];
	char *path = file_join(directory, name);
	struct folder folder = { .path = path, .shown = shown_path, .prefix = prefix };
	enum error_code code;

	snprintf(shown_path, sizeof shown_path, "%s/%s", shown, name);
	snprintf(prefix, sizeof prefix, "%s.", name);
	code = path != NULL ? read_modules(library, &folder, error) : error_memory(error);
	free(path);
	return code;
}

/* The folders in a directory, one level. */
static enum error_code read_folders(struct script_library *library, const char *directory, const char *shown, struct error *error)
{
	DIR *listing = opendir(directory);
	enum error_code code = listing == NULL && errno == ENOMEM ? error_memory(error) : ERROR_NONE;
	struct dirent *entry;

	while (code == ERROR_NONE && listing != NULL && (entry = readdir(listing)) != NULL)
		if (entry->d_type != DT_REG && is_module_word(entry->d_name, strlen(entry->d_name)))
			code = read_folder(library, directory, shown, entry->d_name, error);
	if (listing != NULL)
		closedir(listing);
	return code;
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

enum error_code script_library_read(
	const char *lua_directory, const char *providers_directory, struct script_library **library, struct error *error)
{
	struct script_library *made = calloc(1, sizeof *made);
	enum error_code code;

	if (made == NULL)
		return error_memory(error);
	atomic_store(&made->holders, 1);
	code = read_modules(made, &(struct folder){ .path = lua_directory, .shown = "lua", .prefix = "" }, error);
	if (code == ERROR_NONE)
		code = read_folders(made, lua_directory, "lua", error);
	if (code == ERROR_NONE && providers_directory != NULL)
		code = read_folders(made, providers_directory, "providers", error);
	if (code != ERROR_NONE) {
		script_library_release(made);
		return code;
	}
	if (made->count > 1)
		qsort(made->modules, made->count, sizeof *made->modules, compare_modules);
	made->digest = modules_digest(made);
	*library = made;
	return ERROR_NONE;
}
