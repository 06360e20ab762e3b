/* observed_writes.c - what a settled job has cost, kept beside the ledger for estimates: the last ones of each model. Store thread only.
 *
 * A row is a job's, so that a settlement which is written twice counts once. What is one too many of its model goes with the same commit; what is one
 * too many of all, the oldest first, some hundred at a time. */
#include "registry/writes.h"

#include "base/limits.h"
#include "database/database.h"

#define AT_A_TIME 500

static void bind_observation(struct writer *writer, struct statement *statement, int from, const struct store_observation *seen)
{
	writer_bind_text(statement, from, seen->provider);
	writer_bind_clean(writer, statement, from + 1, false, seen->model);
	writer_bind_clean(writer, statement, from + 2, false, seen->drivers);
}

static int count_observed(struct writer *writer)
{
	struct statement *statement = writer->statements[WRITE_OBSERVED_COUNT];
	int code = statement_step(statement);

	if (code == DATABASE_ROW)
		writer->observed = statement_integer(statement, 0);
	statement_reset(statement);
	return code == DATABASE_ROW ? DATABASE_OK : code;
}

static int drop_oldest_observed(struct writer *writer)
{
	struct statement *statement = writer->statements[WRITE_OBSERVED_OLDEST];
	int64_t dropped = 0;
	int code = writer->observed > LIMIT_OBSERVED_ROWS ? count_observed(writer) : DATABASE_OK; /* other hosts drop them too */

	if (code != DATABASE_OK || writer->observed <= LIMIT_OBSERVED_ROWS)
		return code;
	statement_bind_integer(statement, 1, AT_A_TIME);
	code = statement_change(statement, &dropped);
	writer->observed -= dropped;
	return code;
}

int writer_observe(struct writer *writer, const struct store_write *write)
{
	const struct store_observation *seen = write->observation;
	struct statement *statement = writer->statements[WRITE_OBSERVED];
	int code = writer->observed < 0 ? count_observed(writer) : DATABASE_OK;
	int64_t added = 0, trimmed = 0;

	if (seen == NULL || code != DATABASE_OK)
		return code;
	statement_bind_integer(statement, 1, id_sequence(&write->task.id));
	bind_observation(writer, statement, 2, seen);
	statement_bind_integer(statement, 5, seen->micro_usd);
	statement_bind_integer(statement, 6, seen->at_ms);
	code = statement_change(statement, &added);
	if (code != DATABASE_OK)
		return code;
	writer->observed += added;
	statement = writer->statements[WRITE_OBSERVED_TRIM];
	bind_observation(writer, statement, 1, seen);
	statement_bind_integer(statement, 4, LIMIT_OBSERVED_JOBS);
	code = statement_change(statement, &trimmed);
	if (code != DATABASE_OK)
		return code;
	writer->observed -= trimmed;
	return drop_oldest_observed(writer);
}
