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

/* Can this program use what is there? A newer schema, too, if it only adds to this one's. ERROR_CONFLICT: it cannot; ERROR_INVALID: it is no registry. */
enum error_code schema_check(
	const struct database_place *place, struct database *database, struct database_version *found, struct error *error);
