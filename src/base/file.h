/* file.h - small whole-file helpers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads a whole file of at most `maximum` bytes; *text is NUL-terminated and the caller's to free().
 * ERROR_NOT_FOUND when there is none, ERROR_LIMIT when it is too large, ERROR_IO, ERROR_MEMORY. */
enum error_code file_read(const char *path, size_t maximum, char **text, size_t *length, struct error *error);

/* Writes it all, however often the system is interrupted. Returns how much it did: less than `length` on an error, see errno then. */
size_t file_write_all(int fd, const void *bytes, size_t length);

/* Makes a directory and its parents, as `mkdir -p` does (mode 0755 less the umask). The names of new ones are synced in the folder above. */
enum error_code file_make_directories(const char *path, struct error *error);

/* Makes the parents of a file. */
enum error_code file_make_parents(const char *path, struct error *error);

/* Writes the whole file so that after a crash or a power loss it is there as it is now, or as it was before: beside it, synced, renamed, its folder
 * synced. On an error (ERROR_IO) it is as it was before. The folder must be there. Who may write the same file at once takes turns. */
enum error_code file_write_durably(const char *path, const void *bytes, size_t length, mode_t mode, struct error *error);

/* Removes a file so that it does not come back. One that is not there is no error; on an error it is there as before. */
enum error_code file_remove_durably(const char *path, struct error *error);

/* Syncs the names in a folder: what was renamed into it stays. False: see errno. */
bool file_sync_folder(const char *path);

bool file_exists(const char *path);

/* directory + "/" + name as a new string (free() it), or a copy of `name` when it is absolute. */
char *file_join(const char *directory, const char *name);
