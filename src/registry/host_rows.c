/* host_rows.c - the rows of hosts. Whoever calls has the thread; the statements run by themselves, without the writers' lock, but for those that add a row. */
#include "registry/host_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "registry/schema.h"

#define HOUR_MS 3600000LL

enum host_statement {
	HOST_FREE_SLOT = 0,
	HOST_FORGET,
	HOST_ADD,
	HOST_BEAT,
	HOST_ALIVE,
	HOST_CONFIGURE,
	HOST_LIST,
	HOST_DECLARE_DEAD,
	HOST_PULSE,
	HOST_OWNED,
	HOST_TIDY_ASKS,
	HOST_TIDY_SEEN,
	HOST_STATEMENTS
};

static const struct sql texts[HOST_STATEMENTS] = {
	[HOST_FREE_SLOT] = SQL("SELECT coalesce(min(free), -1) FROM (SELECT 0 AS free UNION ALL SELECT slot + 1 FROM host WHERE "
			       "dead_ms IS NULL) AS slots"
			       " WHERE free NOT IN (SELECT slot FROM host WHERE dead_ms IS NULL)"),
	[HOST_FORGET] =
		SQL("DELETE FROM host WHERE dead_ms < ? AND NOT EXISTS (SELECT 1 FROM live WHERE owner = host.id AND phase < 4)"),
	[HOST_ADD] = SQL("INSERT INTO host (id, slot, name, program, knows, config_sha256, home, machine, lease_ms, beat, "
			 "connection, started_ms)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)"),
	[HOST_BEAT] = SQL("UPDATE host SET beat = beat + 1 WHERE id = ? AND dead_ms IS NULL"),
	[HOST_ALIVE] = { .sqlite = "SELECT 0",
		.postgres = "SELECT cast(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)" },
	[HOST_CONFIGURE] = SQL("UPDATE host SET config_sha256 = ? WHERE id = ?"),
	[HOST_LIST] =
		SQL("SELECT id, slot, name, program, knows, config_sha256, home, machine, lease_ms, beat, started_ms FROM host"
		    " WHERE dead_ms IS NULL ORDER BY slot"),
	[HOST_DECLARE_DEAD] = SQL("UPDATE host SET dead_ms = ? WHERE id = ? AND beat = ? AND dead_ms IS NULL"),
	/* open jobs of hosts that are dead: few rows of those, and an index for each */
	[HOST_PULSE] = { .sqlite = "SELECT coalesce(max(number), 0), 0, 0, 0, 0 FROM event",
		.postgres =
			"SELECT (SELECT coalesce(max(number), 0) FROM event), (SELECT coalesce(max(revision), 0) FROM setting),"
			" CAST(EXISTS (SELECT FROM ask JOIN live USING (sequence) WHERE live.owner = ?1 AND ask.code IS NULL"
			" AND ask.taken IS DISTINCT FROM ?1) AS int),"
			" CAST(EXISTS (SELECT FROM ask WHERE asker = ?1 AND code IS NOT NULL) AS int),"
			" CAST(EXISTS (SELECT FROM live WHERE phase < 4 AND owner IS NULL) OR EXISTS (SELECT FROM host WHERE "
			"dead_ms IS NOT NULL"
			" AND EXISTS (SELECT FROM live WHERE owner = host.id AND phase < 4)) AS int)" },
	[HOST_OWNED] = SQL("SELECT owner, count(*) FROM live WHERE phase < 4 AND owner IS NOT NULL GROUP BY owner"),
	[HOST_TIDY_ASKS] = SQL("DELETE FROM ask WHERE asker <> 0 AND at_ms < ?"),
	[HOST_TIDY_SEEN] = SQL("DELETE FROM webhook_seen WHERE at_ms < ?"),
};

struct host_rows {
	const struct database_place *place;
	struct database *database;
	struct statement *statements[HOST_STATEMENTS];
};

static enum error_code rows_fail(struct host_rows *rows, const char *action, struct error *error)
{
	enum error_code code = database_error(rows->database, action, error);

	if (database_in_transaction(rows->database))
		database_rollback(rows->database);
	return code;
}

