/* postgres_failure.c - what PostgreSQL's failures mean to a person, and to who called: try again, mend the row, or mend the server. The server's own
 * words are passed on, but not its details, which quote rows; nothing here ever holds the password. */
#include "database/postgres.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define STATE_BYTES 5
#define SAID_BYTES 240

/* By the beginning of its SQLSTATE; the first that fits. */
static const struct {
	const char *state;
	enum error_code code;
	const char *advice;
} meanings[] = {
	{ "40", ERROR_BUSY, "another transaction was in the way; it is tried again" },
	{ "55P03", ERROR_BUSY, "another host, or another program, holds a lock on the registry" },
	{ "57014", ERROR_BUSY, "the server took too long and gave up" },
	{ "57P", ERROR_BUSY, "the server ended the connection" },
	{ "08", ERROR_BUSY, "the connection to the server was lost" },
	{ "53100", ERROR_IO, "the server's disk is full: make room on it" },
	{ "53200", ERROR_BUSY, "the server is out of memory" },
	{ "53300", ERROR_BUSY, "the server has no connection left: raise its max_connections, or end others" },
	{ "53", ERROR_BUSY, "the server is short of something" },
	{ "22", ERROR_CONFLICT, "the row has a value that its table cannot hold" },
	{ "23", ERROR_CONFLICT, "the row breaks a rule of its table" },
	{ "54", ERROR_CONFLICT, "the row has a value that is too large" },
	{ "25006", ERROR_IO, "the server only reads: it is a standby, or was told so" },
	{ "42501", ERROR_IO, "the user lacks a right: make it the owner of the registry's schema and tables" },
	{ "42P01", ERROR_IO, "a table is missing: is this the right database, and the right schema?" },
	{ "42703", ERROR_IO, "a column is missing: is this the right database, and the right schema?" },
	{ "3D", ERROR_INVALID, "there is no such database: make it with createdb" },
	{ "3F", ERROR_INVALID, "there is no such schema: make it with CREATE SCHEMA" },
	{ "28", ERROR_INVALID, "the server refuses the user or its password" },
	{ "58", ERROR_IO, "the server cannot read or write its files" },
	{ "XX", ERROR_IO, "the server's files are damaged, or it has a fault" },
	{ "", ERROR_IO, "the server refused" },
};

/* The same of connections that could not be made: libpq tells them by text alone. */
static const struct {
	const char *said;
	enum error_code code;
	const char *advice;
} refusals[] = {
	{ "memory", ERROR_MEMORY, "out of memory" },
	{ "no password supplied", ERROR_INVALID,
		"the server wants a password: set PGPASSWORD or a passfile, or write it into registry.url" },
	{ "password authentication failed", ERROR_INVALID, "the server refuses the user or its password" },
	{ "no pg_hba.conf entry", ERROR_INVALID, "the server lets nobody in from here: add a line to its pg_hba.conf" },
	{ "authentication", ERROR_INVALID, "the server refuses the user" },
	{ "database \"", ERROR_INVALID, "there is no such database: make it with createdb" },
	{ "role \"", ERROR_INVALID, "there is no such user: make it with createuser" },
	{ "certificate", ERROR_INVALID,
		"the server's certificate, or the host's own, does not fit: look at sslmode, sslrootcert and the host's name" },
	{ "SSL", ERROR_INVALID, "TLS cannot be had: look at sslmode in registry.url, and at the server's ssl" },
	{ "session is read-only", ERROR_BUSY, "the server only reads: it is a standby, or was told so" },
	{ "starting up", ERROR_BUSY, "the server is starting" },
	{ "shutting down", ERROR_BUSY, "the server is stopping" },
	{ "too many", ERROR_BUSY, "the server has no connection left: raise its max_connections, or end others" },
	{ "connection slots", ERROR_BUSY, "the server has no connection left: raise its max_connections, or end others" },
	{ "invalid port number", ERROR_INVALID, "registry.url names a port that there cannot be" },
	{ "invalid integer value", ERROR_INVALID, "a number is wrong in registry.url" },
	{ "definition of service", ERROR_INVALID, "registry.url names a service that is in no service file" },
	{ "", ERROR_BUSY, "the server cannot be reached: is it up, and are host and port right?" },
};

/* Copies a text of several lines as one. */
static void copy_line(char *to, size_t size, const char *text)
{
	size_t length = 0;

	while (*text == ' ' || *text == '\n')
		text++;
	for (; *text != '\0' && length + 1 < size; text++) {
		if (*text == '\n' || *text == '\t')
			to[length++] = ' ';
		else
			to[length++] = *text;
	}
	while (length > 0 && to[length - 1] == ' ')
		length--;
	to[length] = '\0';
}

static void note(struct postgres *database, enum error_code code, const char *advice, const char *said)
{
	char line[SAID_BYTES];

	copy_line(line, sizeof line, said);
	database->failure.code = code;
	snprintf(database->failure.text, sizeof database->failure.text, line[0] != '\0' ? "%s (%s)" : "%s", advice, line);
}

void postgres_note_result(struct postgres *database, const PGresult *result)
{
	const char *state, *said, *severity;
	size_t i = 0;

	if (result == NULL || PQresultStatus(result) != PGRES_FATAL_ERROR)
		return;
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (state == NULL) {
		postgres_lose(database, said != NULL ? said : "");
		return;
	}
	while (strncmp(state, meanings[i].state, strlen(meanings[i].state)) != 0)
		i++;
	database->failure.lost = false;
	note(database, meanings[i].code, meanings[i].advice, said != NULL ? said : state);
	if (severity != NULL && strcmp(severity, "ERROR") != 0)
		postgres_lose(database, NULL);
}

void postgres_note_fenced(struct postgres *database)
{
	database->fenced = true;
	note(database, ERROR_BUSY, "another host has declared this one dead, and goes on with its jobs", "");
}

/* libpq has closed it, or reads its end next. */
static bool has_ended(struct postgres *database)
{
	int socket = database->connection != NULL ? PQsocket(database->connection) : -1;
	char byte;

	return socket == -1 || recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void postgres_lose(struct postgres *database, const char *why)
{
	if (database->connection == NULL && database->failure.lost)
		return; /* it was said before */
	/* libpq says nothing when it lacks the memory even for that; or when it said before that the connection has ended */
	if (why != NULL && ((why[0] == '\0' && !has_ended(database)) || strstr(why, "memory") != NULL))
		note(database, ERROR_MEMORY, "out of memory", "");
	else if (why != NULL)
		note(database, ERROR_BUSY, "the connection to the server was lost", why);
	database->failure.lost = true;
	if (database->connection != NULL)
		PQfinish(database->connection);
	database->connection = NULL;
	database->queued = 0;
	database->lock_at = database->fence_at = -1;
	database->laters = 0;
	database->failed = database->writing || database->readings > 0;
}

enum error_code postgres_refuse_connection(struct postgres *database, const char *said, struct error *error)
{
	size_t i = 0;

	while (strstr(said, refusals[i].said) == NULL)
		i++;
	database->failure.lost = true;
	note(database, refusals[i].code, refusals[i].advice, said);
	return postgres_say(&database->base, "connect to the registry", error);
}

enum error_code postgres_say(struct database *database, const char *action, struct error *error)
{
	const struct postgres_failure *failure = &postgres_of(database)->failure;

	if (failure->code == ERROR_MEMORY)
		return error_memory(error);
	return error_set(error, failure->code != ERROR_NONE ? failure->code : ERROR_IO, database->place->name, "cannot %s: %s",
		action, failure->text[0] != '\0' ? failure->text : "there is no connection to the server");
}
