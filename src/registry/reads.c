/* reads.c - the registry's readers, and the row of a task as each of them sees it.
 *
 * Owns a few read-only connections; a call borrows one, with a deadline, on the caller's thread (100 KiB of stack are enough: the statements are
 * prepared). A reader sees all that was committed before its first step, and never waits for the writer. */
#include "registry/reads.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/thread.h"
#include "registry/database.h"
#include "registry/schema.h"

#define TIME_MAX_MS ((1LL << 47) - 1)
#define ID_LEAST_BYTES 8 /* what is shorter is searched for as a word */

#define INDEX_SQL                                                                                                                \
	"SELECT sequence FROM task_index WHERE status = ? AND source = ? AND sequence < ? AND sequence >= ? ORDER BY sequence"
#define RANGE_SQL TASKS "WHERE task.sequence < ? AND task.sequence >= ? ORDER BY task.sequence"
#define OWN_SQL TASKS "WHERE task.sequence < ? AND task.sequence >= ? AND task.caller = ? ORDER BY task.sequence"
/* From which row to which a live job has such an id: two ends of an index. */
#define ID_END(column, order)                                                                                                    \
	"(SELECT sequence FROM task WHERE " column                                                                               \
	" = ?1 AND dry_run = 0 AND (?2 IS NULL OR caller = ?2) ORDER BY sequence" order " LIMIT 1)"
#define ID_RANGE(column) "SELECT " ID_END(column, "") ", " ID_END(column, " DESC")
#define TASK_COLUMNS_WITH(state, request, sha256)                                                                                \
	"task.sequence, status, task.source, dry_run, progress, created_ms, updated_ms, id, vendor_id, request_id,"              \
	" payload, estimates, result, phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, task.caller, "          \
	"reason, " state ", " request ", trace, day, reserved, expected, spent, basis, paid, paid_most, " sha256                 \
	", asked, removed_ms, door"
/* What only the start needs may be megabytes: whoever lists jobs does not read it. */
#define TASK_COLUMNS TASK_COLUMNS_WITH("NULL", "NULL", "NULL")
#define TASK_JOINS " FROM task LEFT JOIN live USING (sequence) LEFT JOIN ledger USING (sequence) "
#define TASKS "SELECT " TASK_COLUMNS TASK_JOINS
#define WHOLE_TASKS "SELECT " TASK_COLUMNS_WITH("state", "request", "request_sha256") TASK_JOINS
#define EVENTS                                                                                                                   \
	"SELECT " TASK_COLUMNS ", event.number, at_ms, verb, data, event.sequence FROM event"                                    \
	" LEFT JOIN task ON task.sequence = event.sequence LEFT JOIN live ON live.sequence = task.sequence"                      \
	" LEFT JOIN ledger ON ledger.sequence = task.sequence "

#define QUOTES_BY(index)                                                                                                         \
	"SELECT quote.id, quote.caller, quote.kind, quote.provider, request, sha256, quote.created_ms, expires_ms, expected, "   \
	"most,"                                                                                                                  \
	" asked_ms, quote.asked, approved_ms, approved, approved_by, refused_ms, question, job, task.id FROM quote " index       \
	" LEFT JOIN task ON task.sequence = quote.job "

