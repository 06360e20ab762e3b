/* migration_older.c - declares a registry an older copy. The command's only thread.
 *
 * A file has a number beside it that says so (paid_mark.h): the next start sees it. What is on a server has none, so its rows say it themselves: a job whose paid
 * request is under way when its host ends is unknown to the next one. */
#include "migration/migration_older.h"

#include <stdlib.h>

#include "base/clock.h"
#include "registry/paid_mark.h"
#include "registry/task.h"
#include "registry/unfinished.h"

#define NUMBERS_AHEAD "1000000"

_Static_assert(
	LIVE_QUEUED == 0 && LIVE_SENDING == 1 && LIVE_SENT == 2 && LIVE_ENDED == 4, "the statements below name them by number");

static enum error_code count_open(struct migration_side *side, int64_t *jobs, struct error *error)
{
	if (database_query(side->database, (struct sql)SQL("SELECT count(*) FROM live WHERE phase < 4"), jobs) == DATABASE_OK)
		return ERROR_NONE;
	return database_error(side->database, "count its open jobs", error);
}

static enum error_code raise_mark(struct migration_side *side, struct error *error)
{
	int64_t number = 0;

	if (database_query(side->database, (struct sql)SQL("SELECT number FROM paid_mark"), &number) == DATABASE_FAILED)
		return database_error(side->database, "read its number of paid requests", error);
	return paid_mark_write(database_path(side->place), number + 1, error);
}

static bool run_once(struct database *database, struct sql text, bool takes_now)
{
	struct statement *statement = NULL;
	struct error error;
	bool done = database_prepare(database, &text, &statement, 1, &error) == ERROR_NONE;

	if (done && takes_now)
		statement_bind_integer(statement, 1, clock_unix_ms());
	done = done && statement_run(statement) == DATABASE_OK;
	database_finalize(&statement, 1);
	return done;
}

static enum error_code change_rows(struct migration_side *side, bool was_restored, struct error *error)
{
	struct database *database = side->database;
	bool done = database_begin(database, true) == DATABASE_OK &&
		    run_once(database, (struct sql)SQL("UPDATE live SET phase = 1 WHERE phase IN (0, 2)"), false);

	if (done && was_restored) /* one of them may have become a job since */
		done = run_once(database, (struct sql)SQL("DELETE FROM quote WHERE job IS NULL"), false);
	if (done && was_restored)
		done = run_once(database,
			(struct sql)SQL("INSERT INTO event (number, at_ms, sequence, verb, data) SELECT coalesce(max(number), 0) "
					"+ " NUMBERS_AHEAD ", ?, 0, 'host.registry.restored', NULL FROM event"),
			true);
	if (done && database_commit(database) == DATABASE_OK)
		return ERROR_NONE;
	database_error(database, "note that it is an older copy", error);
	database_rollback(database);
	return error->code;
}

enum error_code migration_declare_older(struct migration_side *side, bool was_restored, int64_t *open_jobs, struct error *error)
{
	enum error_code code = count_open(side, open_jobs, error);

	if (code != ERROR_NONE || (*open_jobs == 0 && !was_restored))
		return code;
	return database_path(side->place) != NULL ? raise_mark(side, error) : change_rows(side, was_restored, error);
}

static enum error_code declare_found(struct migration_side *side, void (*tell)(void *context, const char *text), void *context,
	int64_t *open_jobs, struct error *error)
{
	enum error_code code = migration_side_expect(side, error);

	if (code == ERROR_NONE)
		code = migration_side_open(side, error);
	if (code == ERROR_NONE)
		code = unfinished_refuse(side->database, side->place, error);
	if (code == ERROR_NONE)
		code = migration_side_await_silence(side, tell, context, error);
	return code == ERROR_NONE ? migration_declare_older(side, true, open_jobs, error) : code;
}

enum error_code migration_restored(const char *home, const char *url, void (*tell)(void *context, const char *text),
	void *context, int64_t *open_jobs, struct error *error)
{
	struct migration_locks locks = { .count = 0 };
	struct migration_side side = { .locks = &locks };
	enum error_code code = migration_side_find(&side, &locks, home, url, error);

	if (code == ERROR_NONE)
		code = declare_found(&side, tell, context, open_jobs, error);
	migration_side_close(&side);
	migration_locks_free(&locks);
	return code;
}
