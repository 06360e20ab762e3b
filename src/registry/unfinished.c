/* unfinished.c - sets, reads and takes away the mark of a registry that is being filled. No state; whichever thread holds the connection. */
#include "registry/unfinished.h"

#include <stdlib.h>

#include "base/memory.h"

static const struct sql find_text = {
	.sqlite = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'unfinished'",
	.postgres = "SELECT count(*) FROM pg_class WHERE relname = 'unfinished' AND relnamespace ="
		    " quote_ident(current_schema())::regnamespace",
};

enum error_code unfinished_read(struct database *database, char **source, struct error *error)
{
	static const struct sql text = SQL("SELECT source FROM unfinished");
	struct statement *statement = NULL;
	int64_t tables = 0;
	enum database_result result;
	enum error_code code = ERROR_NONE;

	*source = NULL;
	if (database_query(database, find_text, &tables) == DATABASE_FAILED)
		return database_error(database, "read the registry", error);
	if (tables == 0)
		return ERROR_NONE;
	if (database_prepare(database, &text, &statement, 1, error) != ERROR_NONE) {
		database_finalize(&statement, 1);
		return error->code;
	}
	result = statement_step(statement);
	if (result == DATABASE_ROW)
		*source = memory_copy_text(statement_text(statement, 0));
	else if (result == DATABASE_DONE)
		*source = memory_copy_text("?");
	else
		code = database_error(database, "read the registry", error);
	database_finalize(&statement, 1);
	return code;
}

enum database_result unfinished_begin(struct database *database, const char *source)
{
	static const struct sql text = SQL("INSERT INTO unfinished (source) VALUES (?)");
	struct statement *statement = NULL;
	enum database_result result = database_execute(database, "CREATE TABLE unfinished (source TEXT NOT NULL)");
	struct error error;

	if (result != DATABASE_OK)
		return result;
	result = DATABASE_FAILED;
	if (database_prepare(database, &text, &statement, 1, &error) == ERROR_NONE) {
		statement_bind_text(statement, 1, source);
		result = statement_run(statement);
	}
	database_finalize(&statement, 1);
	return result;
}

enum database_result unfinished_end(struct database *database)
{
	return database_execute(database, "DROP TABLE unfinished");
}

enum error_code unfinished_refuse(struct database *database, const struct database_place *place, struct error *error)
{
	char *source;
	enum error_code code = unfinished_read(database, &source, error);

	if (code == ERROR_NONE && source != NULL)
		code = error_set(error, ERROR_CONFLICT, database_name(place),
			"this registry is being filled from %s: run that `providerd migrate` again, it goes on where it stopped",
			source);
	free(source);
	return code;
}
