/* reads.c - the registry's readers, and the row of a task as each of them sees it.
 *
 * Owns a few read-only connections, all but the first of which are opened when a call has to wait for one; a call borrows one, with a deadline, on the caller's thread (100 KiB of stack are enough: the statements are
 * prepared). A reader sees all that was committed before its first step, and never waits for the writer. */
#include "registry/reads.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/thread.h"
#include "database/database.h"

#define TIME_MAX_MS ((1LL << 47) - 1)
#define ID_LEAST_BYTES 8 /* what is shorter is searched for as a word */

/* ---- the pool ---- */

/* Under the lock: every one is lost, and none will be given back. */
static bool all_lost(const struct reads *reads)
{
	return reads->lost_count == LIMIT_STORE_READERS;
}

/* Under the lock, which is given back while it tells. */
static void ask_for_one(struct reads *reads)
{
	reads->wants_one = true;
	if (reads->tell_wanted == NULL)
		return;
	pthread_mutex_unlock(&reads->lock);
	reads->tell_wanted(reads->tell_context);
	pthread_mutex_lock(&reads->lock);
}

static struct reader *take_free(struct reads *reads)
{
	struct reader *reader;
	struct timespec until;
	int failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_STORE_READER_WAIT_MS / 1000;
	pthread_mutex_lock(&reads->lock);
	if (reads->free == NULL && reads->made < LIMIT_STORE_READERS)
		ask_for_one(reads);
	while (reads->free == NULL && !all_lost(reads) && failed == 0)
		failed = pthread_cond_timedwait(&reads->returned, &reads->lock, &until);
	reader = reads->free;
	if (reader != NULL)
		reads->free = reader->next;
	pthread_mutex_unlock(&reads->lock);
	return reader;
}

struct reader *reads_borrow(struct reads *reads, struct error *error)
{
	struct reader *reader;

	while ((reader = take_free(reads)) != NULL) {
		if (database_is_connected(reader->db))
			return reader;
		reads_give_back(reads, reader);
	}
	if (reads->lost != NULL)
		error_set(error, ERROR_BUSY, reads->name, "the registry cannot be reached; try again later");
	else
		error_set(error, ERROR_BUSY, reads->name, "all %d readers of the registry are busy", LIMIT_STORE_READERS);
	return NULL;
}

void reads_give_back(struct reads *reads, struct reader *reader)
{
	bool lost = !database_is_connected(reader->db);
	struct reader **list = lost ? &reads->lost : &reads->free;

	pthread_mutex_lock(&reads->lock);
	reader->next = *list;
	*list = reader;
	reads->lost_count += lost;
	if (all_lost(reads))
		pthread_cond_broadcast(&reads->returned);
	else
		pthread_cond_signal(&reads->returned);
	pthread_mutex_unlock(&reads->lock);
	if (lost && reads->tell_wanted != NULL)
		reads->tell_wanted(reads->tell_context);
}

void reads_on_wanted(struct reads *reads, void (*tell)(void *context), void *context)
{
	reads->tell_wanted = tell;
	reads->tell_context = context;
}

static struct reader *take_lost(struct reads *reads)
{
	struct reader *reader;

	pthread_mutex_lock(&reads->lock);
	reader = reads->lost;
	if (reader != NULL) {
		reads->lost = reader->next;
		reads->lost_count--;
	}
	pthread_mutex_unlock(&reads->lock);
	return reader;
}

/* Opens one more. */
static enum error_code open_reader(struct reads *reads, struct error *error)
{
	struct reader *reader = &reads->readers[reads->made];
	enum error_code code = database_open(reads->place, DATABASE_READS, &reader->db, error);

	if (code == ERROR_NONE)
		code = database_prepare(reader->db, read_statements, reader->statements, READ_STATEMENTS, error);
	if (code != ERROR_NONE) {
		database_finalize(reader->statements, READ_STATEMENTS);
		database_close(reader->db);
		reader->db = NULL;
		return code;
	}
	pthread_mutex_lock(&reads->lock);
	reads->made++;
	pthread_mutex_unlock(&reads->lock);
	reads_give_back(reads, reader);
	return ERROR_NONE;
}

