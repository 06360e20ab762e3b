/* unfinished.h - the mark of a registry that is being filled from another one (migration/): no host may start on half of its jobs. It is a table that is
 * there meanwhile; the name of where the rows come from stands in it. */
#pragma once

#include "base/error.h"
#include "database/database.h"

/* Where it is being filled from, free() it; NULL: it is whole. ERROR_IO, ERROR_BUSY. */
enum error_code unfinished_read(struct database *database, char **source, struct error *error);

/* Sets the mark, or takes it away; in the caller's transaction. */
enum database_result unfinished_begin(struct database *database, const char *source);
enum database_result unfinished_end(struct database *database);

/* For who wants to work on it: ERROR_CONFLICT, with what is to be done, if it is not whole. */
enum error_code unfinished_refuse(struct database *database, const struct database_place *place, struct error *error);