enum error_code host_rows_open(const struct database_place *place, struct host_rows **rows, struct error *error)
{
	struct host_rows *made = memory_new(sizeof *made);
	enum error_code code;

	made->place = place;
	code = database_open(place, DATABASE_WRITES, &made->database, error);

	if (code == ERROR_NONE)
		code = database_prepare(made->database, texts, made->statements, HOST_STATEMENTS, error);
	if (code != ERROR_NONE) {
		host_rows_close(made);
		return code;
	}
	*rows = made;
	return ERROR_NONE;
}

void host_rows_close(struct host_rows *rows)
{
	if (rows == NULL)
		return;
	database_finalize(rows->statements, HOST_STATEMENTS);
	database_close(rows->database);
	free(rows);
}

enum error_code host_rows_connect(struct host_rows *rows, struct error *error)
{
	return database_is_connected(rows->database) ? ERROR_NONE : database_connect(rows->database, error);
}

/* ---- a new run ---- */

static void bind_row(struct statement *add, const struct host_row *row)
{
	statement_bind_integer(add, 1, row->id);
	statement_bind_integer(add, 2, row->slot);
	statement_bind_text(add, 3, row->name);
	statement_bind_text(add, 4, row->program);
	statement_bind_integer(add, 5, row->knows);
	statement_bind_bytes(add, 6, row->config_sha256, sizeof row->config_sha256);
	statement_bind_text(add, 7, row->home);
	statement_bind_text(add, 8, row->machine);
	statement_bind_integer(add, 9, row->lease_ms);
	statement_bind_integer(add, 10, row->started_ms);
}

enum error_code host_rows_add(struct host_rows *rows, struct host_row *row, struct error *error)
{
	struct statement *const *statements = rows->statements;
	struct database_version found;
	int64_t slot = -1;

	if (database_begin(rows->database, true) != DATABASE_OK)
		return rows_fail(rows, "register this host", error);
	if (schema_check(rows->place, rows->database, &found, error) !=
		ERROR_NONE) { /* a newer program may have been here since */
		database_rollback(rows->database);
		return error->code;
	}
	statement_bind_integer(statements[HOST_FORGET], 1, clock_unix_ms() - HOUR_MS);
	if (statement_run(statements[HOST_FORGET]) != DATABASE_OK ||
		statement_find(statements[HOST_FREE_SLOT], &slot) == DATABASE_FAILED)
		return rows_fail(rows, "register this host", error);
	if (slot < 0 || slot >= ID_SLOTS) {
		database_rollback(rows->database);
		return error_set(error, ERROR_LIMIT, "registry.url",
			"%d hosts use this registry, which is the most: stop one, or wait until those that are gone count as "
			"dead",
			ID_SLOTS);
	}
	row->slot = (int)slot;
	bind_row(statements[HOST_ADD], row);
	if (statement_run(statements[HOST_ADD]) != DATABASE_OK || database_commit(rows->database) != DATABASE_OK)
		return rows_fail(rows, "register this host", error);
	return ERROR_NONE;
}

/* ---- signs of life ---- */

enum error_code host_rows_beat(struct host_rows *rows, int64_t id, bool *alive, int64_t *server_ms, struct error *error)
{
	struct statement *beat = rows->statements[HOST_BEAT];
	int64_t changed = 0;

	*server_ms = 0;
	statement_bind_integer(beat, 1, id);
	if (statement_change(beat, &changed) != DATABASE_OK)
		return rows_fail(rows, "give a sign of life", error);
	*alive = changed != 0;
	if (statement_find(rows->statements[HOST_ALIVE], server_ms) == DATABASE_FAILED)
		return rows_fail(rows, "read the database's clock", error);
	return ERROR_NONE;
}

enum error_code host_rows_configure(
	struct host_rows *rows, int64_t id, const unsigned char config_sha256[32], struct error *error)
{
	struct statement *configure = rows->statements[HOST_CONFIGURE];
	int64_t changed;

