/* migration_copy.h - carries the rows of a table over, and compares what is there. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "migration/migration_side.h"
#include "migration/migration_table.h"

struct migration_progress {
	int64_t rows;								    /* of all tables, so far */
	int64_t cleaned;							    /* texts */
	void (*step)(void *context, const struct moved_table *table, int64_t rows); /* now and then */
	void *context;
};

/* Copies what is not there yet, in the order of the key, in transactions of some thousand rows: what a former call committed stays. */
enum error_code migration_copy(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
	struct migration_progress *progress, struct error *error);

/* Compares every value of every row. ERROR_CONFLICT: one differs, is missing, or is there once more. */
enum error_code migration_compare(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
	struct migration_progress *progress, struct error *error);
