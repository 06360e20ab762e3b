/* reads.c - the registry's readers.
 *
 * Owns a few read-only connections; a call borrows one, with a deadline, on the caller's thread (100 KiB of stack are enough: the
 * statements are prepared). A reader sees all that was committed before its first step, and never waits for the writer.
 *
 * A listing without a filter walks the rows from the newest, one of a caller those of the caller by their index. One with another filter walks the newest rows, those that are not in
 * task_index yet (upkeep.c), and then takes from the index, for each pair of status and source that passes, the newest numbers,
 * merged. So its cost depends on the page asked for, not on how rare the match is. A visitor must not call the store. */
#include "registry/reads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registry/database.h"
#include "registry/schema.h"

#define DAY_MS 86400000LL
#define SINCE_SLACK_MS 1000	/* a row's number may be this much older than its created_ms */
#define LEDGER_SLACK_MS 3600000 /* and than the day of its money: its id is made before the script runs */
#define TIME_MAX_MS ((1LL << 47) - 1)
#define INDEX_SQL                                                                                                                \
	"SELECT sequence FROM task_index WHERE status = ? AND source = ? AND sequence < ? AND sequence >= ?"                     \
	" ORDER BY sequence DESC"
#define TASK_COLUMNS                                                                                                             \
	"task.sequence, status, task.source, dry_run, progress, created_ms, updated_ms, id, vendor_id, request_id,"              \
	" payload, estimates, result, phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, task.caller, reason,"   \
	" state, request, trace, day, reserved, expected, spent, basis, paid, paid_most"
#define TASKS "SELECT " TASK_COLUMNS " FROM task LEFT JOIN live USING (sequence) LEFT JOIN ledger USING (sequence) "
#define EVENTS                                                                                                                   \
	"SELECT " TASK_COLUMNS ", event.number, at_ms, verb, data, event.sequence FROM event"                                    \
	" LEFT JOIN task ON task.sequence = event.sequence LEFT JOIN live ON live.sequence = task.sequence"                      \
	" LEFT JOIN ledger ON ledger.sequence = task.sequence "

static const char *const texts[READ_STATEMENTS] = {
	[READ_BEGIN] = "BEGIN",
	[READ_END] = "COMMIT",
	[READ_INDEXED] = "SELECT sequence FROM task_indexed",
	[READ_ONE] = TASKS "WHERE task.sequence = ?",
	[READ_RANGE] = TASKS "WHERE task.sequence < ? AND task.sequence >= ? ORDER BY task.sequence DESC",
	[READ_OWN] = TASKS "WHERE task.sequence < ? AND task.sequence >= ? AND task.caller = ? ORDER BY task.sequence DESC",
	[READ_INDEX] = INDEX_SQL,
	[READ_KEY] = "SELECT status, body_sha256, answer FROM idempotency WHERE key = ?",
	[READ_OPEN] = TASKS "WHERE task.sequence IN (SELECT sequence FROM live WHERE phase < 4) ORDER BY task.sequence",
	[READ_RECENT] = TASKS "WHERE task.sequence IN (SELECT sequence FROM live ORDER BY sequence DESC LIMIT ?)"
			      " ORDER BY task.sequence DESC",
	[READ_LEDGER] = "SELECT day, source, caller, sum(CASE WHEN spent = -1 THEN reserved ELSE 0 END),"
			" sum(CASE WHEN spent = -1 THEN 0 ELSE spent END), count(*), sum(spent = -1) FROM ledger WHERE sequence "
			">= ? AND day >= ?"
			" GROUP BY day, source, caller ORDER BY day",
	[READ_EVENTS] = EVENTS "WHERE number > ? ORDER BY number",
	[READ_EVENTS_OF_LIVE] = EVENTS "WHERE number > ? AND event.sequence = ? AND data IS NOT NULL ORDER BY number",
	[READ_EVENT_OF_DRY] = EVENTS "WHERE number > ? AND event.sequence = ? AND number >= ? AND number <= ? ORDER BY number",
	[READ_EVENT_TIME] = "SELECT number, at_ms FROM event WHERE number >= ? ORDER BY number LIMIT 1",
	[READ_NEWEST_EVENT] = "SELECT coalesce(max(number), 0) FROM event",
	[READ_WEBHOOKS] =
		"SELECT number, url, events, secret, earlier_secret, earlier_until_ms, caller, created_ms, cursor FROM hook",
	[READ_DELIVERIES] = "SELECT hook, event, sequence, attempts, first_ms, due_ms, parked, status, problem FROM delivery",
	[READ_CALLBACK] = "SELECT sequence, url, secret FROM callback WHERE sequence = ?",
};
_Static_assert(LIVE_ENDED == 4, "the statements above name it by number");

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
			code = database_prepare(reader->db, reads->name, texts, reader->statements, READ_STATEMENTS, error);
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
	pthread_condattr_t attributes;

	reads->name = name;
	reads->sources = sources;
	pthread_mutex_init(&reads->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&reads->returned, &attributes);
	pthread_condattr_destroy(&attributes);
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

