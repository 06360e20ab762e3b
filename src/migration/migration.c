/* migration.c - the order of a move. The command's only thread.
 *
 * Refuses first, while nothing is changed; marks the target as unfinished, so that no host starts on it; copies; compares; lets the source take itself for an
 * older copy, so that none of its open jobs is sent from there too; and only then takes the mark away. Whatever ends it in between, the same call goes on. */
#include "migration/migration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "migration/migration_copy.h"
#include "migration/migration_older.h"
#include "migration/migration_side.h"
#include "migration/migration_table.h"
#include "registry/kept_rows.h"
#include "registry/paid_mark.h"
#include "registry/unfinished.h"

#define TELL_NS 2000000000LL
#define TEXT_BYTES 240

struct move {
	const struct migration_options *options;
	struct migration_result *result;
	struct migration_locks locks;
	struct migration_side from, to;
	struct moved_tables tables;
	const char *doing;
	int64_t told_ns;
	bool resumed;
};

static void tell(const struct move *move, const char *text)
{
	move->options->tell(move->options->context, text);
}

static void tell_step(void *context, const struct moved_table *table, int64_t rows)
{
	struct move *move = context;
	int64_t now = clock_monotonic_ns();
	char text[TEXT_BYTES];

	if (now - move->told_ns < TELL_NS)
		return;
	move->told_ns = now;
	snprintf(text, sizeof text, "%s %s: %" PRId64 " rows", move->doing, table->name, rows);
	tell(move, text);
}

/* ---- what is there before ---- */

/* Two schemas of one database have the same name. */
static bool is_same_place(const struct move *move)
{
	const char *from = database_path(move->from.place), *to = database_path(move->to.place);

	if (from != NULL && to != NULL)
		return strcmp(from, to) == 0;
	return strcmp(move->options->from, move->options->to) == 0;
}

static enum error_code find_sides(struct move *move, struct error *error)
{
	enum error_code code = migration_side_find(&move->from, &move->locks, move->options->home, move->options->from, error);

	if (code == ERROR_NONE)
		code = migration_side_expect(&move->from, error);
	if (code != ERROR_NONE)
		return code;
	code = database_find(move->options->home, move->options->to, &move->to.place, error);
	if (code == ERROR_NONE && is_same_place(move))
		return error_set(error, ERROR_INVALID, "--to", "this is the registry itself: name another place");
	database_place_free(move->to.place);
	move->to.place = NULL;
	return code == ERROR_NONE ? migration_side_find(&move->to, &move->locks, move->options->home, move->options->to, error)
				  : code;
}

static enum error_code open_source(struct move *move, struct error *error)
{
	enum error_code code = kept_rows_settle(move->from.place, error);

	if (code == ERROR_NONE)
		code = migration_side_open(&move->from, error);
	if (code == ERROR_NONE)
		code = unfinished_refuse(move->from.database, move->from.place, error);
	if (code == ERROR_NONE)
		code = migration_side_await_silence(&move->from, move->options->tell, move->options->context, error);
	return code == ERROR_NONE ? migration_side_open_reader(&move->from, error) : code;
}

static enum error_code open_target(struct move *move, struct error *error)
{
	enum error_code code = migration_side_open(&move->to, error);

	if (code == ERROR_NONE)
		code = migration_side_await_silence(&move->to, move->options->tell, move->options->context, error);
	return code == ERROR_NONE ? migration_side_open_reader(&move->to, error) : code;
}

/* ---- the target's mark ---- */

static enum error_code count_rows(struct move *move, const struct moved_table *table, int64_t *rows, struct error *error)
{
	struct sql text = moved_count(table);
	enum error_code code = ERROR_NONE;

	if (database_query(move->to.database, text, rows) != DATABASE_OK)
		code = database_error(move->to.database, "count its rows", error);
	moved_sql_free(&text);
	return code;
}

/* A new registry has some rows of its own, and one whose host ran some more; none of that is lost when they are replaced. Of jobs, money and events there must be
 * none, nor of any table that this list does not name. */
static enum error_code refuse_used(struct move *move, struct error *error)
{
	static const char *const begun_with[] = { "artifact_filled", "budget", "lane", "paid_mark", "setting", "source",
		"task_index", "task_indexed" };
	enum error_code code = ERROR_NONE;

	for (size_t i = 0; i < move->tables.count && code == ERROR_NONE; i++) {
		const struct moved_table *table = &move->tables.items[i];
		bool harmless = false;
		int64_t rows = 0;

		for (size_t k = 0; k < sizeof begun_with / sizeof *begun_with && !harmless; k++)
			harmless = strcmp(begun_with[k], table->name) == 0;
		if (!harmless)
			code = count_rows(move, table, &rows, error);
		if (code == ERROR_NONE && rows > 0)
			code = error_set(error, ERROR_CONFLICT, database_name(move->to.place),
				"this is another registry already, with %" PRId64
				" rows in its table %s: name an empty database or a new file",
				rows, table->name);
	}
	return code;
}

