/* postgres.c - the driver of PostgreSQL: a database on a server, which several hosts use at the same time. Owns connections: how they are made, what
 * they are told first, and whose database it is. Its library is loaded when a URL names it. */
#include "database/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

#define SCHEME "postgresql:"
#define UNKNOWN_PARAMETER "invalid URI query parameter"
#define OLDEST_SERVER 130000 /* the first that tells a transaction's id in 64 bits */
#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

/* Just-in-time compilation costs more than statements of a few rows take. */
#define SETTINGS "SET jit = off; SET lock_timeout = 3000; SET idle_in_transaction_session_timeout = 15000;"
#define WRITER_SETTINGS SETTINGS " SET statement_timeout = 9000"
#define READER_SETTINGS SETTINGS " SET statement_timeout = 5000; SET default_transaction_read_only = on"

/* ---- places ---- */

static const char *postgres_dialect(const struct sql *text)
{
	return text->postgres;
}

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/* How people call it: all that tells one server and database from another, and nothing that is secret. */
static char *name_place(const PQconninfoOption *options)
{
	const char *user = option_of(options, "user"), *host = option_of(options, "host"), *port = option_of(options, "port");
	const char *database = option_of(options, "dbname");

	return memory_format("postgresql://%s%s%s%s%s/%s", user != NULL ? user : "", user != NULL ? "@" : "",
		host != NULL ? host : "", port != NULL ? ":" : "", port != NULL ? port : "", database != NULL ? database : "");
}

/* What libpq says of a text that it cannot read may quote its password; the name of a parameter is none. */
static enum error_code refuse_url(char *said, struct error *error)
{
	bool names = said != NULL && strncmp(said, UNKNOWN_PARAMETER, strlen(UNKNOWN_PARAMETER)) == 0;
	enum error_code code = error_set(error, ERROR_INVALID, "registry.url",
		"expected \"postgresql://USER@HOST:PORT/DATABASE?sslmode=...\", special characters as %%XX (@ as %%40, / as "
		"%%2F), a port in digits%s%.*s",
		names ? "; " : "", names ? (int)strcspn(said, "\n") : 0, names ? said : "");

	PQfreemem(said);
	return code;
}

/* A password that holds a bare @ or / is taken for a part of the server's name, its port, the database or a parameter, and all of these are shown. */
static bool may_show_password(const char *url)
{
	const char *rest = url + strlen(SCHEME);

	rest += strspn(rest, "/");
	rest += strcspn(rest, "@/");
	return *rest != '\0' && strchr(rest + 1, '@') != NULL;
}

/* One that is not followed by a server is taken for a port. */
static bool has_port(const PQconninfoOption *options)
{
	const char *port = option_of(options, "port");

	return port == NULL || port[strspn(port, "0123456789,")] == '\0';
}

static enum error_code postgres_find(const char *home, const char *url, struct database_place *place, struct error *error)
{
	PQconninfoOption *options;
	char *said = NULL;

	(void)home;
	if (!postgres_load())
		return error_set(error, ERROR_INVALID, "registry.url",
			"PostgreSQL's library libpq.so.5 is not installed: install it (Debian: libpq5), or use \"sqlite:FILE\"");
	if (may_show_password(url))
		return refuse_url(NULL, error);
	options = PQconninfoParse(url, &said);
	if (options == NULL)
		return refuse_url(said, error);
	if (!has_port(options)) {
		PQconninfoFree(options);
		return refuse_url(NULL, error);
	}
	place->name = name_place(options);
	place->url = memory_copy_text(url);
	PQconninfoFree(options);
	return ERROR_NONE;
}

/* ---- connections ---- */

static void note_notice(void *context, const char *message)
{
	const struct postgres *database = context;

	log_message(LOG_DEBUG, "registry.notice", "%s: %.*s", database->base.place->name, (int)strcspn(message, "\n"), message);
}

/* What the URL may set otherwise comes before it. */
static PGconn *dial(const struct database_place *place)
{
	const char *const keys[] = { "fallback_application_name", "connect_timeout", "tcp_user_timeout", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "target_session_attrs", "dbname", "client_encoding", NULL };
	const char *const values[] = { "providerd", TEXT_OF(POSTGRES_CONNECT_SECONDS), "5000", "10", "5", "3", "read-write",
		place->url, "UTF8", NULL };

	return PQconnectdbParams(keys, values, 1);
}

