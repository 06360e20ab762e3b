/* upkeep.c - the registry's housekeeping, in pieces small enough to go between two groups.
 *
 * Runs on the store thread, on the writer's connection. Its chores:
 * - index: rows are added to task_index a batch at a time; the rows since are few enough to be scanned (reads.c);
 * - fill: outputs of jobs from before there was a list of them are added to it, the newest first. It rests ten times as long as it works, too;
 * - purge: what is older than keep_days goes, unless its outcome is open. It rests ten times as long as it works;
 * - what the database itself wants (database_tend()).
 * A chore that fails is logged once and tried again later; it never stops the writing. */
#include "registry/upkeep.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "database/database.h"

#define SECOND_NS 1000000000LL
#define DAY_MS 86400000LL
#define INDEX_BATCH 512	 /* rows; also about the most that a filtered listing scans */
#define PURGE_BATCH 1000 /* rows; some milliseconds */
#define PURGE_REST 10
#define FILL_BATCH 200 /* jobs */
#define PURGE_EVERY_NS (3600 * SECOND_NS)
#define PURGE_RETRY_NS (60 * SECOND_NS)
#define JUMP_MS 3600000LL /* more than a clock is set by in passing */
#define JUMP_BELIEVED_NS (24 * 3600 * SECOND_NS)
#define LEDGER_DAYS 396 /* 13 months */
#define KEY_DAYS 7	/* an idempotency key is good for this long at least */
#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

/* By the clock and beside the newest entry: a clock that went ahead takes nothing that a budget still counts. */
#define OLD_LEDGER " WHERE sequence < ? AND spent <> -1 AND day < (SELECT max(day) FROM ledger) - " TEXT_OF(LEDGER_DAYS)

#define FILL(join)                                                                                                               \
	"SELECT live.sequence, source, task.caller, result FROM live " join " task USING (sequence)"                             \
	" WHERE live.sequence < ? AND removed_ms IS NULL ORDER BY live.sequence DESC LIMIT " TEXT_OF(FILL_BATCH)

/* 2, 3 and 4 are done, error and canceled (task.h): queued, running and unknown rows stay, money may hang on them. A job that ended long after
 * it began is as old as its end: its last events are younger than its first. */