static const char *column_text(sqlite3_stmt *row, int index)
{
	return (const char *)sqlite3_column_text(row, index);
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
		.caller = column_text(row, 19),
		.reason = column_text(row, 20),
		.state = column_text(row, 21),
		.request = column_text(row, 22),
		.trace = column_text(row, 23),
		.paid = sqlite3_column_int(row, 29),
		.paid_most = sqlite3_column_int(row, 30),
	};
	read->task.live = &read->live;
	if (sqlite3_column_type(row, 24) == SQLITE_NULL)
		return;
	read->money = (struct task_money){
		.day = sqlite3_column_int64(row, 24),
		.reserved = sqlite3_column_int64(row, 25),
		.expected = sqlite3_column_int64(row, 26),
		.spent = sqlite3_column_int64(row, 27),
		.basis = column_text(row, 28),
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
	task->caller = column_text(row, 19);
	task->vendor_id = column_text(row, 8);
	task->request_id = column_text(row, 9);
	task->payload = column_text(row, 10);
	task->estimates = column_text(row, 11);
	task->result = column_text(row, 12);
	read_live(row, read);
	return sqlite3_errcode(sqlite3_db_handle(row)) != SQLITE_NOMEM; /* for a text, which is NULL then as if there were none */
}

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

enum error_code reads_get(struct reads *reads, const struct id *id, void (*visit)(void *context, const struct task *task),
	void *context, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct read_row read;
	sqlite3_stmt *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_ONE];
	sqlite3_bind_int64(row, 1, id_sequence(id));
	code = sqlite3_step(row);
	if (code == SQLITE_ROW && !reads_task(reads, row, &read))
		result = reads_refuse_row(reads, reader, error);
	else if (code == SQLITE_ROW && memcmp(&read.task.id, id, sizeof *id) == 0)
		visit(context, &read.task);
	else if (code == SQLITE_ROW || code == SQLITE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "there is no such job");
	else
		result = reads_refuse(reads, reader, error);
	sqlite3_reset(row);
	reads_give_back(reads, reader);
	return result;
}

/* ---- listing ---- */

struct listing {
	const struct reads *reads;
	struct reader *reader;
	const struct task_filter *filter;
	bool (*visit)(void *context, const struct task *task);
	void *context;
	struct error *error;
	int64_t upper; /* only numbers below */
	int64_t lower; /* and not below this */
	int left;      /* rows that the caller still wants; 0 ends the listing */
};

/* Visits the row that a statement is on if it passes the filter. The small columns are looked at first. */
static enum error_code offer(struct listing *listing, sqlite3_stmt *row)
{
	const struct task_filter *filter = listing->filter;
	const struct source *source = sources_get(listing->reads->sources, sqlite3_column_int(row, 2));
	struct read_row read;

	if (filter->status >= 0 && sqlite3_column_int(row, 1) != filter->status)
		return ERROR_NONE;
	if (source != NULL && !source_matches(source, filter->kind, filter->provider))
		return ERROR_NONE;
	if (sqlite3_column_int64(row, 5) < filter->since_ms)
		return ERROR_NONE;
	if (!reads_task(listing->reads, row, &read))
		return reads_refuse_row(listing->reads, listing->reader, listing->error);
	listing->left = listing->visit(listing->context, &read.task) ? listing->left - 1 : 0;
	return ERROR_NONE;
}

/* Walks the rows themselves, or those of one caller, newest first. */
static enum error_code walk(struct listing *listing, int64_t upper, int64_t lower)
{
	const char *caller = listing->filter->caller;
	sqlite3_stmt *rows = listing->reader->statements[caller != NULL ? READ_OWN : READ_RANGE];
	enum error_code result = ERROR_NONE;
	int code = SQLITE_ROW;

	sqlite3_bind_int64(rows, 1, upper);
	sqlite3_bind_int64(rows, 2, lower);
	if (caller != NULL)
		sqlite3_bind_text(rows, 3, caller, -1, SQLITE_STATIC);
	while (result == ERROR_NONE && listing->left > 0 && (code = sqlite3_step(rows)) == SQLITE_ROW)
		result = offer(listing, rows);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = reads_refuse(listing->reads, listing->reader, listing->error);
	sqlite3_reset(rows);
	return result;
}