static enum error_code check_server(struct postgres *database, struct error *error)
{
	const char *name = database->base.place->name, *encoding = PQparameterStatus(database->connection, "server_encoding");

	if (PQserverVersion(database->connection) < OLDEST_SERVER)
		return error_set(error, ERROR_INVALID, name, "the server is PostgreSQL %d: it has to be 13 or newer",
			PQserverVersion(database->connection) / 10000);
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return error_set(error, ERROR_INVALID, name,
			"the database's encoding is %s: make one with createdb --encoding=UTF8 --template=template0",
			encoding != NULL ? encoding : "not known");
	return ERROR_NONE;
}

/* Tables are made in the first schema of the search path that is there. */
static enum error_code find_schema(struct postgres *database, struct error *error)
{
	PGresult *rows;
	bool found;

	if (!postgres_send_text(database, "SELECT quote_ident(current_schema())::regnamespace::oid") ||
		!postgres_sync(database, POSTGRES_ANSWER_MS, &rows))
		return postgres_say(&database->base, "set up the connection", error);
	found = !PQgetisnull(rows, 0, 0);
	database->schema = postgres_result_integer(rows, 0, 0);
	PQclear(rows);
	return found ? ERROR_NONE
		     : error_set(error, ERROR_INVALID, database->base.place->name,
			       "the user has no schema: make that of its search_path with CREATE SCHEMA");
}

static enum error_code set_up(struct postgres *database, struct error *error)
{
	const char *settings = database->use == DATABASE_WRITES ? WRITER_SETTINGS : READER_SETTINGS;
	enum error_code code = check_server(database, error);

	if (code != ERROR_NONE)
		return code;
	PQsetNoticeProcessor(database->connection, note_notice, database);
	if (PQsetnonblocking(database->connection, 1) != 0 || PQenterPipelineMode(database->connection) == 0 ||
		!postgres_run_text(database, settings, POSTGRES_ANSWER_MS))
		return postgres_say(&database->base, "set up the connection", error);
	code = find_schema(database, error);
	if (code == ERROR_NONE && (!postgres_send_brackets(database) || !postgres_sync(database, POSTGRES_ANSWER_MS, NULL) ||
					  !postgres_raise_generation(database)))
		code = postgres_say(&database->base, "set up the connection", error);
	return code;
}

static void hang_up(struct postgres *database)
{
	if (database->connection != NULL)
		PQfinish(database->connection);
	database->connection = NULL;
	postgres_forget_rows(database);
	database->queued = 0;
	database->lock_at = database->fence_at = -1;
	database->laters = 0;
	database->writing = database->failed = database->held = database->has_fence = false;
	database->readings = 0;
}

static enum error_code postgres_connect(struct database *database, struct error *error)
{
	struct postgres *own = postgres_of(database);
	enum error_code code;

	hang_up(own);
	own->failure = (struct postgres_failure){ 0 };
	own->connection = dial(database->place);
	if (own->connection == NULL)
		return error_memory(error);
	if (PQstatus(own->connection) == CONNECTION_OK)
		code = set_up(own, error);
	else
		code = postgres_refuse_connection(own, PQerrorMessage(own->connection), error);
	if (code != ERROR_NONE) {
		hang_up(own);
		own->failure.lost = true;
	} else {
		database->connections++;
	}
	return code;
}

static void postgres_close(struct database *database)
{
	hang_up(postgres_of(database));
	free(postgres_of(database)->spare);
	free(database);
}

static enum error_code postgres_open(
	const struct database_place *place, enum database_use use, struct database **database, struct error *error)
{
	struct postgres *made = memory_new(sizeof *made);
	enum error_code code;

	made->base = (struct database){ .driver = &postgres_driver, .place = place };
	made->use = use;
	code = postgres_connect(&made->base, error);
	if (code == ERROR_NONE)
		*database = &made->base;
	else
		postgres_close(&made->base);
	return code;
}

/* A server that went away meanwhile has closed the connection: that can be read without asking it. */
static bool postgres_is_connected(const struct database *database)
{
	const struct postgres *own = (const struct postgres *)(const void *)database;
	struct pollfd news;

	if (own->connection == NULL || PQstatus(own->connection) != CONNECTION_OK)
		return false;
	news = (struct pollfd){ .fd = PQsocket(own->connection), .events = POLLIN };
	if (poll(&news, 1, 0) <= 0)
		return true;
	return PQconsumeInput(own->connection) != 0 && PQstatus(own->connection) == CONNECTION_OK;
}