bool reads_mend(struct reads *reads)
{
	struct reader *reader;
	bool mended = true, wanted;

	while (mended && (reader = take_lost(reads)) != NULL) {
		mended = database_connect(reader->db, NULL) == ERROR_NONE;
		reads_give_back(reads, reader);
	}
	pthread_mutex_lock(&reads->lock);
	wanted = reads->wants_one && reads->made < LIMIT_STORE_READERS;
	reads->wants_one = false;
	pthread_mutex_unlock(&reads->lock);
	return mended && (!wanted || open_reader(reads, NULL) == ERROR_NONE);
}

enum error_code reads_open(struct reads *reads, const struct database_place *place, struct sources *sources, struct error *error)
{
	enum error_code code = ERROR_NONE;

	reads->place = place;
	reads->name = database_name(place);
	reads->sources = sources;
	reads->shared = database_is_shared(place);
	pthread_mutex_init(&reads->lock, NULL);
	thread_init_condition(&reads->returned);
	budget_cache_open(&reads->budgets, database_is_shared(place));
	for (int count = reads->shared ? LIMIT_STORE_READERS : 1; code == ERROR_NONE && reads->made < count;)
		code = open_reader(reads, error);
	return code;
}

void reads_close(struct reads *reads)
{
	for (int i = 0; i < reads->made; i++) {
		database_finalize(reads->readers[i].statements, READ_STATEMENTS);
		database_close(reads->readers[i].db);
		reads->readers[i].db = NULL;
	}
	budget_cache_close(&reads->budgets);
	pthread_cond_destroy(&reads->returned);
	pthread_mutex_destroy(&reads->lock);
}

/* ---- one row ---- */

const char *reads_text(struct statement *row, int column)
{
	return statement_text(row, column);
}

/* The columns of TASK_COLUMNS, by their places. A dry run may have been read without these. */
static void read_live(struct statement *row, struct read_row *read)
{
	read->task.live = NULL;
	read->task.money = NULL;
	if (read->task.dry_run || statement_is_null(row, 16))
		return;
	read->live = (struct task_live){
		.phase = (enum live_phase)(int)statement_integer(row, 16),
		.attempts = (int)statement_integer(row, 17),
		.submitted_ms = statement_integer(row, 18),
		.deadline_ms = statement_integer(row, 19),
		.stop_ms = statement_integer(row, 20),
		.cancel_asked = (int)statement_integer(row, 21) != 0,
		.slotted = statement_integer(row, 22) != 0,
		.caller = reads_text(row, 13),
		.reason = reads_text(row, 23),
		.state = reads_text(row, 24),
		.request = reads_text(row, 25),
		.trace = reads_text(row, 26),
		.paid = (int)statement_integer(row, 32),
		.paid_most = (int)statement_integer(row, 33),
		.expected = reads_text(row, 34),
	};
	read->task.live = &read->live;
	if (statement_is_null(row, 27))
		return;
	read->money = (struct task_money){
		.day = statement_integer(row, 27),
		.reserved = statement_integer(row, 28),
		.expected = statement_integer(row, 29),
		.spent = statement_integer(row, 30),
		.basis = reads_text(row, 31),
		.door = (enum job_door)(int)statement_integer(row, 35),
	};
	read->task.money = &read->money;
}

const struct source *reads_source(const struct reads *reads, struct statement *row, int column)
{
	int number = (int)statement_integer(row, column);
	const struct source *source = sources_get(reads->sources, number);

	if (number > sources_count(reads->sources) && sources_load(reads->sources, statement_database(row), NULL) == ERROR_NONE)
		source = sources_get(reads->sources, number);
	return source;
}

bool reads_task(const struct reads *reads, struct statement *row, struct read_row *read)
{
	struct task *task = &read->task;
	const struct source *source = reads_source(reads, row, 2);

	if (source == NULL || !statement_copy(row, 7, task->id.bytes, sizeof task->id.bytes))
		return false;
	task->kind = source->kind;
	task->provider = source->provider;
	task->status = (enum task_status)(int)statement_integer(row, 1);
	task->dry_run = (int)statement_integer(row, 3) != 0;
	task->progress = statement_real(row, 4);
	task->created_ms = statement_integer(row, 5);
	task->updated_ms = statement_integer(row, 6);
	task->caller = reads_text(row, 13);
	task->vendor_id = reads_text(row, 8);
	task->request_id = reads_text(row, 9);
	task->payload = reads_text(row, 10);
	task->estimates = reads_text(row, 11);
	task->result = reads_text(row, 12);
	task->asked = reads_text(row, 14);
	task->removed_ms = statement_integer(row, 15);
	read_live(row, read);
	return !statement_lacks_memory(row); /* for a text, which is NULL then as if there were none */
}