/* Merges `count` descending numbers of reader->fresh into the `known` ones of reader->found; keeps the largest `wanted`. */
static int merge(struct reader *reader, int known, int count, int wanted)
{
	int taken = 0, old = 0, new = 0;

	if (count == 0)
		return known;
	while (taken < wanted && (old < known || new < count)) {
		if (new == count || (old < known && reader->found[old] > reader->fresh[new]))
			reader->merged[taken++] = reader->found[old++];
		else
			reader->merged[taken++] = reader->fresh[new ++];
	}
	memcpy(reader->found, reader->merged, (size_t)taken * sizeof *reader->found);
	return taken;
}

/* Adds the newest numbers of one pair of status and source. False on an error. */
static bool find_pair(struct listing *listing, int status, int source, int wanted, int *known)
{
	struct reader *reader = listing->reader;
	sqlite3_stmt *numbers = reader->statements[READ_INDEX];
	int64_t lower = *known == wanted ? reader->found[wanted - 1] : listing->lower; /* smaller ones would be dropped again */
	int count = 0;
	int code = SQLITE_ROW;

	sqlite3_bind_int(numbers, 1, status);
	sqlite3_bind_int(numbers, 2, source);
	sqlite3_bind_int64(numbers, 3, listing->upper);
	sqlite3_bind_int64(numbers, 4, lower);
	while (count < wanted && (code = sqlite3_step(numbers)) == SQLITE_ROW)
		reader->fresh[count++] = sqlite3_column_int64(numbers, 0);
	sqlite3_reset(numbers);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*known = merge(reader, *known, count, wanted);
	return true;
}

/* Finds the newest numbers that pass. -1 on an error. */
static int find(struct listing *listing, int wanted)
{
	const struct task_filter *filter = listing->filter;
	int first = filter->status >= 0 ? filter->status : 0;
	int last = filter->status >= 0 ? filter->status : TASK_UNKNOWN;
	int sources = sources_count(listing->reads->sources);
	int known = 0;

	for (int source = 1; source <= sources; source++) {
		if (!source_matches(sources_get(listing->reads->sources, source), filter->kind, filter->provider))
			continue;
		for (int status = first; status <= last; status++)
			if (!find_pair(listing, status, source, wanted, &known))
				return -1;
	}
	return known;
}

static enum error_code visit_number(struct listing *listing, int64_t number)
{
	sqlite3_stmt *row = listing->reader->statements[READ_ONE];
	enum error_code result = ERROR_NONE;
	int code;

	sqlite3_bind_int64(row, 1, number);
	code = sqlite3_step(row);
	if (code == SQLITE_ROW)
		result = offer(listing, row);
	else if (code != SQLITE_DONE)
		result = reads_refuse(listing->reads, listing->reader, listing->error);
	sqlite3_reset(row);
	return result;
}

/* Takes what passes from the index, a round at a time. */
static enum error_code walk_index(struct listing *listing)
{
	enum error_code result = ERROR_NONE;
	int found, wanted;

	do {
		wanted = listing->left < READ_ROUND ? listing->left : READ_ROUND;
		found = find(listing, wanted);
		if (found == -1)
			return reads_refuse(listing->reads, listing->reader, listing->error);
		for (int i = 0; i < found && listing->left > 0 && result == ERROR_NONE; i++) {
			listing->upper = listing->reader->found[i];
			result = visit_number(listing, listing->upper);
		}
	} while (result == ERROR_NONE && found == wanted && listing->left > 0);
	return result;
}

/* Both parts are read in one transaction: a row must not move from the one to the other in between. */
static enum error_code list_filtered(struct listing *listing)
{
	struct reader *reader = listing->reader;
	enum error_code result = ERROR_NONE;
	int64_t indexed = 0;

	if (database_run(reader->statements[READ_BEGIN]) != SQLITE_OK ||
		database_integer(reader->statements[READ_INDEXED], &indexed) != SQLITE_OK)
		result = reads_refuse(listing->reads, reader, listing->error);
	if (result == ERROR_NONE)
		result = walk(listing, listing->upper, indexed + 1 > listing->lower ? indexed + 1 : listing->lower);
	if (indexed + 1 < listing->upper)
		listing->upper = indexed + 1;
	if (result == ERROR_NONE && listing->left > 0)
		result = walk_index(listing);
	if (!sqlite3_get_autocommit(reader->db))
		database_run(reader->statements[READ_END]);
	return result;
}

