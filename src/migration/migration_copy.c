/* migration_copy.c - carries rows over and compares them, in the order of their keys. The command's only thread.
 *
 * Keys are taken as they come: what is there already is the beginning of the table, because each transaction adds the next rows. So the key of the last row
 * says where to go on, whatever ended the call before. */
#include "migration/migration_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/test_setting.h"
#include "migration/migration_value.h"

#define ROWS_A_STATEMENT 64
#define PARAMETERS_MOST 4096
#define ROWS_A_TRANSACTION 8192
#define BYTES_A_TRANSACTION (8 * 1024 * 1024)
#define TEXT_BYTES (256 * 1024 * 1024)
#define COMPARED_A_STEP 4096

/* ---- going on after the last key ---- */

/* Binds the key of the target's last row to `select`, if it has one. */
static enum error_code read_last(struct migration_side *to, const struct moved_table *table, struct statement *last,
	struct statement *select, bool *found, struct error *error)
{
	enum database_result result = statement_step(last);
	struct moved_value value;

	*found = result == DATABASE_ROW;
	if (result == DATABASE_FAILED)
		return database_error(to->database, "read what is there already", error);
	for (size_t i = 0; i < table->key_count && *found; i++) {
		const struct moved_column *column = &table->columns[table->keys[i]];

		if (!moved_value_read(last, (int)i, column->to, &value))
			return error_memory(error);
		if (select != NULL)
			moved_value_bind(select, (int)i + 1, column->from, &value);
	}
	statement_reset(last);
	return ERROR_NONE;
}

/* The statement that reads all rows beyond those that are there. */
static enum error_code open_rest(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
	struct sql *text, struct statement **select, struct error *error)
{
	struct sql last_text = moved_last(table);
	struct statement *last = NULL;
	bool found = false;
	enum error_code code = database_prepare(to->database, &last_text, &last, 1, error);

	if (code == ERROR_NONE)
		code = read_last(to, table, last, NULL, &found, error);
	*text = moved_select(table, found);
	if (code == ERROR_NONE)
		code = database_prepare(from->reader, text, select, 1, error);
	if (code == ERROR_NONE && found)
		code = read_last(to, table, last, *select, &found, error);
	database_finalize(&last, 1);
	moved_sql_free(&last_text);
	return code;
}

/* ---- copying ---- */

struct copying {
	struct migration_side *from, *to;
	const struct moved_table *table;
	struct migration_progress *progress;
	struct statement *select;
	struct statement *inserts[2]; /* of many rows, and of one */
	size_t rows_a_statement;
	struct buffer *rooms; /* one for each column */
};

static enum error_code bind_row(struct copying *copying, struct statement *insert, size_t row, size_t *bytes, struct error *error)
{
	const struct moved_table *table = copying->table;
	struct moved_value value;

	for (size_t i = 0; i < table->count; i++) {
		const struct moved_column *column = &table->columns[i];

		if (!moved_value_read(copying->select, (int)i, column->from, &value))
			return error_memory(error);
		if (column->to == COLUMN_TEXT)
			copying->progress->cleaned += moved_value_clean(&value, &copying->rooms[i]);
		if (copying->rooms[i].failed)
			return error_memory(error);
		moved_value_bind(insert, (int)(row * table->count + i) + 1, column->to, &value);
		*bytes += value.length + sizeof value.integer;
	}
	return ERROR_NONE;
}

/* Binds as many rows as one statement takes and runs it. A statement of many is begun only if so many are known to come: else those of one. */
static enum error_code copy_rows(
	struct copying *copying, struct statement *insert, size_t rows, size_t *bytes, bool *ended, struct error *error)
{
	enum error_code code = ERROR_NONE;

