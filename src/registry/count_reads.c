/* count_reads.c - how many tasks there are, and how long they took. Any thread, on a borrowed reader.
 *
 * The index of statuses and sources is counted, and what is not in it yet (upkeep.c), in one transaction. It does not know dry runs from live jobs: those
 * are counted by their own index, and what is left is dry. One caller's tasks are counted row by row, and so is the second at either end of a time: a row's
 * number may be older than it says. */
#include "registry/reads.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "database/database.h"

struct counting {
	const struct reads *reads;
	struct reader *reader;
	const struct task_filter *filter;
	struct error *error;
	struct read_bounds bounds;
	int64_t lower, upper;		  /* within the bounds: whatever is between them is from the right time */
	int64_t (*counts)[TASK_STATUSES]; /* by the number of the source, from 1 */
	int sources;
};

static bool is_counted(const struct counting *counting, int source)
{
	return source >= 1 && source <= counting->sources &&
	       source_passes(sources_get(counting->reads->sources, source), &counting->filter->sources);
}

/* Adds `sign` times what an index holds from `lower` to a number. */
static int add_indexed(struct counting *counting, enum read_statement which, int64_t upper, int sign)
{
	struct statement *count = counting->reader->statements[which];
	int64_t found;
	int code = DATABASE_OK;

	for (int source = 1; source <= counting->sources; source++) {
		for (int status = 0; status < TASK_STATUSES && code == DATABASE_OK && is_counted(counting, source); status++) {
			statement_bind_integer(count, 1, status);
			statement_bind_integer(count, 2, source);
			statement_bind_integer(count, 3, upper);
			statement_bind_integer(count, 4, counting->lower);
			code = statement_find(count, &found);
			if (code == DATABASE_OK)
				counting->counts[source][status] += sign * found;
		}
	}
	return code;
}

static bool row_counts(const struct counting *counting, struct statement *row)
{
	enum task_dryness dryness = counting->filter->dryness;
	int status = (int)statement_integer(row, 1);

	if (status < 0 || status >= TASK_STATUSES || !is_counted(counting, (int)statement_integer(row, 2)))
		return false;
	if (dryness != TASKS_ALL && ((int)statement_integer(row, 3) != 0) != (dryness == TASKS_DRY))
		return false;
	return reads_in_time(counting->filter, statement_integer(row, 4));
}

/* Adds rows, one by one. */
static int add_rows(struct counting *counting, int64_t lower, int64_t upper)
{
	const char *caller = counting->filter->caller;
	struct statement *rows = counting->reader->statements[caller != NULL ? READ_SMALL_OWN : READ_SMALL];
	int code = DATABASE_DONE;

	statement_bind_integer(rows, 1, upper);
	statement_bind_integer(rows, 2, lower);
	if (caller != NULL)
		statement_bind_text(rows, 3, caller);
	while (lower < upper && (code = statement_step(rows)) == DATABASE_ROW)
		if (row_counts(counting, rows))
			counting->counts[(int)statement_integer(rows, 2)][(int)statement_integer(rows, 1)]++;
	statement_reset(rows);
	return code == DATABASE_DONE ? DATABASE_OK : code;
}

/* What is surely from the right time. Dry runs are done: what is done and not live is dry. */
static int count_between(struct counting *counting)
{
	int64_t indexed = 0, end;
	int code;

	if (counting->filter->dryness == TASKS_LIVE)
		return add_indexed(counting, READ_COUNT_LIVE, counting->upper, 1);
	code = statement_find(counting->reader->statements[READ_INDEXED], &indexed);
	end = indexed + 1 < counting->upper ? indexed + 1 : counting->upper;
	if (code == DATABASE_OK)
		code = add_indexed(counting, READ_COUNT, end, 1);
	if (code == DATABASE_OK && counting->filter->dryness == TASKS_DRY)
		code = add_indexed(counting, READ_COUNT_LIVE, end, -1);
	return code == DATABASE_OK ? add_rows(counting, end > counting->lower ? end : counting->lower, counting->upper) : code;
}

static int count_tasks(struct counting *counting)
{
	const struct task_filter *filter = counting->filter;
	const struct read_bounds *bounds = &counting->bounds;
	int code;

	if (filter->caller != NULL)
		return add_rows(counting, bounds->lower, bounds->upper);
	counting->lower = filter->since_ms > 0 ? id_sequence_at(filter->since_ms) : 0;
	counting->upper = bounds->upper < INT64_MAX ? bounds->upper - id_sequence_at(READ_SLACK_MS) : INT64_MAX;
	if (counting->lower > bounds->upper)
		counting->lower = bounds->upper;
	if (counting->upper < counting->lower)
		counting->upper = counting->lower;
	code = add_rows(counting, bounds->lower, counting->lower);
	if (code == DATABASE_OK)
		code = count_between(counting);
	return code == DATABASE_OK ? add_rows(counting, counting->upper, bounds->upper) : code;
}

static void tell_counts(
	const struct counting *counting, void (*visit)(void *context, const struct task_count *count), void *context)
{
	const struct source *source;
	struct task_count count;

	for (int number = 1; number <= counting->sources; number++) {
		if (!is_counted(counting, number))
			continue;
		source = sources_get(counting->reads->sources, number);
		count = (struct task_count){ .kind = source->kind, .provider = source->provider };
		memcpy(count.counts, counting->counts[number], sizeof count.counts);
		visit(context, &count);
	}
}

enum error_code task_store_count(struct task_store *store, const struct task_filter *filter,
	void (*visit)(void *context, const struct task_count *count), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct counting counting = { .reads = reads, .filter = filter, .error = error };
	struct task_filter plain = *filter; /* without a search */
	enum error_code result;

	plain.search = NULL;
	store_settle(store);
	if (!reads_may_pass(reads, filter))
		return ERROR_NONE;
	counting.reader = reads_borrow(reads, error);
	if (counting.reader == NULL)
		return ERROR_BUSY;
	counting.sources = sources_count(reads->sources);
	counting.counts = memory_new_array((size_t)counting.sources + 1, sizeof *counting.counts);
	result = reads_bounds(counting.reader, &plain, &counting.bounds, error);
	if (result == ERROR_NONE &&
		(database_begin_reading(counting.reader->db) != DATABASE_OK || count_tasks(&counting) != DATABASE_OK))
		result = reads_refuse(counting.reader, error);
	database_end_reading(counting.reader->db);
	if (result == ERROR_NONE)
		tell_counts(&counting, visit, context);
	free(counting.counts);
	reads_give_back(reads, counting.reader);
	return result;
}

enum error_code task_store_durations(struct task_store *store, const struct task_filter *filter, int64_t since_ms, int limit,
	void (*visit)(void *context, const char *provider, int64_t took_ms), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	const struct source *source;
	enum error_code result;
	struct statement *rows;
	const char *caller;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_TIMES];
	statement_bind_integer(rows, 1, id_sequence_at(since_ms));
	statement_bind_integer(rows, 2, limit);
	while ((code = statement_step(rows)) == DATABASE_ROW) {
		source = reads_source(reads, rows, 0);
		caller = reads_text(rows, 2);
		if (source == NULL || !source_passes(source, &filter->sources))
			continue;
		if (filter->caller == NULL || (caller != NULL && strcmp(caller, filter->caller) == 0))
			visit(context, source->provider, statement_integer(rows, 1));
	}
	result = reads_end(reader, rows, code, ERROR_NONE, error);
	reads_give_back(reads, reader);
	return result;
}
