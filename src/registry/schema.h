/* schema.h - opens the registry's database for writing, at its newest schema. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "database/database.h"

/* Opens or makes it and brings it to the newest version, all steps in one transaction. What is not a registry, or is newer than this program, is
 * refused untouched: ERROR_INVALID, ERROR_CONFLICT. */
enum error_code schema_open(const struct database_place *place, struct database **database, struct error *error);

/* The newest version that this program knows. */
int64_t schema_version(void);
