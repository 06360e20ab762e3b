/* migration_table.c - asks both databases for their tables and writes the statements that move them. No state; the command's only thread. */
#include "migration/migration_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

#define TEXT_BYTES (1024 * 1024)

/* What says how a database is used now, not what is registered. */
static const char *const left_behind[] = { "host", "registry", "ring", "unfinished", NULL };

/* What a database keeps only because it is that database: SQLite's index of tasks is a table, PostgreSQL's is an index. */
static const char *const own_ways[] = { "task_index", "task_indexed", NULL };

static const struct sql tables_text = {
	.sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name",
	.postgres = "SELECT relname::text FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace AND "
		    "relkind IN ('r', 'p')"
		    " ORDER BY relname::text COLLATE \"C\"",
};

/* Name, type, place in the primary key. */
static const struct sql columns_text = {
	.sqlite = "SELECT name, upper(type), pk FROM pragma_table_info(?) ORDER BY cid",
	.postgres = "SELECT a.attname::text, upper(format_type(a.atttypid, NULL)), coalesce(array_position(i.indkey::int2[], "
		    "a.attnum) + 1, 0)::bigint"
		    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_index i ON i.indrelid = c.oid AND "
		    "i.indisprimary"
		    " WHERE c.relname = ?::text AND c.relnamespace = quote_ident(current_schema())::regnamespace AND a.attnum > "
		    "0 AND NOT "
		    "a.attisdropped"
		    " ORDER BY a.attnum",
};

