/* file.h - small whole-file helpers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Reads a whole file of at most `maximum` bytes; *text is NUL-terminated and the caller's to free().
 * ERROR_NOT_FOUND when there is none, ERROR_LIMIT when it is too large, ERROR_IO, ERROR_MEMORY. */
enum error_code file_read(const char *path, size_t maximum, char **text, size_t *length, struct error *error);

/* Makes a directory and its parents, as `mkdir -p` does (mode 0755 less the umask). */
enum error_code file_make_directories(const char *path, struct error *error);

/* Makes the parents of a file. */
enum error_code file_make_parents(const char *path, struct error *error);

bool file_exists(const char *path);

/* directory + "/" + name as a new string (free() it), or a copy of `name` when it is absolute. NULL when out of memory. */
char *file_join(const char *directory, const char *name);