enum error_code reads_list(struct reads *reads, const struct task_filter *filter,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct listing listing = { .reads = reads, .filter = filter, .visit = visit, .context = context, .error = error };
	enum error_code result;

	if (filter->limit <= 0 || filter->since_ms > TIME_MAX_MS)
		return ERROR_NONE;
	listing.left = filter->limit;
	listing.upper = filter->before > 0 ? filter->before : INT64_MAX;
	listing.lower = filter->since_ms > SINCE_SLACK_MS ? id_sequence_at(filter->since_ms - SINCE_SLACK_MS) : 0;
	listing.reader = reads_borrow(reads, error);
	if (listing.reader == NULL)
		return ERROR_BUSY;
	if (filter->caller != NULL || (filter->status < 0 && filter->kind == NULL && filter->provider == NULL))
		result = walk(&listing, listing.upper, listing.lower);
	else
		result = list_filtered(&listing);
	reads_give_back(reads, listing.reader);
	return result;
}

/* ---- live jobs and money ---- */

static enum error_code visit_jobs(struct reads *reads, struct reader *reader, sqlite3_stmt *rows,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	enum error_code result = ERROR_NONE;
	struct read_row read;
	bool more = true;
	int code = SQLITE_DONE;

	while (result == ERROR_NONE && more && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!reads_task(reads, rows, &read))
			result = reads_refuse_row(reads, reader, error);
		else
			more = visit(context, &read.task);
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = reads_refuse(reads, reader, error);
	sqlite3_reset(rows);
	reads_give_back(reads, reader);
	return result;
}

enum error_code reads_open_jobs(
	struct reads *reads, bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);

	return reader == NULL ? ERROR_BUSY : visit_jobs(reads, reader, reader->statements[READ_OPEN], visit, context, error);
}

enum error_code reads_recent_jobs(
	struct reads *reads, int limit, bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);

	if (reader == NULL)
		return ERROR_BUSY;
	sqlite3_bind_int(reader->statements[READ_RECENT], 1, limit);
	return visit_jobs(reads, reader, reader->statements[READ_RECENT], visit, context, error);
}

enum error_code reads_ledger(struct reads *reads, int64_t from_day, bool (*visit)(void *context, const struct ledger_sum *sum),
	void *context, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	const struct source *source;
	sqlite3_stmt *rows;
	bool more = true;
	int code = SQLITE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_LEDGER];
	sqlite3_bind_int64(rows, 1, from_day > 0 ? id_sequence_at(from_day * DAY_MS - LEDGER_SLACK_MS) : 0);
	sqlite3_bind_int64(rows, 2, from_day);
	while (more && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		source = sources_get(reads->sources, sqlite3_column_int(rows, 1));
		more = visit(context, &(struct ledger_sum){
					      .day = sqlite3_column_int64(rows, 0),
					      .kind = source != NULL ? source->kind : "",
					      .provider = source != NULL ? source->provider : "",
					      .caller = column_text(rows, 2),
					      .reserved = sqlite3_column_int64(rows, 3),
					      .spent = sqlite3_column_int64(rows, 4),
					      .jobs = sqlite3_column_int64(rows, 5),
					      .open = sqlite3_column_int64(rows, 6),
				      });
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = reads_refuse(reads, reader, error);
	sqlite3_reset(rows);
	reads_give_back(reads, reader);
	return result;
}

/* ---- idempotency ---- */

enum store_outcome read_key_row(
	sqlite3_stmt *row, const struct idempotency *idempotency, char **answer, size_t *length, int *status, struct error *error)
{
	int size = sqlite3_column_bytes(row, 2);
	const void *bytes = sqlite3_column_blob(row, 2);

	if (sqlite3_column_bytes(row, 1) != (int)sizeof idempotency->body_sha256 ||
		memcmp(sqlite3_column_blob(row, 1), idempotency->body_sha256, sizeof idempotency->body_sha256) != 0)
		return STORE_KEY_CLASH;
	*answer = malloc((size_t)size + 1);
	if (*answer == NULL || (bytes == NULL && size > 0)) {
		free(*answer);
		*answer = NULL;
		error_memory(error);
		return STORE_FAILED;
	}
	if (size > 0)
		memcpy(*answer, bytes, (size_t)size);
	(*answer)[size] = '\0';
	*length = (size_t)size;
	*status = sqlite3_column_int(row, 0);
	return STORE_REPLAY;
}

enum store_outcome reads_key(struct reads *reads, const struct idempotency *idempotency, char **answer, size_t *length,
	int *status, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);
	enum store_outcome outcome = STORE_WRITTEN;
	sqlite3_stmt *row;
	int code;

	if (reader == NULL)
		return STORE_FAILED;
	row = reader->statements[READ_KEY];
	sqlite3_bind_text(row, 1, idempotency->key, -1, SQLITE_STATIC);
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		outcome = read_key_row(row, idempotency, answer, length, status, error);
	} else if (code != SQLITE_DONE) {
		reads_refuse(reads, reader, error);
		outcome = STORE_FAILED;
	}
	sqlite3_reset(row);
	reads_give_back(reads, reader);
	return outcome;
}
