/* task_reads.c - one task, and pages of tasks. Any thread, on a borrowed reader.
 *
 * A listing without a filter walks the rows from the newest, one of a caller those of the caller by their index. One with another filter walks the
 * newest rows, those that are not in task_index yet (upkeep.c), and then takes from the index, for each pair of status and source that passes, the
 * newest numbers, merged. So its cost depends on the page asked for, not on how rare the match is. */
#include "registry/reads.h"

#include <string.h>

#include "registry/database.h"

#define SINCE_SLACK_MS 1000 /* a row's number may be this much older than its created_ms */
#define TIME_MAX_MS ((1LL << 47) - 1)

enum error_code task_store_get(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
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
static enum error_code offer_task(struct listing *listing, sqlite3_stmt *row)
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
static enum error_code walk_tasks(struct listing *listing, int64_t upper, int64_t lower)
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
		result = offer_task(listing, rows);
	return reads_end(listing->reads, listing->reader, rows, code, result, listing->error);
}

/* Merges `count` descending numbers of reader->fresh into the `known` ones of reader->found; keeps the largest `wanted`. */
static int merge_numbers(struct reader *reader, int known, int count, int wanted)
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
static bool find_newest_of(struct listing *listing, int status, int source, int wanted, int *known)
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
	*known = merge_numbers(reader, *known, count, wanted);
	return true;
}

/* Finds the newest numbers that pass. -1 on an error. */
static int find_newest(struct listing *listing, int wanted)
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
			if (!find_newest_of(listing, status, source, wanted, &known))
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
		result = offer_task(listing, row);
	return reads_end(listing->reads, listing->reader, row, code, result, listing->error);
}

/* Takes what passes from the index, a round at a time. */
static enum error_code walk_index(struct listing *listing)
{
	enum error_code result = ERROR_NONE;
	int found, wanted;

	do {
		wanted = listing->left < READ_ROUND ? listing->left : READ_ROUND;
		found = find_newest(listing, wanted);
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
		result = walk_tasks(listing, listing->upper, indexed + 1 > listing->lower ? indexed + 1 : listing->lower);
	if (indexed + 1 < listing->upper)
		listing->upper = indexed + 1;
	if (result == ERROR_NONE && listing->left > 0)
		result = walk_index(listing);
	if (!sqlite3_get_autocommit(reader->db))
		database_run(reader->statements[READ_END]);
	return result;
}

enum error_code task_store_list(struct task_store *store, const struct task_filter *filter,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
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
		result = walk_tasks(&listing, listing.upper, listing.lower);
	else
		result = list_filtered(&listing);
	reads_give_back(reads, listing.reader);
	return result;
}
