/* schema.h - opens the registry's database: is it ours, is its version ours, and how it is tuned. */
#pragma once

#include <stddef.h>

#include <sqlite3.h>

#include "base/error.h"

/* Opens or makes the database at `path` for writing and brings it to the newest version. `name` is how errors call it. A file
 * that is not a registry, or is newer than this program, is refused untouched. */
enum error_code schema_open(const char *path, const char *name, sqlite3 **db, struct error *error);

/* A further connection, for reading only. */
enum error_code schema_open_reader(const char *path, const char *name, sqlite3 **db, struct error *error);

/* Brings a database to version `count` by running steps[version], steps[version + 1], ... in one transaction. */
enum error_code schema_migrate(sqlite3 *db, const char *name, const char *const *steps, size_t count, struct error *error);
