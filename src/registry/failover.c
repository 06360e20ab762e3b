/* failover.c - is the registry still on the server that it was on? Store thread only.
 *
 * A standby that was promoted, or a dump that was put into another cluster, may lack commits that were answered. PostgreSQL says so by its timeline and
 * its system's identifier: the registry names those that it was written on last. The first host that sees others writes them down, under the lock and
 * before its first group there, so nothing comes before it: numbers of events go on far beyond all that were given out, and what was queued before
 * counts from now on as if its request were out, for it may have been sent, and paid, on the former server (WRITE_ADOPT reads the setting). Who owns
 * such a job and still runs knows better, and writes what it knows. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "registry/writes.h"

#define NUMBERS_AHEAD 1000000 /* events that a server may have lost, with room */

static bool put_setting(struct writer *writer, const char *name, const char *value)
{
	struct statement *statement = writer->statements[WRITE_SETTING];

	statement_bind_text(statement, 1, name);
	statement_bind_text(statement, 2, value);
	return statement_run(statement) == DATABASE_OK;
}

static bool tell(struct writer *writer)
{
	struct statement *statement = writer->statements[WRITE_FAILOVER_EVENT];

	statement_bind_integer(statement, 1, NUMBERS_AHEAD);
	statement_bind_integer(statement, 2, clock_unix_ms());
	return statement_run(statement) == DATABASE_OK;
}

static bool note_failover(struct writer *writer, const char *server)
{
	char before[32];

	snprintf(before, sizeof before, "%lld", (long long)id_sequence_at(clock_unix_ms() + 1));
	return put_setting(writer, "registry.server", server) && put_setting(writer, "registry.failover", before) &&
	       writer_close_quotes(writer) == DATABASE_OK && tell(writer); /* a quote may have become a job that is lost */
}

/* In a transaction, under the lock. `server`: where it is now; `known`: where it was, or NULL. */
static bool compare(struct writer *writer, bool *moved)
{
	struct statement *statement = writer->statements[WRITE_SERVER];
	enum database_result result = statement_step(statement);
	char server[64] = "", known[64] = "";

	if (result == DATABASE_ROW) {
		snprintf(server, sizeof server, "%s", statement_text(statement, 0));
		if (!statement_is_null(statement, 1))
			snprintf(known, sizeof known, "%s", statement_text(statement, 1));
	}
	statement_reset(statement);
	if (result != DATABASE_ROW)
		return result == DATABASE_DONE;
	*moved = known[0] != '\0' && strcmp(server, known) != 0;
	if (*moved)
		log_message(LOG_ERROR, "registry.failover",
			"the registry is on another server than before (%s, it was %s): what was committed last may be lost "
			"there",
			server, known);
	if (*moved)
		return note_failover(writer, server);
	return known[0] != '\0' || put_setting(writer, "registry.server", server);
}

/* ---- providers ---- */

static bool put_sources(struct writer *writer)
{
	struct statement *statement = writer->statements[WRITE_KEEP_SOURCE];
	const struct source *source;
	bool put = true;

	for (int number = 1; put && (source = sources_get(writer->sources, number)) != NULL; number++) {
		statement_bind_integer(statement, 1, number);
		statement_bind_text(statement, 2, source->kind);
		statement_bind_text(statement, 3, source->provider);
		put = statement_run(statement) == DATABASE_OK;
	}
	return put;
}

static bool is_known_so(const struct sources *sources, struct statement *row)
{
	const struct source *source = sources_get(sources, (int)statement_integer(row, 0));
	const char *kind = statement_text(row, 1), *provider = statement_text(row, 2);

	return source == NULL ||
	       (kind != NULL && provider != NULL && strcmp(source->kind, kind) == 0 && strcmp(source->provider, provider) == 0);
}

/* Rows that this host is about to write name providers by numbers, which may have been lost as well. They are put back; where another host was first to
 * give one out again, this host knows what is not so any more, and must not write. */
static bool keep_sources(struct writer *writer)
{
	struct statement *rows = writer->statements[WRITE_SOURCES];
	enum database_result result = DATABASE_DONE;
	bool known = true;

	if (!put_sources(writer))
		return writer_fail(writer, "put providers back");
	while (known && (result = statement_step(rows)) == DATABASE_ROW)
		known = is_known_so(writer->sources, rows);
	statement_reset(rows);
	if (known)
		return result == DATABASE_DONE || writer_fail(writer, "look which providers the registry knows");
	database_rollback(writer->db);
	error_set(&writer->failure, ERROR_IO, "registry.url",
		"since a failover the registry has another provider by a number that this host knows: start the host again");
	return false;
}

bool writer_check_server(struct writer *writer)
{
	unsigned connection;
	bool moved = false;

	if (!database_is_connected(writer->db) && database_connect(writer->db, &writer->failure) != ERROR_NONE)
		return false;
	connection = database_connections(writer->db);
	if (!writer->shared || writer->checked_connection == connection)
		return true;
	if (!writer_begin(writer, true))
		return false;
	if (!compare(writer, &moved))
		return writer_fail(writer, "look which server this is");
	if (!keep_sources(writer) || !writer_commit(writer))
		return false;
	writer->checked_connection = connection;
	writer->moved = writer->moved || moved;
	return true;
}
