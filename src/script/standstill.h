/* standstill.h - the memory of scripts that stood still: a file in data/ that outlives the process which had to be ended for one of them.
 *
 * An entry holds for the very text that stood still, and the modules that it could require: a changed one is tried again. */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "base/watchdog.h"

#define STANDSTILL_FILE "standstill.json"
#define STANDSTILL_LOAD "load" /* the step of a script that is being loaded */

/* What the file says: an array, [] when there is none or it cannot be read. The caller's. */
json_t *standstills_read(const char *path);

/* Where the script stood still ("submit", "load"), when it was this text; NULL: it did not. *at is when, as text. Both are the list's. */
const char *standstills_find(const json_t *list, const char *file, uint64_t digest, const char **at);

/* Adds one, in place of the script's earlier one. ERROR_IO; ERROR_LIMIT: the file would be too large. */
enum error_code standstills_add(const char *path, const struct standstill *standstill, struct error *error);
