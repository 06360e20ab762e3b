/* observed_writes.c - what a settled job has cost, kept beside the ledger for estimates: the last ones of each model. Store thread only.
 *
 * A row is a job's, so that a settlement which is written twice counts once. What is one too many of its model goes with the same commit; what is one
 * too many of all, the oldest first, some hundred at a time. */
#include "registry/writes.h"

#include "base/limits.h"
#include "registry/database.h"

#define AT_A_TIME 500

static void bind_observation(struct writer *writer, sqlite3_stmt *statement, int from, const struct store_observation *seen)
{
	writer_bind_text(statement, from, seen->provider);
	writer_bind_clean(writer, statement, from + 1, false, seen->model);
	writer_bind_clean(writer, statement, from + 2, false, seen->drivers);
}

static int count_observed(struct writer *writer)
{
	sqlite3_stmt *statement = writer->statements[WRITE_OBSERVED_COUNT];
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		writer->observed = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int drop_oldest_observed(struct writer *writer)
{
	sqlite3_stmt *statement = writer->statements[WRITE_OBSERVED_OLDEST];
	int code;

	if (writer->observed <= LIMIT_OBSERVED_ROWS)
		return SQLITE_OK;
	sqlite3_bind_int(statement, 1, AT_A_TIME);
	code = database_run(statement);
	if (code == SQLITE_OK)
		writer->observed -= sqlite3_changes(writer->db);
	return code;
}

int writer_observe(struct writer *writer, const struct store_write *write)
{
	const struct store_observation *seen = write->observation;
	sqlite3_stmt *statement = writer->statements[WRITE_OBSERVED];
	int code = writer->observed < 0 ? count_observed(writer) : SQLITE_OK;

	if (seen == NULL || code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(statement, 1, id_sequence(&write->task.id));
	bind_observation(writer, statement, 2, seen);
	sqlite3_bind_int64(statement, 5, seen->micro_usd);
	sqlite3_bind_int64(statement, 6, seen->at_ms);
	code = database_run(statement);
	if (code != SQLITE_OK)
		return code;
	writer->observed += sqlite3_changes(writer->db);
	statement = writer->statements[WRITE_OBSERVED_TRIM];
	bind_observation(writer, statement, 1, seen);
	sqlite3_bind_int(statement, 4, LIMIT_OBSERVED_JOBS);
	code = database_run(statement);
	if (code != SQLITE_OK)
		return code;
	writer->observed -= sqlite3_changes(writer->db);
	return drop_oldest_observed(writer);
}