static const char *const read_texts[READ_STATEMENTS] = {
	[READ_BEGIN] = "BEGIN",
	[READ_END] = "COMMIT",
	[READ_INDEXED] = "SELECT sequence FROM task_indexed",
	[READ_ONE] = TASKS "WHERE task.sequence = ?",
	[READ_UPSTREAM] = "SELECT request FROM upstream WHERE sequence = ?",
	[READ_RANGE] = RANGE_SQL " DESC",
	[READ_RANGE_OLDEST] = RANGE_SQL,
	[READ_LIVE] = "SELECT " TASK_COLUMNS " FROM live CROSS JOIN task USING (sequence) LEFT JOIN ledger USING (sequence)"
		      " WHERE live.sequence < ? AND live.sequence >= ? ORDER BY live.sequence DESC",
	[READ_OWN] = OWN_SQL " DESC",
	[READ_OWN_OLDEST] = OWN_SQL,
	[READ_INDEX] = INDEX_SQL " DESC",
	[READ_INDEX_OLDEST] = INDEX_SQL,
	[READ_LIVE_INDEX] =
		"SELECT sequence FROM task WHERE dry_run = 0 AND status = ? AND source = ? AND sequence < ? AND sequence >= ?"
		" ORDER BY sequence DESC",
	[READ_COUNT] = "SELECT count(*) FROM task_index WHERE status = ? AND source = ? AND sequence < ? AND sequence >= ?",
	[READ_COUNT_LIVE] =
		"SELECT count(*) FROM task WHERE dry_run = 0 AND status = ? AND source = ? AND sequence < ? AND sequence >= ?",
	[READ_SMALL] = "SELECT sequence, status, source, dry_run, created_ms FROM task WHERE sequence < ? AND sequence >= ?",
	[READ_SMALL_OWN] = "SELECT sequence, status, source, dry_run, created_ms FROM task WHERE sequence < ? AND sequence >= ? "
			   "AND caller = ?",
	[READ_TIMES] = "SELECT source, updated_ms - submitted_ms, task.caller FROM live CROSS JOIN task USING (sequence)"
		       " WHERE live.sequence >= ? AND status = 2 AND submitted_ms > 0 ORDER BY live.sequence DESC LIMIT ?",
	[READ_ARTIFACTS] = "SELECT sequence, n, source, media FROM artifact WHERE sequence <= ? AND sequence >= ?"
			   " ORDER BY sequence DESC, n",
	[READ_OWN_ARTIFACTS] =
		"SELECT sequence, n, source, media FROM artifact WHERE sequence <= ? AND sequence >= ? AND caller = ?"
		" ORDER BY sequence DESC, n",
	[READ_ID_OF_VENDOR] = ID_RANGE("vendor_id"),
	[READ_ID_OF_REQUEST] = ID_RANGE("request_id"),
	[READ_KEY] = "SELECT status, body_sha256, answer FROM idempotency WHERE key = ?",
	[READ_OPEN] = WHOLE_TASKS "WHERE task.sequence IN (SELECT sequence FROM live WHERE phase < 4) ORDER BY task.sequence",
	[READ_RECENT] = TASKS "WHERE task.sequence IN (SELECT sequence FROM live ORDER BY sequence DESC LIMIT ?)"
			      " ORDER BY task.sequence DESC",
	[READ_LEDGER] = "SELECT day, source, caller, sum(CASE WHEN spent = -1 THEN reserved ELSE 0 END),"
			" sum(CASE WHEN spent = -1 THEN 0 ELSE spent END), count(*), sum(spent = -1), door FROM ledger WHERE "
			"sequence >= ? AND day >= ?"
			" GROUP BY day, source, caller, door ORDER BY day",
	[READ_OBSERVED] = "SELECT provider, model, drivers, micro_usd, at_ms FROM observed ORDER BY sequence",
	[READ_EVENTS] = EVENTS "WHERE number > ? ORDER BY number",
	[READ_EVENTS_OF_LIVE] = EVENTS "WHERE number > ? AND event.sequence = ? AND data IS NOT NULL ORDER BY number",
	[READ_EVENT_OF_DRY] = EVENTS "WHERE number > ? AND event.sequence = ? AND number >= ? AND number <= ? ORDER BY number",
	[READ_EVENT_TIME] = "SELECT number, at_ms FROM event WHERE number >= ? ORDER BY number LIMIT 1",
	[READ_NEWEST_EVENT] = "SELECT coalesce(max(number), 0) FROM event",
	[READ_WEBHOOKS] =
		"SELECT number, url, events, secret, earlier_secret, earlier_until_ms, caller, created_ms, cursor FROM hook",
	[READ_DELIVERIES] = "SELECT hook, event, sequence, attempts, first_ms, due_ms, parked, status, problem FROM delivery",
	[READ_CALLBACK] = "SELECT sequence, url, secret FROM callback WHERE sequence = ?",
	[READ_QUOTE] = QUOTES_BY("") "WHERE quote.sequence = ? AND quote.id = ? AND (job IS NULL OR task.id IS NOT NULL)",
	[READ_ASKED_QUOTES] = QUOTES_BY("INDEXED BY quote_asked") "WHERE job IS NULL AND asked_ms <> 0 AND expires_ms > ? ORDER "
								  "BY quote.sequence DESC LIMIT ?",
	[READ_SAME_REQUESTS] = "SELECT " TASK_COLUMNS
			       " FROM live JOIN ledger USING (sequence) JOIN task USING (sequence)" SAME_REQUEST " LIMIT ?4",
	/* 0 and 1 are queued and running: a job that goes on is waited for whatever its age, as long as nobody was answered */
	[READ_WISHES] =
		"SELECT id, answered, takes, touched_ms, overtook FROM wish CROSS JOIN task USING (sequence) WHERE digest = ?1"
		" AND removed_ms IS NULL"
		" AND (touched_ms > ?2 OR (answered = 0 AND (status IN (0, 1) OR updated_ms > ?2))) AND answered <= ?3"
		" ORDER BY answered, wish.sequence DESC LIMIT ?4",
};
_Static_assert(
	LIVE_ENDED == 4 && TASK_DONE == 2 && TASK_QUEUED == 0 && TASK_RUNNING == 1, "the statements above name them by number");