/* ---- filters ---- */

/* Other hosts meet providers that this one has not met. False: the registry cannot be asked. */
static bool renew_sources(struct reads *reads)
{
	struct error error;
	struct reader *reader = reads_borrow(reads, &error);
	bool renewed = reader != NULL && sources_load(reads->sources, reader->db, &error) == ERROR_NONE;

	if (reader != NULL)
		reads_give_back(reads, reader);
	return renewed;
}

bool reads_may_pass(struct reads *reads, const struct task_filter *filter)
{
	bool found = reads->shared && !renew_sources(reads); /* who reads is told why */
	int sources = sources_count(reads->sources);

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

/* Is it the id of a job that the filter's caller sees? DATABASE_ROW, DATABASE_DONE or the error. */
static int find_job_id(struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds)
{
	struct statement *row = reader->statements[READ_ONE];
	const struct task_search *search = filter->search;
	const char *caller;
	int code;

	statement_bind_integer(row, 1, id_sequence(&search->id));
	code = statement_step(row);
	caller = code == DATABASE_ROW ? reads_text(row, 13) : NULL;
	if (code == DATABASE_ROW && (!statement_equals(row, 7, search->id.bytes, sizeof search->id.bytes) ||
					    (filter->caller != NULL && (caller == NULL || strcmp(caller, filter->caller) != 0))))
		code = DATABASE_DONE;
	statement_reset(row);
	if (code == DATABASE_ROW)
		narrow_bounds(bounds, id_sequence(&search->id), id_sequence(&search->id));
	return code;
}

/* The same of a vendor's or a request's id. */
static int find_other_id(
	struct reader *reader, enum read_statement which, const struct task_filter *filter, struct read_bounds *bounds)
{
	struct statement *ends = reader->statements[which];
	int code;

	statement_bind_text(ends, 1, filter->search->text);
	statement_bind_text(ends, 2, filter->caller);
	code = statement_step(ends);
	if (code == DATABASE_ROW && statement_is_null(ends, 0))
		code = DATABASE_DONE;
	if (code == DATABASE_ROW)
		narrow_bounds(bounds, statement_integer(ends, 0), statement_integer(ends, 1));
	statement_reset(ends);
	return code;
}

/* A word of a prompt that is an id too, a short one, is a word. */
static int find_id(struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds)
{
	const struct task_search *search = filter->search;
	int code = DATABASE_DONE;

	if (search == NULL || search->count != 1 || search->lengths[0] < ID_LEAST_BYTES)
		return DATABASE_DONE;
	if (search->is_id)
		code = find_job_id(reader, filter, bounds);
	if (code == DATABASE_DONE)
		code = find_other_id(reader, READ_ID_OF_VENDOR, filter, bounds);
	if (code == DATABASE_DONE)
		code = find_other_id(reader, READ_ID_OF_REQUEST, filter, bounds);
	return code;
}

enum error_code reads_bounds(
	struct reader *reader, const struct task_filter *filter, struct read_bounds *bounds, struct error *error)
{
	int64_t since = filter->since_ms - READ_SLACK_MS;
	int code;

	bounds->lower = since > 0 ? id_sequence_at(since) : 0;
	bounds->upper = filter->until_ms > 0 && filter->until_ms <= TIME_MAX_MS ? id_sequence_at(filter->until_ms) : INT64_MAX;
	bounds->exact = false;
	code = find_id(reader, filter, bounds);
	return code == DATABASE_ROW || code == DATABASE_DONE ? ERROR_NONE : reads_refuse(reader, error);
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

enum error_code reads_refuse(struct reader *reader, struct error *error)
{
	return database_error(reader->db, "read the registry", error);
}

enum error_code reads_refuse_row(const struct reads *reads, struct reader *reader, struct error *error)
{
	if (database_lacks_memory(reader->db))
		return error_memory(error);
	return error_set(error, ERROR_IO, reads->name, "the registry holds a damaged row");
}

enum error_code reads_end(struct reader *reader, struct statement *rows, int code, enum error_code result, struct error *error)
{
	if (code != DATABASE_ROW && code != DATABASE_DONE)
		result = reads_refuse(reader, error);
	statement_reset(rows);
	return result;
}
