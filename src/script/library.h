/* library.h - the helpers that scripts require, read by the loader and shared by every state: `require` never touches the disk.
 *
 * lua/NAME.lua is "NAME"; lua/FOLDER/NAME.lua and providers/FOLDER/NAME.lua are "FOLDER.NAME". Both parts have letters, digits, '_' and '-',
 * and at most LIMIT_SCRIPT_NAME_BYTES; what is called otherwise, or lies deeper, is no helper. Links are followed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct script_library;

struct script_module {
	char *name;    /* "runpod.answers" */
	char *file;    /* "providers/runpod/answers.lua" */
	char *text;    /* NULL: it could not be read */
	char *problem; /* why, or NULL */
	size_t length;
};

/* Reads all helpers. A missing directory has none; `providers_directory` is NULL for the simulator, which alone has lua/sim. One holder; NULL: the process has no memory or no descriptor left. Blocks on the
 * disk. */
struct script_library *script_library_read(const char *lua_directory, const char *providers_directory);

struct script_library *script_library_hold(struct script_library *library);
void script_library_release(struct script_library *library);

/* Changes with what the library has: names, texts and problems. */
uint64_t script_library_digest(const struct script_library *library);

/* Logs what could not be read: for a library that is put to use. */
void script_library_log_problems(const struct script_library *library);

/* The helper of this name, valid while the library is held. ERROR_SCRIPT: it is no name, there is none or more than one of that name, or it could
 * not be read; the message says which. */
enum error_code script_library_find(const struct script_library *library, const char *name, size_t length,
	const struct script_module **module, struct error *error);

/* The text of the helper in this file ("lua/x.lua"), valid while the library is held. NULL: there is none, or it could not be read. */
const char *script_library_text(const struct script_library *library, const char *file, size_t *length);

/* The names in order, of files that could not be read too; NULL after the last. Valid while the library is held. */
const char *script_library_name(const struct script_library *library, size_t index);
