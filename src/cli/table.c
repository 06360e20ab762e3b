/* table.c - prints rows in columns. Writes to standard output only. */
#include "cli/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void table_open(struct table *table, const char *const *heads, size_t columns)
{
	*table = (struct table){ .heads = heads, .columns = columns };
	table->last = &table->first;
}

struct table_row *table_add(struct table *table)
{
	struct table_row *row = memory_new(sizeof *row);

	*table->last = row;
	table->last = &row->next;
	return row;
}

static int column_width(const struct table *table, size_t column)
{
	size_t width = strlen(table->heads[column]);

	for (const struct table_row *row = table->first; row != NULL; row = row->next)
		if (strlen(row->cells[column]) > width)
			width = strlen(row->cells[column]);
	return (int)width;
}

/* What stands last in a line needs no width. */
static void print_cell(const struct table *table, const int *widths, size_t column, const char *text)
{
	bool last = column + 1 == table->columns;

	printf("%-*s%s", last ? 0 : widths[column], text, last ? "\n" : "  ");
}

void table_print(struct table *table)
{
	int widths[COLUMNS_MAX];
	struct table_row *next;

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->columns; i++)
		print_cell(table, widths, i, table->heads[i]);
	for (struct table_row *row = table->first; row != NULL; row = next) {
		next = row->next;
		for (size_t i = 0; i < table->columns; i++)
			print_cell(table, widths, i, row->cells[i]);
		free(row);
	}
}
