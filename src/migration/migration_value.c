/* migration_value.c - reads, cleans, binds and compares values. No state. */
#include "migration/migration_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define SHOWN_BYTES 32

bool moved_value_read(struct statement *row, int column, enum column_class class, struct moved_value *value)
{
	*value = (struct moved_value){ .null = statement_is_null(row, column) };
	if (value->null)
		return true;
	if (class == COLUMN_INTEGER)
		value->integer = statement_integer(row, column);
	else if (class == COLUMN_REAL)
		value->real = statement_real(row, column);
	else {
		value->bytes = statement_bytes(row, column, &value->length);
		if (value->bytes == NULL)
			value->bytes = "";
	}
	return !statement_lacks_memory(row);
}

/* Nothing of it is 0 either: a text ends there. */
static size_t good_length(const char *text, size_t length)
{
	size_t at = 0, character;

	while (at < length) {
		character = text[at] == '\0' ? 0 : text_character_length((const unsigned char *)text + at, length - at);
		if (character == 0)
			return at;
		at += character;
	}
	return length;
}

bool moved_value_clean(struct moved_value *value, struct buffer *room)
{
	size_t at = 0, good;

	if (value->null || good_length(value->bytes, value->length) == value->length)
		return false;
	buffer_clear(room);
	while (at < value->length) {
		good = good_length(value->bytes + at, value->length - at);
		buffer_append(room, value->bytes + at, good);
		at += good;
		if (at < value->length) {
			buffer_text(room, "\xef\xbf\xbd");
			at++;
		}
	}
	value->bytes = buffer_begin(room);
	value->length = room->length;
	return true;
}

void moved_value_bind(struct statement *statement, int index, enum column_class class, const struct moved_value *value)
{
	if (value->null)
		statement_bind_null(statement, index);
	else if (class == COLUMN_INTEGER)
		statement_bind_integer(statement, index, value->integer);
	else if (class == COLUMN_REAL)
		statement_bind_real(statement, index, value->real);
	else if (class == COLUMN_TEXT)
		statement_bind_owned(statement, index, memory_copy_bytes(value->bytes, value->length));
	else
		statement_bind_copy(statement, index, value->bytes, value->length);
}

bool moved_value_is_same(const struct moved_value *a, const struct moved_value *b, enum column_class class)
{
	if (a->null || b->null)
		return a->null && b->null;
	if (class == COLUMN_INTEGER)
		return a->integer == b->integer;
	if (class == COLUMN_REAL)
		return memcmp(&a->real, &b->real, sizeof a->real) == 0;
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

void moved_value_write(const struct moved_value *value, enum column_class class, char *text, size_t size)
{
	char digits[2 * SHOWN_BYTES + 1];
	size_t shown = value->length < SHOWN_BYTES ? value->length : SHOWN_BYTES;

	if (value->null)
		snprintf(text, size, "NULL");
	else if (class == COLUMN_INTEGER)
		snprintf(text, size, "%" PRId64, value->integer);
	else if (class == COLUMN_REAL)
		snprintf(text, size, "%g", value->real);
	else {
		text_write_hex(digits, (const unsigned char *)value->bytes, shown);
		snprintf(text, size, "%s%s", digits, shown < value->length ? "..." : "");
	}
}
