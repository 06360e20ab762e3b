/* library.h - the texts of lua/, read once by the loader and shared by every state: `require` never touches the disk. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct script_library;

/* Reads every NAME.lua of the directory. A missing directory gives an empty library. */
enum error_code script_library_read(const char *directory, struct script_library **library, struct error *error);

struct script_library *script_library_hold(struct script_library *library);
void script_library_release(struct script_library *library);

/* The text of a module, or NULL. Valid while the library is held. */
const char *script_library_find(const struct script_library *library, const char *name, size_t *length);
