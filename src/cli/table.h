/* table.h - rows of texts in columns, printed when all are known. The command's only thread. */
#pragma once

#include <stddef.h>

#define CELL_BYTES 64
#define COLUMNS_MAX 8

struct table_row {
	char cells[COLUMNS_MAX][CELL_BYTES]; /* NUL-terminated */
	struct table_row *next;
};

struct table {
	const char *const *heads;
	size_t columns;
	struct table_row *first, **last;
};

/* `heads` are its columns' names, at most COLUMNS_MAX; they stay the caller's, and stay there. */
void table_open(struct table *table, const char *const *heads, size_t columns);

/* A further row, of empty cells, for the caller to fill in. */
struct table_row *table_add(struct table *table);

/* Prints it to standard output, as wide as its texts, and frees its rows. */
void table_print(struct table *table);
