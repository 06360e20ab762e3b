/* secrets.h - the secrets file. Immutable once read; wiped when freed. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct secrets;

/* Reads config/comfyvn.secrets.json under `home`, else comfyvn.secrets.json; with neither, an empty one. A file that others than
 * its owner can read is refused, the message says which chmod to run. A bad entry (not an object, not text) is ERROR_INVALID. */
enum error_code secrets_read(const char *home, struct secrets **secrets, struct error *error);
void secrets_free(struct secrets *secrets);

/* The functions below take NULL for "no secrets". */

/* The file's name as said to people: "config/comfyvn.secrets.json" (also when there is none) or "comfyvn.secrets.json". */
const char *secrets_file(const struct secrets *secrets);

/* The value in a section (letter case does not matter) under one of `names` (NULL-terminated, tried in order). Blank values count as absent. NULL
 * if there is none. Owned by `secrets`. */
const char *secrets_find(const struct secrets *secrets, const char *section, char *const *names);

/* Calls `visit` with every value in the file (to keep them out of answers). */
void secrets_each(const struct secrets *secrets, void (*visit)(void *context, const char *value), void *context);
