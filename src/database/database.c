/* database.c - hands each call to the driver of its connection. No state. */
#include "database/database.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "database/driver.h"

static const struct driver *const drivers[] = { &sqlite_driver, &postgres_driver };

#define DRIVERS (sizeof drivers / sizeof *drivers)

/* ---- places ---- */

static const struct driver *find_driver(const char *url)
{
	for (size_t i = 0; i < DRIVERS; i++)
		if (strncmp(url, drivers[i]->scheme, strlen(drivers[i]->scheme)) == 0)
			return drivers[i];
	return NULL;
}

enum error_code database_find(const char *home, const char *url, struct database_place **place, struct error *error)
{
	const struct driver *driver = find_driver(url);
	struct database_place *found;
	enum error_code code;

	if (driver == NULL)
		return error_set(error, ERROR_INVALID, "registry.url",
			"expected \"sqlite:FILE\" or \"postgresql://HOST/DATABASE\", got \"%.*s...\"", (int)strcspn(url, ":/@"),
			url); /* the rest may hold a password */
	found = memory_new(sizeof *found);
	found->driver = driver;
	code = driver->find(home, url, found, error);
	if (code == ERROR_NONE)
		*place = found;
	else
		database_place_free(found);
	return code;
}

void database_place_free(struct database_place *place)
{
	if (place == NULL)
		return;
	free(place->name);
	free(place->path);
	if (place->url != NULL)
		memset(place->url, 0, strlen(place->url));
	free(place->url);
	free(place);
}

const char *database_name(const struct database_place *place)
{
	return place->name;
}

const char *database_path(const struct database_place *place)
{
	return place->path;
}

bool database_is_shared(const struct database_place *place)
{
	return place->driver->is_shared;
}

/* ---- connections ---- */

enum error_code database_open(
	const struct database_place *place, enum database_use use, struct database **database, struct error *error)
{
	return place->driver->open(place, use, database, error);
}

void database_close(struct database *database)
{
	if (database != NULL)
		database->driver->close(database);
}

bool database_is_connected(const struct database *database)
{
	return database->driver->is_connected(database);
}

unsigned database_connections(const struct database *database)
{
	return database->connections;
}

enum error_code database_connect(struct database *database, struct error *error)
{
	return database->driver->connect(database, error);
}

enum error_code database_error(struct database *database, const char *action, struct error *error)
{
	return database->driver->error(database, action, error);
}

bool database_is_lost(struct database *database)
{
	return database->driver->is_lost(database);
}

bool database_lacks_memory(struct database *database)
{
	return database->driver->lacks_memory(database);
}

enum error_code database_version(struct database *database, struct database_version *version, struct error *error)
{
	return database->driver->version(database, version, error);
}

enum database_result database_set_version(struct database *database, const struct database_version *version)
{
	return database->driver->set_version(database, version);
}

/* ---- transactions ---- */

enum database_result database_begin(struct database *database, bool synced)
{
	return database->driver->begin(database, synced);
}

enum database_result database_commit(struct database *database)
{
	return database->driver->commit(database);
}

void database_rollback(struct database *database)
{
	database->driver->rollback(database);
}

bool database_in_transaction(struct database *database)
{
	return database->driver->in_transaction(database);
}

void database_fence(struct database *database, int64_t host)
{
	if (database->driver->fence != NULL)
		database->driver->fence(database, host);
}

bool database_is_fenced(struct database *database)
{
	return database->driver->is_fenced != NULL && database->driver->is_fenced(database);
}

enum database_result database_settle(struct database *database)
{
	return database->driver->settle(database);
}

enum database_result database_begin_reading(struct database *database)
{
	return database->driver->begin_reading(database);
}

void database_end_reading(struct database *database)
{
	database->driver->end_reading(database);
}

void database_give(struct database *database, const struct given_rows *rows)
{
	if (database->driver->give != NULL)
		database->driver->give(database, rows);
}

int64_t database_tend(struct database *database, bool idle)
{
	return database->driver->tend(database, idle);
}

const char *database_dialect(const struct database *database, const struct sql *text)
{
	return database->driver->dialect(text);
}