/* ---- the pool ---- */

struct reader *reads_borrow(struct reads *reads, struct error *error)
{
	struct reader *reader;
	struct timespec until;
	int failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_STORE_READER_WAIT_MS / 1000;
	pthread_mutex_lock(&reads->lock);
	while (reads->free == NULL && failed == 0)
		failed = pthread_cond_timedwait(&reads->returned, &reads->lock, &until);
	reader = reads->free;
	if (reader != NULL)
		reads->free = reader->next;
	pthread_mutex_unlock(&reads->lock);
	if (reader == NULL)
		error_set(error, ERROR_BUSY, reads->name, "all %d readers of the registry are busy", LIMIT_STORE_READERS);
	return reader;
}

void reads_give_back(struct reads *reads, struct reader *reader)
{
	pthread_mutex_lock(&reads->lock);
	reader->next = reads->free;
	reads->free = reader;
	pthread_cond_signal(&reads->returned);
	pthread_mutex_unlock(&reads->lock);
}

static enum error_code open_readers(struct reads *reads, const char *path, struct error *error)
{
	struct reader *reader;
	enum error_code code;

	for (int i = 0; i < LIMIT_STORE_READERS; i++) {
		reader = &reads->readers[i];
		code = schema_open_reader(path, reads->name, &reader->db, error);
		if (code == ERROR_NONE)
			code = database_prepare(reader->db, reads->name, read_texts, reader->statements, READ_STATEMENTS, error);
		if (code != ERROR_NONE)
			return code;
		reader->next = reads->free;
		reads->free = reader;
	}
	return ERROR_NONE;
}

enum error_code reads_open(
	struct reads *reads, const char *path, const char *name, const struct sources *sources, struct error *error)
{
	reads->name = name;
	reads->sources = sources;
	pthread_mutex_init(&reads->lock, NULL);
	thread_init_condition(&reads->returned);
	return open_readers(reads, path, error);
}

void reads_close(struct reads *reads)
{
	for (int i = 0; i < LIMIT_STORE_READERS; i++) {
		database_finalize(reads->readers[i].statements, READ_STATEMENTS);
		sqlite3_close(reads->readers[i].db);
		reads->readers[i].db = NULL;
	}
	pthread_cond_destroy(&reads->returned);
	pthread_mutex_destroy(&reads->lock);
}

/* ---- one row ---- */

