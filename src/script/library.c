/* library.c - holds the texts of lua/. Built by the loader thread, immutable afterwards, counted by holders. */
#include "script/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

struct module {
	char *name;
	char *text;
	size_t length;
};

struct script_library {
	_Atomic int holders;
	struct module *modules;
	size_t count;
};

struct script_library *script_library_hold(struct script_library *library)
{
	atomic_fetch_add(&library->holders, 1);
	return library;
}

void script_library_release(struct script_library *library)
{
	if (library == NULL || atomic_fetch_sub(&library->holders, 1) != 1)
		return;
	for (size_t i = 0; i < library->count; i++) {
		free(library->modules[i].name);
		free(library->modules[i].text);
	}
	free(library->modules);
	free(library);
}

const char *script_library_find(const struct script_library *library, const char *name, size_t *length)
{
	for (size_t i = 0; i < library->count; i++) {
		if (strcmp(library->modules[i].name, name) == 0) {
			*length = library->modules[i].length;
			return library->modules[i].text;
		}
	}
	return NULL;
}

static enum error_code add_module(struct script_library *library, const char *directory, const char *file, struct error *error)
{
	struct module *grown = realloc(library->modules, (library->count + 1) * sizeof *grown);
	struct module module = { .name = strndup(file, strlen(file) - 4) };
	char *path = file_join(directory, file);
	enum error_code code = ERROR_MEMORY;

	if (grown != NULL)
		library->modules = grown;
	if (grown != NULL && module.name != NULL && path != NULL)
		code = file_read(path, LIMIT_SCRIPT_FILE_BYTES, &module.text, &module.length, error);
	else
		error_memory(error);
	free(path);
	if (code == ERROR_NONE) {
		library->modules[library->count++] = module;
		return ERROR_NONE;
	}
	free(module.name);
	if (code == ERROR_MEMORY)
		return code;
	/* the scripts that need it will say that it is not there; the others do not care */
	log_message(LOG_ERROR, "library.rejected", "lua/%s: %s", file, error->message);
	return ERROR_NONE;
}

static int is_lua_file(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && name[0] != '.' && strcmp(name + length - 4, ".lua") == 0;
}

enum error_code script_library_read(const char *directory, struct script_library **library, struct error *error)
{
	struct script_library *made = calloc(1, sizeof *made);
	enum error_code code = ERROR_NONE;
	struct dirent *entry;
	DIR *listing;

	if (made == NULL)
		return error_memory(error);
	atomic_store(&made->holders, 1);
	listing = opendir(directory);
	if (listing == NULL && errno == ENOMEM)
		code = error_memory(error);
	while (code == ERROR_NONE && listing != NULL && (entry = readdir(listing)) != NULL)
		if (is_lua_file(entry->d_name))
			code = add_module(made, directory, entry->d_name, error);
	if (listing != NULL)
		closedir(listing);
	if (code != ERROR_NONE) {
		script_library_release(made);
		return code;
	}
	*library = made;
	return ERROR_NONE;
}