static bool is_listed(const char *const *list, const char *name)
{
	while (*list != NULL && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

/* ---- reading ---- */

static bool read_class(const char *type, enum column_class *class)
{
	static const struct {
		const char *type;
		enum column_class class;
	} classes[] = { { "INTEGER", COLUMN_INTEGER }, { "BIGINT", COLUMN_INTEGER }, { "REAL", COLUMN_REAL },
		{ "DOUBLE PRECISION", COLUMN_REAL }, { "TEXT", COLUMN_TEXT }, { "BLOB", COLUMN_BYTES },
		{ "BYTEA", COLUMN_BYTES } };

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (strcmp(classes[i].type, type) == 0) {
			*class = classes[i].class;
			return true;
		}
	return false;
}

static bool is_bytes(enum column_class class)
{
	return class == COLUMN_TEXT || class == COLUMN_BYTES;
}

static enum error_code refuse_table(const char *table, const char *column, const char *why, struct error *error)
{
	return error_set(error, ERROR_INVALID, table, "the table %s%s%s cannot be moved: %s; nothing was moved", table,
		column != NULL ? "." : "", column != NULL ? column : "", why);
}

struct column_row {
	const char *name, *type;
	int key;
};

/* Calls `visit` with each column of a table; it returns the error that ends the walk. */
static enum error_code read_columns(struct database *database, const char *table,
	enum error_code (*visit)(void *context, const struct column_row *row, struct error *error), void *context,
	struct error *error)
{
	struct statement *statement = NULL;
	enum database_result result = DATABASE_DONE;
	struct column_row row;
	enum error_code code = database_prepare(database, &columns_text, &statement, 1, error);

	if (code == ERROR_NONE) {
		statement_bind_text(statement, 1, table);
		while (code == ERROR_NONE && (result = statement_step(statement)) == DATABASE_ROW) {
			row = (struct column_row){ .name = statement_text(statement, 0),
				.type = statement_text(statement, 1),
				.key = (int)statement_integer(statement, 2) };
			code = row.name == NULL || row.type == NULL ? error_memory(error) : visit(context, &row, error);
		}
		statement_reset(statement);
	}
	if (code == ERROR_NONE && result == DATABASE_FAILED)
		code = database_error(database, "read the registry's columns", error);
	database_finalize(&statement, 1);
	return code;
}

static enum error_code add_column(void *context, const struct column_row *row, struct error *error)
{
	struct moved_table *table = context;
	struct moved_column column = { .key = row->key };

	if (!read_class(row->type, &column.from))
		return refuse_table(table->name, row->name, "this program does not know its type", error);
	column.name = memory_copy_text(row->name);
	column.to = (enum column_class) - 1;
	table->columns = memory_resize(table->columns, (table->count + 1) * sizeof *table->columns);
	table->columns[table->count++] = column;
	return ERROR_NONE;
}

static enum error_code match_column(void *context, const struct column_row *row, struct error *error)
{
	struct moved_table *table = context;

	for (size_t i = 0; i < table->count; i++) {
		struct moved_column *column = &table->columns[i];

		if (strcmp(column->name, row->name) != 0)
			continue;
		column->key_there = row->key;
		if (!read_class(row->type, &column->to))
			return refuse_table(table->name, row->name, "this program does not know its type in the target", error);
	}
	return ERROR_NONE; /* what only the target has keeps its default */
}

/* The primary key of the source, or of the target where only that has one. */
static enum error_code note_keys(struct moved_table *table, struct error *error)
{
	bool here = false;
	int place;

	for (size_t i = 0; i < table->count; i++)
		here = here || table->columns[i].key > 0;
	for (size_t i = 0; i < table->count; i++) {
		place = here ? table->columns[i].key : table->columns[i].key_there;
		if (place > MOVED_KEYS)
			return refuse_table(table->name, NULL, "its primary key has too many columns", error);
		if (place == 0)
			continue;
		table->keys[place - 1] = i;
		table->key_count++;
	}
	return table->key_count > 0 ? ERROR_NONE : refuse_table(table->name, NULL, "it has no primary key", error);
}

static enum error_code read_table(struct database *from, struct database *to, struct moved_table *table, struct error *error)
{
	enum error_code code = read_columns(from, table->name, add_column, table, error);

	if (code == ERROR_NONE)
		code = read_columns(to, table->name, match_column, table, error);
	for (size_t i = 0; i < table->count && code == ERROR_NONE; i++) {
		struct moved_column *column = &table->columns[i];

		if (column->to == (enum column_class) - 1)
			code = refuse_table(table->name, column->name, "the target has no such column", error);
		else if (column->from != column->to && !(is_bytes(column->from) && is_bytes(column->to)))
			code = refuse_table(table->name, column->name, "it is of another kind in the target", error);
	}
	return code == ERROR_NONE ? note_keys(table, error) : code;
}

struct names {
	char **items;
	size_t count;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static enum error_code read_names(struct database *database, struct names *names, struct error *error)
{
	struct statement *statement = NULL;
	enum database_result result = DATABASE_DONE;
	enum error_code code = database_prepare(database, &tables_text, &statement, 1, error);

	while (code == ERROR_NONE && (result = statement_step(statement)) == DATABASE_ROW) {
		names->items = memory_resize(names->items, (names->count + 1) * sizeof *names->items);
		names->items[names->count++] = memory_copy_text(statement_text(statement, 0));
	}
	if (code == ERROR_NONE && result == DATABASE_FAILED)
		code = database_error(database, "read the registry's tables", error);
	database_finalize(&statement, 1);
	return code;
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

enum error_code moved_has_table(struct database *database, const char *name, bool *found, struct error *error)
{
	struct names names = { 0 };
	enum error_code code = read_names(database, &names, error);

	*found = has_name(&names, name);
	free_names(&names);
	return code;
}

enum error_code moved_tables_read(struct database *from, struct database *to, struct moved_tables *tables, struct error *error)
{
	struct names names = { 0 }, targets = { 0 };
	enum error_code code = read_names(from, &names, error);

	if (code == ERROR_NONE)
		code = read_names(to, &targets, error);
	tables->items = memory_new_array(names.count + 1, sizeof *tables->items);
	for (size_t i = 0; i < names.count && code == ERROR_NONE; i++) {
		const char *name = names.items[i];

		if (is_listed(left_behind, name) || (is_listed(own_ways, name) && !has_name(&targets, name)))
			continue;
		if (!has_name(&targets, name)) {
			code = refuse_table(name, NULL, "the target has no such table", error);
			break;
		}
		tables->items[tables->count].name = memory_copy_text(name);
		code = read_table(from, to, &tables->items[tables->count++], error);
	}
	free_names(&names);
	free_names(&targets);
	return code;
}

void moved_tables_free(struct moved_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++) {
		for (size_t k = 0; k < tables->items[i].count; k++)
			free(tables->items[i].columns[k].name);
		free(tables->items[i].columns);
		free(tables->items[i].name);
	}
	free(tables->items);
}

/* ---- statements ---- */

/* The order of keys is the same in both: by their bytes. PostgreSQL's own may be a language's. */
static const char *const collations[] = { "", " COLLATE \"C\"" };

static void write_columns(struct buffer *out, const struct moved_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		buffer_format(out, "%s\"%s\"", i > 0 ? ", " : "", table->columns[i].name);
}

static void write_keys(struct buffer *out, const struct moved_table *table, const char *collation, const char *after)
{
	for (size_t i = 0; i < table->key_count; i++) {
		const struct moved_column *column = &table->columns[table->keys[i]];

		buffer_format(
			out, "%s\"%s\"%s%s", i > 0 ? ", " : "", column->name, column->to == COLUMN_TEXT ? collation : "", after);
	}
}

static void write_marks(struct buffer *out, size_t count)
{
	buffer_char(out, '(');
	for (size_t i = 0; i < count; i++)
		buffer_text(out, i > 0 ? ",?" : "?");
	buffer_char(out, ')');
}

static char *select_text(const struct moved_table *table, bool after, const char *collation)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	buffer_text(&out, "SELECT ");
	write_columns(&out, table);
	buffer_format(&out, " FROM \"%s\"", table->name);
	if (after) {
		buffer_text(&out, " WHERE (");
		write_keys(&out, table, collation, "");
		buffer_text(&out, ") > ");
		write_marks(&out, table->key_count);
	}
	buffer_text(&out, " ORDER BY ");
	write_keys(&out, table, collation, "");
	return buffer_take(&out);
}

struct sql moved_select(const struct moved_table *table, bool after)
{
	return (struct sql){ .sqlite = select_text(table, after, collations[0]),
		.postgres = select_text(table, after, collations[1]),
		.walks = true };
}

static char *last_text(const struct moved_table *table, const char *collation)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	buffer_text(&out, "SELECT ");
	write_keys(&out, table, "", "");
	buffer_format(&out, " FROM \"%s\" ORDER BY ", table->name);
	write_keys(&out, table, collation, " DESC");
	buffer_text(&out, " LIMIT 1");
	return buffer_take(&out);
}

struct sql moved_last(const struct moved_table *table)
{
	return (struct sql){ .sqlite = last_text(table, collations[0]), .postgres = last_text(table, collations[1]) };
}

struct sql moved_count(const struct moved_table *table)
{
	char *text = memory_format("SELECT count(*) FROM \"%s\"", table->name);

	return (struct sql){ .sqlite = text, .postgres = memory_copy_text(text) };
}

struct sql moved_clear(const struct moved_table *table)
{
	char *text = memory_format("DELETE FROM \"%s\"", table->name);

	return (struct sql){ .sqlite = text, .postgres = memory_copy_text(text) };
}

static char *insert_text(const struct moved_table *table, size_t rows, const char *overriding)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	buffer_format(&out, "INSERT INTO \"%s\" (", table->name);
	write_columns(&out, table);
	buffer_format(&out, ")%s VALUES ", overriding);
	for (size_t i = 0; i < rows; i++) {
		if (i > 0)
			buffer_char(&out, ',');
		write_marks(&out, table->count);
	}
	return buffer_take(&out);
}

/* Numbers that PostgreSQL gives out itself are kept too. */
struct sql moved_insert(const struct moved_table *table, size_t rows)
{
	return (struct sql){ .sqlite = insert_text(table, rows, ""),
		.postgres = insert_text(table, rows, " OVERRIDING SYSTEM VALUE") };
}

void moved_sql_free(struct sql *text)
{
	free((char *)(uintptr_t)text->sqlite);
	free((char *)(uintptr_t)text->postgres);
}
