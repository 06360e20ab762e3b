/* migration_table.h - which tables and columns two registries have, as their databases say it themselves, and how those of one go into the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "database/database.h"

enum column_class {
	COLUMN_INTEGER = 0,
	COLUMN_REAL,
	COLUMN_TEXT,
	COLUMN_BYTES,
};

struct moved_column {
	char *name;
	enum column_class from, to;
	int key, key_there; /* its place in the primary key of the source and of the target, from 1; 0: it is not in it */
};

#define MOVED_KEYS 4 /* columns of a primary key, at most */

struct moved_table {
	char *name;
	struct moved_column *columns;
	size_t count;
	size_t keys[MOVED_KEYS]; /* which columns, in the key's order */
	size_t key_count;
};

struct moved_tables {
	struct moved_table *items;
	size_t count;
};

/* Which tables of `from` go to `to`. ERROR_INVALID: one has no counterpart there, no primary key, or a column of another kind: this program forgot it. */
enum error_code moved_tables_read(struct database *from, struct database *to, struct moved_tables *tables, struct error *error);
void moved_tables_free(struct moved_tables *tables);

/* Is there such a table? ERROR_IO. */
enum error_code moved_has_table(struct database *database, const char *name, bool *found, struct error *error);

/* The statements of a table, in both dialects. Free both texts with moved_sql_free(). */
struct sql moved_select(
	const struct moved_table *table, bool after);	/* all rows in the key's order; after: only those beyond ?1 ... */
struct sql moved_last(const struct moved_table *table); /* the key of the last row */
struct sql moved_count(const struct moved_table *table);
struct sql moved_clear(const struct moved_table *table);
struct sql moved_insert(const struct moved_table *table, size_t rows);
void moved_sql_free(struct sql *text);