	for (size_t row = 0; row < rows && code == ERROR_NONE; row++) {
		enum database_result result = statement_step(copying->select);

		*ended = result == DATABASE_DONE;
		if (result == DATABASE_FAILED)
			return database_error(copying->from->reader, "read the rows", error);
		if (*ended)
			return ERROR_NONE;
		code = bind_row(copying, insert, row, bytes, error);
	}
	if (code == ERROR_NONE && statement_run(insert) != DATABASE_OK)
		code = database_error(copying->to->database, "store the rows", error);
	return code;
}

/* One transaction. `left`: rows that are still to come, as they were counted. */
static enum error_code copy_batch(struct copying *copying, int64_t *left, bool *ended, struct error *error)
{
	size_t bytes = 0, rows = 0, chunk;
	enum error_code code = ERROR_NONE;

	if (database_begin(copying->to->database, true) != DATABASE_OK)
		return database_error(copying->to->database, "begin to write", error);
	while (rows < ROWS_A_TRANSACTION && bytes < BYTES_A_TRANSACTION && code == ERROR_NONE && !*ended) {
		bool many = *left >= (int64_t)copying->rows_a_statement;

		chunk = many ? copying->rows_a_statement : 1;
		code = copy_rows(copying, copying->inserts[many ? 0 : 1], chunk, &bytes, ended, error);
		if (code == ERROR_NONE && *ended && many)
			code = error_set(error, ERROR_CONFLICT, copying->table->name,
				"the source has fewer rows than it had: somebody writes there");
		if (!*ended) {
			rows += chunk;
			*left -= (int64_t)chunk;
		}
	}
	if (code == ERROR_NONE && database_commit(copying->to->database) != DATABASE_OK)
		code = database_error(copying->to->database, "commit the rows", error);
	if (code != ERROR_NONE)
		database_rollback(copying->to->database);
	copying->progress->rows += code == ERROR_NONE ? (int64_t)rows : 0;
	return code;
}

static enum error_code count_rows(struct database *database, const struct moved_table *table, int64_t *rows, struct error *error)
{
	struct sql text = moved_count(table);
	enum error_code code = ERROR_NONE;

	if (database_query(database, text, rows) != DATABASE_OK)
		code = database_error(database, "count the rows", error);
	moved_sql_free(&text);
	return code;
}

static enum error_code copy_all(struct copying *copying, struct error *error)
{
	int64_t all = 0, there = 0, left;
	bool ended = false;
	enum error_code code = count_rows(copying->from->reader, copying->table, &all, error);

	if (code == ERROR_NONE)
		code = count_rows(copying->to->database, copying->table, &there, error);
	left = all - there;
	copying->progress->rows += there;
	while (code == ERROR_NONE && !ended) {
		code = copy_batch(copying, &left, &ended, error);
		database_tend(copying->to->database, false);
		test_stall("migrate", copying->table->name);
		copying->progress->step(copying->progress->context, copying->table, all - left);
	}
	return code;
}

static struct buffer *make_rooms(const struct moved_table *table)
{
	struct buffer *rooms = memory_new_array(table->count, sizeof *rooms);

	for (size_t i = 0; i < table->count; i++)
		buffer_init(&rooms[i], TEXT_BYTES);
	return rooms;
}

static void free_rooms(struct buffer *rooms, const struct moved_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		buffer_free(&rooms[i]);
	free(rooms);
}

enum error_code migration_copy(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
	struct migration_progress *progress, struct error *error)
{
	struct copying copying = { .from = from, .to = to, .table = table, .progress = progress, .rooms = make_rooms(table) };
	size_t rows = PARAMETERS_MOST / table->count < ROWS_A_STATEMENT ? PARAMETERS_MOST / table->count : ROWS_A_STATEMENT;
	struct sql texts[2] = { moved_insert(table, rows), moved_insert(table, 1) }, select = { 0 };
	enum error_code code = database_prepare(to->database, texts, copying.inserts, 2, error);