static const struct sql upkeep_texts[UPKEEP_STATEMENTS] = {
	[UPKEEP_INDEX] = { .sqlite = "INSERT INTO task_index SELECT status, source, sequence FROM task WHERE sequence > ?" },
	[UPKEEP_MARK] = { .sqlite = "UPDATE task_indexed SET sequence = ?" },
	[UPKEEP_NEWEST] = SQL("SELECT max(sequence) FROM task"),
	[UPKEEP_BATCH_END] =
		SQL("SELECT max(sequence) FROM (SELECT sequence FROM task WHERE sequence > ? AND sequence < ?"
		    " AND status IN (2, 3, 4) AND updated_ms < ? ORDER BY sequence LIMIT " TEXT_OF(PURGE_BATCH) ") AS batch"),
	[UPKEEP_PURGE] = SQL("DELETE FROM task WHERE sequence > ? AND sequence <= ? AND status IN (2, 3, 4) AND updated_ms < ?"),
	[UPKEEP_PURGE_LIVE] = SQL("DELETE FROM live WHERE sequence > ?1 AND sequence <= ?2"
				  " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = live.sequence)"),
	[UPKEEP_PURGE_CALLBACK] = SQL("DELETE FROM callback WHERE sequence > ?1 AND sequence <= ?2"
				      " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = callback.sequence)"),
	[UPKEEP_PURGE_ARTIFACT] = SQL("DELETE FROM artifact WHERE sequence > ?1 AND sequence <= ?2"
				      " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = artifact.sequence)"),
	[UPKEEP_PURGE_WISH] = SQL("DELETE FROM wish WHERE sequence > ?1 AND sequence <= ?2"
				  " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = wish.sequence)"),
	[UPKEEP_PURGE_UPSTREAM] = SQL("DELETE FROM upstream WHERE sequence > ?1 AND sequence <= ?2"
				      " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = upstream.sequence)"),
	[UPKEEP_PURGE_QUOTE] = SQL("DELETE FROM quote WHERE job > ?1 AND job <= ?2"
				   " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = quote.job)"),
	[UPKEEP_OLD_LEDGER] = SQL("SELECT day, source, caller, door, CAST(sum(spent) AS bigint) FROM ledger" OLD_LEDGER
				  " GROUP BY day, source, caller, door"),
	[UPKEEP_PURGE_LEDGER] = SQL("DELETE FROM ledger" OLD_LEDGER),
	[UPKEEP_PURGE_BUDGETS] = SQL("DELETE FROM budget WHERE begins < ? AND reserved = 0 AND spent = 0"),
	[UPKEEP_PURGE_INDEX] = { .sqlite = "DELETE FROM task_index WHERE status = ? AND source = ? AND sequence > ? AND sequence "
					   "<= ?"
					   " AND NOT EXISTS (SELECT 1 FROM task WHERE task.sequence = task_index.sequence)" },
	[UPKEEP_PURGE_KEYS] = SQL("DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE created_ms < ?"
				  " ORDER BY created_ms LIMIT " TEXT_OF(PURGE_BATCH) ")"),
	[UPKEEP_PURGE_QUOTES] =
		SQL("DELETE FROM quote WHERE sequence IN (SELECT sequence FROM quote WHERE job IS NULL AND expires_ms < ?"
		    " LIMIT " TEXT_OF(PURGE_BATCH) ")"),
	/* the newest stays: the numbers of a later start go on from it */
	[UPKEEP_OLD_EVENTS] = SQL("SELECT max(number) FROM (SELECT number, at_ms FROM event ORDER BY number LIMIT " TEXT_OF(
		PURGE_BATCH) ") AS oldest WHERE at_ms < ? AND number < (SELECT max(number) FROM event)"),
	[UPKEEP_PURGE_EVENTS] = SQL("DELETE FROM event WHERE number <= ?"),
	[UPKEEP_TO_FILL] = SQL("SELECT sequence FROM artifact_filled"),
	[UPKEEP_FILL] = { .sqlite = FILL("CROSS JOIN"), .postgres = FILL("JOIN") }, /* SQLite joins in this order */
	[UPKEEP_FILLED] = SQL("UPDATE artifact_filled SET sequence = ?"),
};
_Static_assert(
	TASK_DONE == 2 && TASK_ERROR == 3 && TASK_CANCELED == 4 && LIVE_ENDED == 4, "the statements above name them by number");

/* Logs why the transaction failed, once until a chore works again. */
static bool trouble(struct upkeep *upkeep)
{
	if (!upkeep->troubled)
		log_message(LOG_WARN, "registry.upkeep", "housekeeping waits: %s", upkeep->writer->failure.message);
	upkeep->troubled = true;
	return false;
}

/* The same for a statement in it, which is rolled back. */
static bool give_chore_up(struct upkeep *upkeep, const char *chore)
{
	writer_fail(upkeep->writer, chore);
	return trouble(upkeep);
}

/* ---- index ---- */

static bool index_rows(struct upkeep *upkeep, int64_t *newest)
{
	struct statement **statements = upkeep->statements;

	if (statement_find(statements[UPKEEP_NEWEST], newest) != DATABASE_OK)
		return give_chore_up(upkeep, "index the registry");
	statement_bind_integer(statements[UPKEEP_INDEX], 1, upkeep->writer->indexed);
	statement_bind_integer(statements[UPKEEP_MARK], 1, *newest);
	if (statement_run(statements[UPKEEP_INDEX]) != DATABASE_OK || statement_run(statements[UPKEEP_MARK]) != DATABASE_OK)
		return give_chore_up(upkeep, "index the registry");
	return writer_commit(upkeep->writer) || trouble(upkeep);
}