	statement_bind_bytes(configure, 1, config_sha256, 32);
	statement_bind_integer(configure, 2, id);
	return statement_change(configure, &changed) == DATABASE_OK ? ERROR_NONE
								    : rows_fail(rows, "tell of this host's configuration", error);
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static struct host_row read_row(struct statement *list)
{
	struct host_row row = { .id = statement_integer(list, 0),
		.slot = (int)statement_integer(list, 1),
		.knows = statement_integer(list, 4),
		.lease_ms = statement_integer(list, 8),
		.beat = statement_integer(list, 9),
		.started_ms = statement_integer(list, 10) };
	const void *digest;
	size_t length;

	copy_text(row.name, sizeof row.name, statement_text(list, 2));
	copy_text(row.program, sizeof row.program, statement_text(list, 3));
	digest = statement_bytes(list, 5, &length);
	if (digest != NULL && length == sizeof row.config_sha256)
		memcpy(row.config_sha256, digest, length);
	copy_text(row.home, sizeof row.home, statement_text(list, 6));
	copy_text(row.machine, sizeof row.machine, statement_text(list, 7));
	return row;
}

enum error_code host_rows_list(
	struct host_rows *rows, void (*visit)(void *context, const struct host_row *row), void *context, struct error *error)
{
	struct statement *list = rows->statements[HOST_LIST];
	enum database_result result;

	while ((result = statement_step(list)) == DATABASE_ROW) {
		struct host_row row = read_row(list);

		visit(context, &row);
	}
	statement_reset(list);
	return result == DATABASE_DONE ? ERROR_NONE : rows_fail(rows, "list the hosts", error);
}

enum error_code host_rows_declare_dead(struct host_rows *rows, int64_t id, int64_t beat, bool *declared, struct error *error)
{
	struct statement *declare = rows->statements[HOST_DECLARE_DEAD];
	int64_t changed = 0;

	statement_bind_integer(declare, 1, clock_unix_ms());
	statement_bind_integer(declare, 2, id);
	statement_bind_integer(declare, 3, beat);
	if (statement_change(declare, &changed) != DATABASE_OK)
		return rows_fail(rows, "declare a host dead", error);
	*declared = changed != 0;
	return ERROR_NONE;
}

/* ---- what is new ---- */

enum error_code host_rows_pulse(struct host_rows *rows, int64_t id, struct host_pulse *pulse, struct error *error)
{
	struct statement *statement = rows->statements[HOST_PULSE];

	statement_bind_integer(statement, 1, id);
	if (statement_step(statement) != DATABASE_ROW) {
		statement_reset(statement);
		return rows_fail(rows, "look for news", error);
	}
	*pulse = (struct host_pulse){ .newest_event = statement_integer(statement, 0),
		.settings = statement_integer(statement, 1),
		.has_asks = statement_integer(statement, 2) != 0,
		.has_answers = statement_integer(statement, 3) != 0,
		.has_orphans = statement_integer(statement, 4) != 0 };
	statement_reset(statement);
	return ERROR_NONE;
}

enum error_code host_rows_owned(
	struct host_rows *rows, void (*visit)(void *context, int64_t owner, int64_t jobs), void *context, struct error *error)
{
	struct statement *owned = rows->statements[HOST_OWNED];
	enum database_result result;

	while ((result = statement_step(owned)) == DATABASE_ROW)
		visit(context, statement_integer(owned, 0), statement_integer(owned, 1));
	statement_reset(owned);
	return result == DATABASE_DONE ? ERROR_NONE : rows_fail(rows, "count the hosts' jobs", error);
}

enum error_code host_rows_tidy(struct host_rows *rows, int64_t now_ms, struct error *error)
{
	struct statement *asks = rows->statements[HOST_TIDY_ASKS], *seen = rows->statements[HOST_TIDY_SEEN];
	int64_t changed;

	statement_bind_integer(asks, 1, now_ms - HOUR_MS);
	statement_bind_integer(seen, 1, now_ms - 24 * HOUR_MS);
	return statement_change(asks, &changed) == DATABASE_OK && statement_change(seen, &changed) == DATABASE_OK
		       ? ERROR_NONE
		       : rows_fail(rows, "tidy what was asked", error);
}