	copying.rows_a_statement = rows;
	if (code == ERROR_NONE && database_begin_reading(from->reader) != DATABASE_OK)
		code = database_error(from->reader, "begin to read", error);
	if (code == ERROR_NONE)
		code = open_rest(from, to, table, &select, &copying.select, error);
	if (code == ERROR_NONE)
		code = copy_all(&copying, error);
	database_finalize(&copying.select, 1);
	database_end_reading(from->reader);
	database_finalize(copying.inserts, 2);
	for (size_t i = 0; i < 2; i++)
		moved_sql_free(&texts[i]);
	moved_sql_free(&select);
	free_rooms(copying.rooms, table);
	return code;
}

/* ---- comparing ---- */

struct comparing {
	const struct moved_table *table;
	struct statement *rows[2]; /* of both sides */
	struct buffer *rooms;
};

static enum error_code refuse_row(const struct comparing *comparing, int side, const char *column, struct error *error)
{
	const struct moved_table *table = comparing->table;
	const struct moved_column *key = &table->columns[table->keys[0]];
	struct moved_value value;
	char text[80] = "?";

	if (moved_value_read(comparing->rows[side], (int)table->keys[0], side == 0 ? key->from : key->to, &value))
		moved_value_write(&value, key->from, text, sizeof text);
	return error_set(error, ERROR_CONFLICT, table->name,
		"the two registries differ: %s of the row of %s with %s = %s is not the same; the target is not used: empty it, "
		"then move the registry again",
		column != NULL ? column : "something", table->name, key->name, text);
}

static enum error_code compare_row(const struct comparing *comparing, struct error *error)
{
	const struct moved_table *table = comparing->table;
	struct moved_value a, b;

	for (size_t i = 0; i < table->count; i++) {
		const struct moved_column *column = &table->columns[i];

		if (!moved_value_read(comparing->rows[0], (int)i, column->from, &a) ||
			!moved_value_read(comparing->rows[1], (int)i, column->to, &b))
			return error_memory(error);
		if (column->to == COLUMN_TEXT)
			moved_value_clean(&a, &comparing->rooms[i]);
		if (!moved_value_is_same(&a, &b, column->to))
			return refuse_row(comparing, 0, column->name, error);
	}
	return ERROR_NONE;
}

static enum error_code compare_all(struct migration_side *const sides[2], struct comparing *comparing,
	struct migration_progress *progress, struct error *error)
{
	enum database_result results[2];
	enum error_code code = ERROR_NONE;
	int64_t rows = 0;

	test_stall("migrate", "compare");
	while (code == ERROR_NONE) {
		for (int i = 0; i < 2; i++) {
			results[i] = statement_step(comparing->rows[i]);
			if (results[i] == DATABASE_FAILED)
				return database_error(sides[i]->reader, "read the rows", error);
		}
		if (results[0] != results[1])
			return refuse_row(comparing, results[0] == DATABASE_ROW ? 0 : 1, NULL, error);
		if (results[0] == DATABASE_DONE)
			break;
		code = compare_row(comparing, error);
		progress->rows++;
		if (++rows % COMPARED_A_STEP == 0)
			progress->step(progress->context, comparing->table, rows);
	}
	return code;
}

enum error_code migration_compare(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
	struct migration_progress *progress, struct error *error)
{
	struct migration_side *const sides[2] = { from, to };
	struct comparing comparing = { .table = table, .rooms = make_rooms(table) };
	struct sql text = moved_select(table, false);
	enum error_code code = ERROR_NONE;

	for (int i = 0; i < 2 && code == ERROR_NONE; i++) {
		if (database_begin_reading(sides[i]->reader) != DATABASE_OK)
			code = database_error(sides[i]->reader, "begin to read", error);
		else
			code = database_prepare(sides[i]->reader, &text, &comparing.rows[i], 1, error);
	}
	if (code == ERROR_NONE)
		code = compare_all(sides, &comparing, progress, error);
	for (int i = 0; i < 2; i++) {
		database_finalize(&comparing.rows[i], 1);
		database_end_reading(sides[i]->reader);
	}
	moved_sql_free(&text);
	free_rooms(comparing.rooms, table);
	return code;
}