static void index_batch(struct upkeep *upkeep)
{
	int64_t newest = 0;

	if (!writer_begin(upkeep->writer, false)) {
		trouble(upkeep);
		return;
	}
	if (!index_rows(upkeep, &newest))
		return;
	upkeep->writer->indexed = newest;
	upkeep->writer->unindexed = 0;
	upkeep->troubled = false;
}

/* ---- purge ---- */

static bool purge_index(struct upkeep *upkeep, int64_t to)
{
	struct statement *statement = upkeep->statements[UPKEEP_PURGE_INDEX];
	int sources = sources_count(upkeep->writer->sources);

	statement_bind_integer(statement, 3, upkeep->purge_from);
	statement_bind_integer(statement, 4, to);
	for (int status = TASK_DONE; status <= TASK_CANCELED; status++) {
		for (int source = 1; source <= sources; source++) {
			statement_bind_integer(statement, 1, status);
			statement_bind_integer(statement, 2, source);
			if (statement_run(statement) != DATABASE_OK)
				return false;
		}
	}
	return true;
}

/* Deletes the next batch of tasks; *to is 0 when there was none. */
static bool purge_tasks(struct upkeep *upkeep, int64_t before_ms, int64_t *to)
{
	struct statement *end = upkeep->statements[UPKEEP_BATCH_END];
	struct statement *purge = upkeep->statements[UPKEEP_PURGE];

	statement_bind_integer(end, 1, upkeep->purge_from);
	statement_bind_integer(end, 2, id_sequence_at(before_ms));
	statement_bind_integer(end, 3, before_ms);
	if (statement_find(end, to) != DATABASE_OK)
		return false;
	if (*to == 0)
		return true;
	statement_bind_integer(purge, 1, upkeep->purge_from);
	statement_bind_integer(purge, 2, *to);
	statement_bind_integer(purge, 3, before_ms);
	if (statement_run(purge) != DATABASE_OK)
		return false;
	for (int part = UPKEEP_PURGE_LIVE; part <= UPKEEP_PURGE_QUOTE; part++) { /* of tasks that are gone now */
		statement_bind_integer(upkeep->statements[part], 1, upkeep->purge_from);
		statement_bind_integer(upkeep->statements[part], 2, *to);
		if (statement_run(upkeep->statements[part]) != DATABASE_OK)
			return false;
	}
	return purge_index(upkeep, *to);
}

/* Takes what is old out of the sums of budgets, before it goes. */
static bool purge_sums(struct upkeep *upkeep, int64_t before, bool *any)
{
	struct statement *rows = upkeep->statements[UPKEEP_OLD_LEDGER];
	const struct source *source;
	bool lacks_memory = false;
	int code;

	statement_bind_integer(rows, 1, before);
	while ((code = statement_step(rows)) == DATABASE_ROW && !lacks_memory) {
		*any = true;
		source = sources_get(upkeep->writer->sources, (int)statement_integer(rows, 1));
		writer_add_budgets(upkeep->writer,
			&(struct budget_entry){ .provider = source != NULL ? source->provider : "",
				.caller = statement_text(rows, 2),
				.door = (enum job_door)statement_integer(rows, 3),
				.day = statement_integer(rows, 0) },
			0, -statement_integer(rows, 4));
		lacks_memory = statement_lacks_memory(rows);
	}
	statement_reset(rows);
	return code == DATABASE_DONE;
}

/* Money is remembered longer than the jobs that cost it; what is not settled is never forgotten. */
static bool purge_ledger(struct upkeep *upkeep, int64_t before_day)
{
	struct statement *purge = upkeep->statements[UPKEEP_PURGE_LEDGER], *sums = upkeep->statements[UPKEEP_PURGE_BUDGETS];
	int64_t before = id_sequence_at(before_day * DAY_MS);
	bool any = false;

	if (!purge_sums(upkeep, before, &any))
		return false;
	if (!any)
		return true;
	statement_bind_integer(purge, 1, before);
	statement_bind_integer(sums, 1, before_day);
	return statement_run(purge) == DATABASE_OK && writer_flush_budgets(upkeep->writer) == DATABASE_OK &&
	       statement_run(sums) == DATABASE_OK;
}

