/* event_reads.c - walks through the log of events, each joined with its task as it stands now. Any thread, on a borrowed reader.
 *
 * Usually it walks by number. The events of one job are found without a walk: those of a live job by their index, the only one of a dry run
 * by its time, between two numbers that are found by halving (times grow with numbers, but for a clock that is set). An event whose task is
 * gone already is passed over: it goes with the next purge. */
#include "registry/reads.h"

#include <stdio.h>
#include <string.h>

#include "database/database.h"

#define CLOCK_SLACK_MS 2000   /* an event may be this much older than created_ms says, if the clock was set meanwhile */
#define COMMIT_SLACK_MS 60000 /* and this much younger: a row waits for its commit */

/* Where the columns stand in the statements of reads.c. */
enum event_column { EVENT_DRY_RUN = 3, EVENT_CALLER = 13, EVENT_NUMBER = 36, EVENT_AT, EVENT_VERB, EVENT_DATA, EVENT_SEQUENCE };

struct walking {
	struct reads *reads;
	struct reader *reader;
	struct event_walk *walk;
	bool (*visit)(void *context, const struct event_row *row);
	void *context;
	struct error *error;
	int left; /* rows to visit; 0 ends the walk */
};

/* The row's type and whose it is, for the filter. False: its task is gone. */
static bool read_subject(
	const struct walking *walking, struct statement *row, char type[EVENT_TYPE_BYTES], struct event_subject *subject)
{
	const struct source *source = NULL;
	const char *verb = reads_text(row, EVENT_VERB);

	subject->sequence = statement_integer(row, EVENT_SEQUENCE);
	if (subject->sequence != 0 && (source = reads_source(walking->reads, row, 2)) == NULL)
		return false;
	task_event_type(type, source != NULL ? source->kind : NULL, verb != NULL ? verb : "");
	subject->type = type;
	subject->provider = source != NULL ? source->provider : NULL;
	subject->caller = source != NULL ? reads_text(row, EVENT_CALLER) : NULL;
	return true;
}

/* Visits the row that a statement is on if it passes the filter. */
static enum error_code offer_event(struct walking *walking, struct statement *row)
{
	const struct event_filter *filter = walking->walk->filter;
	char type[EVENT_TYPE_BYTES];
	struct event_subject subject;
	struct event_row event;
	struct read_row read;

	walking->walk->after = statement_integer(row, EVENT_NUMBER);
	if (!read_subject(walking, row, type, &subject) || (filter != NULL && !event_filter_passes(filter, &subject)))
		return ERROR_NONE;
	if (subject.sequence != 0 && !reads_task(walking->reads, row, &read))
		return reads_refuse_row(walking->reads, walking->reader, walking->error);
	event = (struct event_row){
		.number = walking->walk->after,
		.at_ms = statement_integer(row, EVENT_AT),
		.verb = reads_text(row, EVENT_VERB),
		.data = reads_text(row, EVENT_DATA),
		.task = subject.sequence != 0 ? &read.task : NULL,
	};
	if (statement_lacks_memory(row))
		return reads_refuse(walking->reader, walking->error);
	walking->left = walking->visit(walking->context, &event) ? walking->left - 1 : 0;
	return ERROR_NONE;
}

/* Steps through a bound statement. */
static enum error_code step_through(struct walking *walking, struct statement *rows)
{
	enum error_code result = ERROR_NONE;
	int code = DATABASE_ROW, scanned = 0;

	while (result == ERROR_NONE && walking->left > 0 && scanned++ < LIMIT_EVENT_SCAN &&
		(code = statement_step(rows)) == DATABASE_ROW)
		result = offer_event(walking, rows);
	walking->walk->ended = code == DATABASE_DONE;
	return reads_end(walking->reader, rows, code, result, walking->error);
}

/* ---- the events of one job ---- */

