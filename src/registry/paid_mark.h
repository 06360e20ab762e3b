/* paid_mark.h - a number in a file beside the database that grows with every paid request, after the database's own: an older copy of the database
 * that is put back has a smaller one, and says so. Blocks on the disk. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* The number beside this database; 0: there is none yet. ERROR_IO, ERROR_INVALID (no number in it). */
enum error_code paid_mark_read(const char *database, int64_t *number, struct error *error);

/* Writes it so that it lasts. */
enum error_code paid_mark_write(const char *database, int64_t number, struct error *error);