/* A failure of one statement is that of its whole transaction. */
static bool postgres_is_lost(struct database *database)
{
	(void)database;
	return true;
}

static bool postgres_lacks_memory(struct database *database)
{
	return postgres_of(database)->failure.code == ERROR_MEMORY;
}

/* ---- whose database it is ---- */

static bool ask(struct postgres *database, const char *text, int64_t *value)
{
	PGresult *rows;

	if (!postgres_send_text(database, text) || !postgres_sync(database, POSTGRES_ANSWER_MS, &rows))
		return false;
	*value = PQntuples(rows) > 0 ? postgres_result_integer(rows, 0, 0) : 0;
	PQclear(rows);
	return true;
}

static enum error_code postgres_version(struct database *database, struct database_version *version, struct error *error)
{
	struct postgres *own = postgres_of(database);
	int64_t registries = 0, tables = 0;

	*version = (struct database_version){ 0 };
	if (!ask(own,
		    "SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relname = 'registry'"
		    " AND relnamespace = quote_ident(current_schema())::regnamespace AND attname IN ('one', 'version', 'oldest')",
		    &registries) ||
		!ask(own,
			"SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
			" AND relnamespace = quote_ident(current_schema())::regnamespace",
			&tables))
		return postgres_say(database, "read the registry", error);
	if (registries != 3 && tables > 0)
		return error_set(error, ERROR_INVALID, database->place->name,
			"this database has tables of another program: give the registry a database, or a schema, of its own");
	if (registries == 3 && (!ask(own, "SELECT version FROM registry", &version->version) ||
				       !ask(own, "SELECT oldest FROM registry", &version->oldest)))
		return postgres_say(database, "read the registry", error);
	return ERROR_NONE;
}

static enum database_result postgres_set_version(struct database *database, const struct database_version *version)
{
	char text[512];

	snprintf(text, sizeof text,
		"CREATE TABLE IF NOT EXISTS registry (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL,"
		" oldest bigint NOT NULL);"
		"INSERT INTO registry (version, oldest) VALUES (%lld, %lld) ON CONFLICT (one) DO UPDATE SET version = "
		"excluded.version, oldest = greatest(registry.oldest, excluded.oldest)",
		(long long)version->version, (long long)version->oldest);
	return database_execute(database, text);
}

/* What is made or changed may have a million rows. */
static enum database_result postgres_execute(struct database *database, const char *text)
{
	struct postgres *own = postgres_of(database);

	if (own->writing && !postgres_run_text(own, "SET LOCAL statement_timeout = 0", POSTGRES_ANSWER_MS))
		return DATABASE_FAILED;
	return postgres_run_text(own, text, POSTGRES_LONG_MS) ? DATABASE_OK : DATABASE_FAILED;
}

/* The server looks after itself. */
static int64_t postgres_tend(struct database *database, bool idle)
{
	(void)database;
	(void)idle;
	return INT64_MAX;
}

const struct driver postgres_driver = {
	.scheme = SCHEME,
	.is_shared = true,
	.dialect = postgres_dialect,
	.find = postgres_find,
	.open = postgres_open,
	.close = postgres_close,
	.is_connected = postgres_is_connected,
	.connect = postgres_connect,
	.error = postgres_say,
	.is_lost = postgres_is_lost,
	.lacks_memory = postgres_lacks_memory,
	.version = postgres_version,
	.set_version = postgres_set_version,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.in_transaction = postgres_in_transaction,
	.settle = postgres_settle,
	.fence = postgres_fence,
	.is_fenced = postgres_is_fenced,
	.begin_reading = postgres_begin_reading,
	.end_reading = postgres_end_reading,
	.tend = postgres_tend,
	.execute = postgres_execute,
	.prepare = postgres_prepare,
	.prepared = postgres_prepared,
	.finalize = postgres_finalize,
	.bind_integer = postgres_bind_integer,
	.bind_real = postgres_bind_real,
	.bind_text = postgres_bind_text,
	.bind_bytes = postgres_bind_bytes,
	.bind_null = postgres_bind_null,
	.bind_owned = postgres_bind_owned,
	.bind_copy = postgres_bind_copy,
	.step = postgres_step,
	.reset = postgres_reset,
	.integer = postgres_integer,
	.real = postgres_real,
	.text = postgres_text,
	.bytes = postgres_bytes,
	.is_null = postgres_is_null,
	.run = postgres_run,
	.find_later = postgres_find_later,
	.change = postgres_change,
};