/* The first number from `from` on and its time. DATABASE_DONE when there is none. */
static int time_of(struct reader *reader, int64_t *from, int64_t *at_ms)
{
	struct statement *row = reader->statements[READ_EVENT_TIME];
	int code;

	statement_bind_integer(row, 1, *from);
	code = statement_step(row);
	if (code == DATABASE_ROW) {
		*from = statement_integer(row, 0);
		*at_ms = statement_integer(row, 1);
	}
	statement_reset(row);
	return code;
}

/* The first number whose time is not before `at_ms`; one beyond the newest when there is none. */
static int64_t first_since(struct reader *reader, int64_t newest, int64_t at_ms)
{
	int64_t low = 0, high = newest + 1, middle, number, time = 0;

	while (low < high) {
		number = middle = low + (high - low) / 2;
		if (time_of(reader, &number, &time) == DATABASE_ROW && time < at_ms)
			low = number + 1;
		else
			high = middle;
	}
	return low;
}

static enum error_code walk_dry(struct walking *walking, int64_t sequence, int64_t created_ms)
{
	struct reader *reader = walking->reader;
	struct statement *rows = reader->statements[READ_EVENT_OF_DRY];
	int64_t newest = 0;

	if (statement_find(reader->statements[READ_NEWEST_EVENT], &newest) != DATABASE_OK)
		return reads_refuse(reader, walking->error);
	statement_bind_integer(rows, 1, walking->walk->after);
	statement_bind_integer(rows, 2, sequence);
	statement_bind_integer(rows, 3, first_since(reader, newest, created_ms - CLOCK_SLACK_MS));
	statement_bind_integer(rows, 4, first_since(reader, newest, created_ms + COMMIT_SLACK_MS));
	return step_through(walking, rows);
}

static enum error_code walk_job(struct walking *walking, const struct id *id)
{
	struct statement *rows = walking->reader->statements[READ_ONE];
	int64_t sequence = id_sequence(id), created_ms;
	bool dry_run;
	int code;

	statement_bind_integer(rows, 1, sequence);
	code = statement_step(rows);
	created_ms = statement_integer(rows, 5);
	dry_run = (int)statement_integer(rows, EVENT_DRY_RUN) != 0;
	statement_reset(rows);
	walking->walk->ended = true;
	if (code == DATABASE_DONE)
		return ERROR_NONE;
	if (code != DATABASE_ROW)
		return reads_refuse(walking->reader, walking->error);
	if (dry_run)
		return walk_dry(walking, sequence, created_ms);
	rows = walking->reader->statements[READ_EVENTS_OF_LIVE];
	statement_bind_integer(rows, 1, walking->walk->after);
	statement_bind_integer(rows, 2, sequence);
	return step_through(walking, rows);
}

enum error_code task_store_events(struct task_store *store, struct event_walk *walk,
	bool (*visit)(void *context, const struct event_row *row), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct walking walking = { .reads = reads, .walk = walk, .visit = visit, .context = context, .error = error };
	enum error_code result;

	if (!walk->follows)
		store_settle(store);
	walking.left = walk->limit;
	walking.reader = reads_borrow(reads, error);
	if (walking.reader == NULL)
		return ERROR_BUSY;
	if (walk->filter != NULL && walk->filter->of_job) {
		result = walk_job(&walking, &walk->filter->job);
	} else {
		statement_bind_integer(walking.reader->statements[READ_EVENTS], 1, walk->after);
		result = step_through(&walking, walking.reader->statements[READ_EVENTS]);
	}
	reads_give_back(reads, walking.reader);
	return result;
}

enum error_code task_store_find_newest_event(struct task_store *store, int64_t *newest, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader;
	enum error_code result = ERROR_NONE;

	*newest = task_store_newest_event(store);
	if (!task_store_is_shared(store))
		return ERROR_NONE;
	reader = reads_borrow(reads, error);
	if (reader == NULL)
		return ERROR_BUSY;
	if (statement_find(reader->statements[READ_NEWEST_EVENT], newest) != DATABASE_OK)
		result = reads_refuse(reader, error);
	reads_give_back(reads, reader);
	if (result == ERROR_NONE)
		task_store_hear(store, *newest);
	return result;
}
