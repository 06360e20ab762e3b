/* postgres_value.c - the binary values of results. Sums of integers come as `numeric`, and are read as the integers that they are. */
#include "database/postgres.h"

#include <string.h>

enum type { TYPE_REAL4 = 700, TYPE_REAL8 = 701, TYPE_NUMERIC = 1700 }; /* PostgreSQL's numbers of them never change */

static uint64_t read_big_endian(const unsigned char *bytes, int length)
{
	uint64_t value = 0;

	for (int i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

static int64_t read_signed(const unsigned char *bytes, int length)
{
	switch (length) {
	case 1: return bytes[0]; /* a boolean */
	case 2: return (int16_t)read_big_endian(bytes, 2);
	case 4: return (int32_t)read_big_endian(bytes, 4);
	case 8: return (int64_t)read_big_endian(bytes, 8);
	default: return 0;
	}
}

static double read_real(const unsigned char *bytes, int length)
{
	uint32_t bits = (uint32_t)read_big_endian(bytes, 4);
	double real;
	float small;

	if (length == 4) {
		memcpy(&small, &bits, sizeof small);
		return (double)small;
	}
	memcpy(&real, &(uint64_t){ read_big_endian(bytes, 8) }, sizeof real);
	return real;
}

/* Digits to the base of 10000, the first of them worth 10000 ^ weight. What is behind the point does not count. */
static int64_t read_numeric(const unsigned char *bytes, int length)
{
	int digits = (int)read_big_endian(bytes, 2), weight = (int16_t)read_big_endian(bytes + 2, 2);
	bool negative = read_big_endian(bytes + 4, 2) == 0x4000;
	uint64_t value = 0;

	for (int i = 0; i <= weight; i++)
		value = value * 10000 + (i < digits && 8 + 2 * i + 1 < length ? read_big_endian(bytes + 8 + 2 * i, 2) : 0);
	return negative ? (int64_t)-value : (int64_t)value;
}

int64_t postgres_result_integer(const PGresult *rows, int row, int column)
{
	const unsigned char *bytes = (const unsigned char *)PQgetvalue(rows, row, column);
	int length = PQgetlength(rows, row, column);

	if (PQgetisnull(rows, row, column))
		return 0;
	switch (PQftype(rows, column)) {
	case TYPE_REAL4:
	case TYPE_REAL8: return (int64_t)read_real(bytes, length);
	case TYPE_NUMERIC: return length >= 8 ? read_numeric(bytes, length) : 0;
	default: return read_signed(bytes, length);
	}
}

int64_t postgres_integer(struct statement *statement, int column)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	return postgres_result_integer(own->rows, own->row, column);
}

double postgres_real(struct statement *statement, int column)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	Oid type = PQftype(own->rows, column);

	if ((type != TYPE_REAL4 && type != TYPE_REAL8) || PQgetisnull(own->rows, own->row, column))
		return (double)postgres_integer(statement, column);
	return read_real(
		(const unsigned char *)PQgetvalue(own->rows, own->row, column), PQgetlength(own->rows, own->row, column));
}

const char *postgres_text(struct statement *statement, int column)
{
	size_t length;

	return postgres_bytes(statement, column, &length);
}

const void *postgres_bytes(struct statement *statement, int column, size_t *length)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	*length = (size_t)PQgetlength(own->rows, own->row, column);
	return PQgetisnull(own->rows, own->row, column) ? NULL : PQgetvalue(own->rows, own->row, column);
}

bool postgres_is_null(struct statement *statement, int column)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	return PQgetisnull(own->rows, own->row, column) != 0;
}