enum database_result database_execute(struct database *database, const char *text)
{
	return database->driver->execute(database, text);
}

/* ---- statements ---- */

enum error_code database_prepare(
	struct database *database, const struct sql *texts, struct statement **statements, size_t count, struct error *error)
{
	enum error_code code = ERROR_NONE;

	for (size_t i = 0; i < count && code == ERROR_NONE; i++)
		code = database->driver->prepare(database, &texts[i], &statements[i], error);
	if (code == ERROR_NONE && database->driver->prepared != NULL)
		code = database->driver->prepared(database, error);
	return code;
}

void database_finalize(struct statement **statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (statements[i] != NULL)
			statements[i]->driver->finalize(statements[i]);
		statements[i] = NULL;
	}
}

struct database *statement_database(const struct statement *statement)
{
	return statement->database;
}

void statement_bind_integer(struct statement *statement, int index, int64_t value)
{
	statement->driver->bind_integer(statement, index, value);
}

void statement_bind_real(struct statement *statement, int index, double value)
{
	statement->driver->bind_real(statement, index, value);
}

void statement_bind_text(struct statement *statement, int index, const char *text)
{
	statement->driver->bind_text(statement, index, text);
}

void statement_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length)
{
	statement->driver->bind_bytes(statement, index, bytes, length);
}

void statement_bind_null(struct statement *statement, int index)
{
	statement->driver->bind_null(statement, index);
}

void statement_bind_owned(struct statement *statement, int index, char *text)
{
	statement->driver->bind_owned(statement, index, text);
}

void statement_bind_copy(struct statement *statement, int index, const void *bytes, size_t length)
{
	statement->driver->bind_copy(statement, index, bytes, length);
}

enum database_result statement_step(struct statement *statement)
{
	return statement->driver->step(statement);
}

void statement_reset(struct statement *statement)
{
	statement->driver->reset(statement);
}

int64_t statement_integer(struct statement *statement, int column)
{
	return statement->driver->integer(statement, column);
}

double statement_real(struct statement *statement, int column)
{
	return statement->driver->real(statement, column);
}

const char *statement_text(struct statement *statement, int column)
{
	return statement->driver->text(statement, column);
}

const void *statement_bytes(struct statement *statement, int column, size_t *length)
{
	return statement->driver->bytes(statement, column, length);
}

bool statement_is_null(struct statement *statement, int column)
{
	return statement->driver->is_null(statement, column);
}

bool statement_equals(struct statement *statement, int column, const void *bytes, size_t length)
{
	size_t found = 0;
	const void *data = statement_bytes(statement, column, &found);

	return data != NULL && found == length && memcmp(data, bytes, length) == 0;
}

bool statement_copy(struct statement *statement, int column, void *bytes, size_t length)
{
	size_t found = 0;
	const void *data = statement_bytes(statement, column, &found);

	if (data == NULL || found != length)
		return false;
	memcpy(bytes, data, length);
	return true;
}

bool statement_lacks_memory(struct statement *statement)
{
	return database_lacks_memory(statement->database);
}

enum database_result statement_run(struct statement *statement)
{
	return statement->driver->run(statement);
}

enum database_result statement_change(struct statement *statement, int64_t *changed)
{
	return statement->driver->change(statement, changed);
}

enum database_result statement_find(struct statement *statement, int64_t *value)
{
	enum database_result result = statement_step(statement);

	if (result == DATABASE_ROW)
		*value = statement_integer(statement, 0);
	statement_reset(statement);
	return result == DATABASE_ROW ? DATABASE_OK : result;
}

enum database_result statement_find_later(struct statement *statement, int64_t *value)
{
	enum database_result result;

	if (statement->driver->find_later != NULL)
		return statement->driver->find_later(statement, value);
	result = statement_find(statement, value);
	return result == DATABASE_DONE ? DATABASE_OK : result;
}

enum database_result database_query(struct database *database, struct sql text, int64_t *value)
{
	struct statement *statement = NULL;
	enum database_result result = DATABASE_FAILED;

	if (database->driver->prepare(database, &text, &statement, NULL) == ERROR_NONE)
		result = statement_find(statement, value);
	database_finalize(&statement, 1);
	return result;
}