const char *reads_text(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

/* The columns of TASK_COLUMNS, by their places. */
static void read_live(sqlite3_stmt *row, struct read_row *read)
{
	read->task.live = NULL;
	read->task.money = NULL;
	if (sqlite3_column_type(row, 13) == SQLITE_NULL)
		return;
	read->live = (struct task_live){
		.phase = (enum live_phase)sqlite3_column_int(row, 13),
		.attempts = sqlite3_column_int(row, 14),
		.submitted_ms = sqlite3_column_int64(row, 15),
		.deadline_ms = sqlite3_column_int64(row, 16),
		.stop_ms = sqlite3_column_int64(row, 17),
		.cancel_asked = sqlite3_column_int(row, 18) != 0,
		.caller = reads_text(row, 19),
		.reason = reads_text(row, 20),
		.state = reads_text(row, 21),
		.request = reads_text(row, 22),
		.trace = reads_text(row, 23),
		.paid = sqlite3_column_int(row, 29),
		.paid_most = sqlite3_column_int(row, 30),
		.expected = reads_text(row, 31),
	};
	read->task.live = &read->live;
	if (sqlite3_column_type(row, 24) == SQLITE_NULL)
		return;
	read->money = (struct task_money){
		.day = sqlite3_column_int64(row, 24),
		.reserved = sqlite3_column_int64(row, 25),
		.expected = sqlite3_column_int64(row, 26),
		.spent = sqlite3_column_int64(row, 27),
		.basis = reads_text(row, 28),
		.door = (enum job_door)sqlite3_column_int(row, 34),
	};
	read->task.money = &read->money;
}

bool reads_task(const struct reads *reads, sqlite3_stmt *row, struct read_row *read)
{
	struct task *task = &read->task;
	const struct source *source = sources_get(reads->sources, sqlite3_column_int(row, 2));

	if (source == NULL || sqlite3_column_bytes(row, 7) != (int)sizeof task->id.bytes)
		return false;
	memcpy(task->id.bytes, sqlite3_column_blob(row, 7), sizeof task->id.bytes);
	task->kind = source->kind;
	task->provider = source->provider;
	task->status = (enum task_status)sqlite3_column_int(row, 1);
	task->dry_run = sqlite3_column_int(row, 3) != 0;
	task->progress = sqlite3_column_double(row, 4);
	task->created_ms = sqlite3_column_int64(row, 5);
	task->updated_ms = sqlite3_column_int64(row, 6);
	task->caller = reads_text(row, 19);
	task->vendor_id = reads_text(row, 8);
	task->request_id = reads_text(row, 9);
	task->payload = reads_text(row, 10);
	task->estimates = reads_text(row, 11);
	task->result = reads_text(row, 12);
	task->asked = reads_text(row, 32);
	task->removed_ms = sqlite3_column_int64(row, 33);
	read_live(row, read);
	return sqlite3_errcode(sqlite3_db_handle(row)) != SQLITE_NOMEM; /* for a text, which is NULL then as if there were none */
}

/* ---- filters ---- */

bool reads_may_pass(const struct reads *reads, const struct task_filter *filter)
{
	int sources = sources_count(reads->sources);
	bool found = false;

	for (int source = 1; source <= sources && !found; source++)
		found = source_passes(sources_get(reads->sources, source), &filter->sources);
	return found && filter->since_ms <= TIME_MAX_MS;
}

static void narrow_bounds(struct read_bounds *bounds, int64_t first, int64_t last)
{
	bounds->exact = true;
	if (first > bounds->lower)
		bounds->lower = first;
	if (last + 1 < bounds->upper)
		bounds->upper = last + 1;
}

/* Is it the id of a job that the filter's caller sees? SQLITE_ROW, SQLITE_DONE or the error. */
static int find_job_id(struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds)
{
	sqlite3_stmt *row = reader->statements[READ_ONE];
	const struct task_search *search = filter->search;
	const char *caller;
	int code;

	sqlite3_bind_int64(row, 1, id_sequence(&search->id));
	code = sqlite3_step(row);
	caller = code == SQLITE_ROW ? reads_text(row, 19) : NULL;
	if (code == SQLITE_ROW && (sqlite3_column_bytes(row, 7) != (int)sizeof search->id.bytes ||
					  memcmp(sqlite3_column_blob(row, 7), search->id.bytes, sizeof search->id.bytes) != 0 ||
					  (filter->caller != NULL && (caller == NULL || strcmp(caller, filter->caller) != 0))))
		code = SQLITE_DONE;
	sqlite3_reset(row);
	if (code == SQLITE_ROW)
		narrow_bounds(bounds, id_sequence(&search->id), id_sequence(&search->id));
	return code;
}

/* The same of a vendor's or a request's id. */
static int find_other_id(
	struct reader *reader, enum read_statement which, const struct task_filter *filter, struct read_bounds *bounds)
{
	sqlite3_stmt *ends = reader->statements[which];
	int code;

	sqlite3_bind_text(ends, 1, filter->search->text, -1, SQLITE_STATIC);
	sqlite3_bind_text(ends, 2, filter->caller, -1, SQLITE_STATIC);
	code = sqlite3_step(ends);
	if (code == SQLITE_ROW && sqlite3_column_type(ends, 0) == SQLITE_NULL)
		code = SQLITE_DONE;
	if (code == SQLITE_ROW)
		narrow_bounds(bounds, sqlite3_column_int64(ends, 0), sqlite3_column_int64(ends, 1));
	sqlite3_reset(ends);
	return code;
}

/* A word of a prompt that is an id too, a short one, is a word. */
static int find_id(struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds)
{
	const struct task_search *search = filter->search;
	int code = SQLITE_DONE;

	if (search == NULL || search->count != 1 || search->lengths[0] < ID_LEAST_BYTES)
		return SQLITE_DONE;
	if (search->is_id)
		code = find_job_id(reader, filter, bounds);
	if (code == SQLITE_DONE)
		code = find_other_id(reader, READ_ID_OF_VENDOR, filter, bounds);
	if (code == SQLITE_DONE)
		code = find_other_id(reader, READ_ID_OF_REQUEST, filter, bounds);
	return code;
}

enum error_code reads_bounds(const struct reads *reads, struct reader *reader, const struct task_filter *filter,
	struct read_bounds *bounds, struct error *error)
{
	int64_t since = filter->since_ms - READ_SLACK_MS;
	int code;

	bounds->lower = since > 0 ? id_sequence_at(since) : 0;
	bounds->upper = filter->until_ms > 0 && filter->until_ms <= TIME_MAX_MS ? id_sequence_at(filter->until_ms) : INT64_MAX;
	bounds->exact = false;
	code = find_id(reader, filter, bounds);
	return code == SQLITE_ROW || code == SQLITE_DONE ? ERROR_NONE : reads_refuse(reads, reader, error);
}

bool reads_found(const struct task_filter *filter, const struct read_bounds *bounds, const struct task *task)
{
	if (filter->search == NULL)
		return true;
	return bounds->exact ? task_search_names(filter->search, task) : task_search_finds(filter->search, task);
}

bool reads_in_time(const struct task_filter *filter, int64_t created_ms)
{
	return created_ms >= filter->since_ms && (filter->until_ms == 0 || created_ms < filter->until_ms);
}

/* ---- errors ---- */

enum error_code reads_refuse(const struct reads *reads, struct reader *reader, struct error *error)
{
	return database_error(reader->db, reads->name, "read the registry", error);
}

enum error_code reads_refuse_row(const struct reads *reads, struct reader *reader, struct error *error)
{
	if (sqlite3_errcode(reader->db) == SQLITE_NOMEM)
		return error_memory(error);
	return error_set(error, ERROR_IO, reads->name, "the registry holds a damaged row");
}

enum error_code reads_end(const struct reads *reads, struct reader *reader, sqlite3_stmt *rows, int code, enum error_code result,
	struct error *error)
{
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = reads_refuse(reads, reader, error);
	sqlite3_reset(rows);
	return result;
}