static enum error_code begin_target(struct move *move, struct error *error)
{
	struct database *database = move->to.database;
	bool done = database_begin(database, true) == DATABASE_OK;

	for (size_t i = 0; i < move->tables.count && done; i++) {
		struct sql text = moved_clear(&move->tables.items[i]);

		done = database_execute(database, database_dialect(database, &text)) == DATABASE_OK;
		moved_sql_free(&text);
	}
	if (done && unfinished_begin(database, database_name(move->from.place)) == DATABASE_OK &&
		database_commit(database) == DATABASE_OK)
		return ERROR_NONE;
	database_error(database, "begin to fill the registry", error);
	database_rollback(database);
	return error->code;
}

static enum error_code mark_target(struct move *move, struct error *error)
{
	char *source;
	enum error_code code = unfinished_read(move->to.database, &source, error);

	if (code == ERROR_NONE && source == NULL) {
		code = refuse_used(move, error);
		if (code == ERROR_NONE)
			code = begin_target(move, error);
	} else if (code == ERROR_NONE && strcmp(source, database_name(move->from.place)) != 0)
		code = error_set(error, ERROR_CONFLICT, database_name(move->to.place),
			"this registry is being filled from %s: move that one to its end, or name an empty database or a new "
			"file",
			source);
	else if (code == ERROR_NONE) {
		move->resumed = true;
		tell(move, "going on where the last call stopped");
	}
	free(source);
	move->result->begun = code == ERROR_NONE;
	return code;
}

/* ---- the rows ---- */

static enum error_code for_each_table(struct move *move, const char *doing,
	enum error_code (*work)(struct migration_side *from, struct migration_side *to, const struct moved_table *table,
		struct migration_progress *progress, struct error *error),
	struct error *error)
{
	struct migration_progress progress = { .step = tell_step, .context = move };
	enum error_code code = ERROR_NONE;

	move->doing = doing;
	for (size_t i = 0; i < move->tables.count && code == ERROR_NONE; i++)
		code = work(&move->from, &move->to, &move->tables.items[i], &progress, error);
	move->result->rows = progress.rows;
	move->result->tables = (int)move->tables.count;
	move->result->cleaned += progress.cleaned;
	return code;
}

/* ---- the end ---- */

/* A number that lies beside a file of the same name from before would say that this registry is an older copy of that one. */
static enum error_code write_mark(struct move *move, struct error *error)
{
	static const struct sql paid = SQL("SELECT number FROM paid_mark");
	int64_t number = 0;

	if (database_path(move->to.place) == NULL)
		return ERROR_NONE;
	if (database_query(move->to.reader, paid, &number) == DATABASE_FAILED)
		return database_error(move->to.reader, "read its number of paid requests", error);
	return paid_mark_write(database_path(move->to.place), number, error);
}

static enum error_code finish_target(struct move *move, struct error *error)
{
	/* it is on another server because it was moved there, not because commits may be lost (registry/failover.c) */
	static const char forget_server[] = "DELETE FROM setting WHERE name = 'registry.server'";
	static const struct sql statistics = { .postgres = "ANALYZE" };
	struct database *database = move->to.database;
	const char *analyze = database_dialect(database, &statistics);

	if (database_begin(database, true) != DATABASE_OK || database_execute(database, forget_server) != DATABASE_OK ||
		unfinished_end(database) != DATABASE_OK || database_commit(database) != DATABASE_OK) {
		database_error(database, "finish the registry", error);
		database_rollback(database);
		return error->code;
	}
	if (analyze != NULL && database_execute(database, analyze) != DATABASE_OK)
		tell(move, "the target is whole, but its statistics could not be made: run ANALYZE there");
	return ERROR_NONE;
}

static enum error_code run(struct move *move, struct error *error)
{
	enum error_code code = find_sides(move, error);

	if (code == ERROR_NONE)
		code = open_source(move, error);
	if (code == ERROR_NONE)
		code = open_target(move, error);
	if (code == ERROR_NONE)
		code = moved_tables_read(move->from.reader, move->to.database, &move->tables, error);
	if (code == ERROR_NONE)
		code = mark_target(move, error);
	if (code == ERROR_NONE)
		code = for_each_table(move, "copying", migration_copy, error);
	if (code == ERROR_NONE)
		code = for_each_table(move, "comparing", migration_compare, error);
	if (code == ERROR_NONE)
		code = write_mark(move, error);
	if (code == ERROR_NONE)
		code = migration_declare_older(&move->from, false, &move->result->open_jobs, error);
	test_stall("migrate", "finish");
	return code == ERROR_NONE ? finish_target(move, error) : code;
}

enum error_code migration_run(const struct migration_options *options, struct migration_result *result, struct error *error)
{
	struct move move = { .options = options, .result = result, .told_ns = clock_monotonic_ns() };
	enum error_code code;

	*result = (struct migration_result){ 0 };
	code = run(&move, error);
	moved_tables_free(&move.tables);
	migration_side_close(&move.to);
	migration_side_close(&move.from);
	migration_locks_free(&move.locks);
	return code;
}
