/* migration_value.h - a value of a row on its way: as the source has it, and as it must come out at the target. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "database/database.h"
#include "migration/migration_table.h"

struct moved_value {
	bool null;
	int64_t integer;
	double real;
	const char *bytes; /* borrowed from the statement, or from the buffer */
	size_t length;
};

/* The value of a column of a row; valid until the statement moves. False: no memory. */
bool moved_value_read(struct statement *row, int column, enum column_class class, struct moved_value *value);

/* A text is UTF-8 from here on: what is not is U+FFFD, in `room`. Was there something? */
bool moved_value_clean(struct moved_value *value, struct buffer *room);

void moved_value_bind(struct statement *statement, int index, enum column_class class, const struct moved_value *value);

bool moved_value_is_same(const struct moved_value *a, const struct moved_value *b, enum column_class class);

/* For people: a number, a short text, or hexadecimal digits. */
void moved_value_write(const struct moved_value *value, enum column_class class, char *text, size_t size);