/* Events are as old as their numbers say, so the oldest are looked at; *more when there may be further ones. */
static bool purge_events(struct upkeep *upkeep, int64_t before_ms, bool *more)
{
	struct statement *old = upkeep->statements[UPKEEP_OLD_EVENTS];
	struct statement *purge = upkeep->statements[UPKEEP_PURGE_EVENTS];
	int64_t to = 0, purged = 0;

	statement_bind_integer(old, 1, before_ms);
	if (statement_find(old, &to) != DATABASE_OK)
		return false;
	if (to == 0)
		return true;
	statement_bind_integer(purge, 1, to);
	if (statement_change(purge, &purged) != DATABASE_OK)
		return false;
	*more = *more || purged == PURGE_BATCH;
	return true;
}

/* Those that were never made. They stay for a while beyond their time, so that who comes late is told what has happened. */
static bool purge_quotes(struct upkeep *upkeep, int64_t now_ms, bool *more)
{
	struct statement *statement = upkeep->statements[UPKEEP_PURGE_QUOTES];
	int64_t purged = 0;

	statement_bind_integer(statement, 1, now_ms - LIMIT_QUOTE_MS);
	if (statement_change(statement, &purged) != DATABASE_OK)
		return false;
	*more = *more || purged == PURGE_BATCH;
	return true;
}

/* The time by which things are old. A wall clock that jumps ahead is believed after a day: else one wrong moment would take what was just written,
 * the keys of paid requests among it. */
static int64_t purge_now_ms(struct upkeep *upkeep)
{
	int64_t wall_ms = clock_unix_ms(), now_ns = clock_monotonic_ns();
	int64_t believed_ms = upkeep->offset_ms + now_ns / 1000000;
	bool ahead = wall_ms > believed_ms + JUMP_MS;

	if (ahead && upkeep->ahead_since_ns == 0)
		upkeep->ahead_since_ns = now_ns;
	if (ahead && now_ns - upkeep->ahead_since_ns < JUMP_BELIEVED_NS)
		return believed_ms;
	upkeep->offset_ms = wall_ms - now_ns / 1000000;
	upkeep->ahead_since_ns = 0;
	return wall_ms;
}

/* One batch of each kind. False when it failed. */
static bool purge_batch(struct upkeep *upkeep, bool *more)
{
	struct statement *keys = upkeep->statements[UPKEEP_PURGE_KEYS];
	int64_t now = purge_now_ms(upkeep);
	int key_days = upkeep->keep_days > KEY_DAYS ? upkeep->keep_days : KEY_DAYS;
	int64_t before_ms = now - upkeep->keep_days * DAY_MS, to = 0, purged = 0;

	if (!writer_begin(upkeep->writer, false))
		return trouble(upkeep);
	*more = false;
	if (!purge_tasks(upkeep, before_ms, &to) || !purge_events(upkeep, before_ms, more) || !purge_quotes(upkeep, now, more) ||
		!purge_ledger(upkeep, now / DAY_MS - LEDGER_DAYS))
		return give_chore_up(upkeep, "purge the registry");
	statement_bind_integer(keys, 1, now - key_days * DAY_MS);
	if (statement_change(keys, &purged) != DATABASE_OK)
		return give_chore_up(upkeep, "purge the registry");
	*more = *more || to != 0 || purged == PURGE_BATCH;
	if (!writer_commit(upkeep->writer))
		return trouble(upkeep);
	if (to != 0)
		upkeep->purge_from = to;
	return true;
}

static void purge(struct upkeep *upkeep, int64_t now)
{
	bool more = false;
	bool worked;
	int64_t end;

	if (!upkeep->purging)
		upkeep->purge_from = 0;
	worked = purge_batch(upkeep, &more);
	end = clock_monotonic_ns();
	upkeep->purging = worked && more;
	if (worked)
		upkeep->troubled = false;
	upkeep->purge_at_ns = end + (!worked ? PURGE_RETRY_NS : more ? PURGE_REST * (end - now) : PURGE_EVERY_NS);
}

/* ---- fill ---- */

/* Adds the outputs of the jobs below *next, which moves on to the last of them; 0: there are no more. */
static bool fill_rows(struct upkeep *upkeep, int64_t *next)
{
	struct statement *rows = upkeep->statements[UPKEEP_FILL], *filled = upkeep->statements[UPKEEP_FILLED];
	int code = DATABASE_DONE, added = DATABASE_OK, count = 0;

	statement_bind_integer(rows, 1, *next);
	while (added == DATABASE_OK && (code = statement_step(rows)) == DATABASE_ROW) {
		*next = statement_integer(rows, 0);
		count++;
		added = writer_index_artifacts(
			upkeep->writer, *next, (int)statement_integer(rows, 1), statement_text(rows, 2), statement_text(rows, 3));
	}
	statement_reset(rows);
	if (added != DATABASE_OK || code != DATABASE_DONE)
		return false;
	if (count < FILL_BATCH)
		*next = 0;
	statement_bind_integer(filled, 1, *next);
	return statement_run(filled) == DATABASE_OK;
}

static bool fill_batch(struct upkeep *upkeep, int64_t *next)
{
	if (!writer_begin(upkeep->writer, false))
		return trouble(upkeep);
	if (statement_find(upkeep->statements[UPKEEP_TO_FILL], next) != DATABASE_OK || (*next > 0 && !fill_rows(upkeep, next)))
		return give_chore_up(upkeep, "list the outputs of older jobs");
	return writer_commit(upkeep->writer) || trouble(upkeep);
}

static void fill(struct upkeep *upkeep, int64_t now)
{
	int64_t next = 0;
	bool worked = fill_batch(upkeep, &next);
	int64_t end = clock_monotonic_ns();

	if (worked)
		upkeep->troubled = false;
	upkeep->fill_at_ns = !worked ? end + PURGE_RETRY_NS : next > 0 ? end + PURGE_REST * (end - now) : INT64_MAX;
}

/* ---- all ---- */

void upkeep_run(struct upkeep *upkeep, bool idle)
{
	int64_t now = clock_monotonic_ns();

	if (upkeep->writer->unindexed >= INDEX_BATCH)
		index_batch(upkeep);
	if (now >= upkeep->purge_at_ns)
		purge(upkeep, now);
	else if (now >= upkeep->fill_at_ns)
		fill(upkeep, now);
	upkeep->tend_wait_ns = database_tend(upkeep->writer->db, idle && !upkeep->purging);
}

int64_t upkeep_wait_ns(const struct upkeep *upkeep)
{
	int64_t due = upkeep->purge_at_ns < upkeep->fill_at_ns ? upkeep->purge_at_ns : upkeep->fill_at_ns;
	int64_t wait = due - clock_monotonic_ns();

	return upkeep->purging || wait < upkeep->tend_wait_ns ? wait : upkeep->tend_wait_ns;
}

void upkeep_keep_days(struct upkeep *upkeep, int keep_days)
{
	keep_days = keep_days < 1 ? 1 : keep_days;
	if (keep_days != upkeep->keep_days) {
		upkeep->keep_days = keep_days;
		upkeep->purging = false;
		upkeep->purge_at_ns = clock_monotonic_ns();
	}
}

enum error_code upkeep_open(struct upkeep *upkeep, struct writer *writer, int keep_days, struct error *error)
{
	upkeep->writer = writer;
	upkeep->tend_wait_ns = INT64_MAX;
	upkeep->offset_ms = clock_unix_ms() - clock_monotonic_ns() / 1000000;
	upkeep_keep_days(upkeep, keep_days);
	return database_prepare(writer->db, upkeep_texts, upkeep->statements, UPKEEP_STATEMENTS, error);
}

void upkeep_close(struct upkeep *upkeep)
{
	database_finalize(upkeep->statements, UPKEEP_STATEMENTS);
}
