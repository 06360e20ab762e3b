/* task_reads.c - one task, and pages of tasks, newest or oldest first. Any thread, on a borrowed reader.
 *
 * A listing without a filter walks the rows from the newest, one of a caller those of the caller by their index, one of live jobs those that have a
 * live half. One with another filter walks the newest rows, those that are not in task_index yet (upkeep.c), and then takes from the index, for each
 * pair of status and source that passes, the newest numbers, merged (the oldest first: the index, then the rest); live jobs have an index of their own, which knows all of them. So its cost depends
 * on the page asked for, not on how rare the match is. What no index knows is looked at row by row, LIMIT_LIST_SCAN of them a page. */
#include "registry/reads.h"

#include <string.h>

#include "database/database.h"

/* Of these there are few, whoever's they are. */
#define FEW_STATUSES (1U << TASK_QUEUED | 1U << TASK_RUNNING | 1U << TASK_UNKNOWN)
#define ALL_STATUSES ((1U << TASK_STATUSES) - 1)

/* Most are dry runs, which have nothing in the tables of live jobs. */
static int find_row(struct reader *reader, int64_t sequence, struct statement **row)
{
	static const enum read_statement tried[] = { READ_DRY, READ_ONE };
	int code = DATABASE_DONE;

	for (size_t i = 0; i < sizeof tried / sizeof *tried && code == DATABASE_DONE; i++) {
		*row = reader->statements[tried[i]];
		statement_bind_integer(*row, 1, sequence);
		code = statement_step(*row);
		if (code == DATABASE_DONE)
			statement_reset(*row);
	}
	return code;
}

enum error_code task_store_get(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	enum error_code result = ERROR_NONE;
	struct reader *reader;
	struct read_row read;
	struct statement *row;
	int code;

	if (store_find_kept(store, id, visit, context))
		return ERROR_NONE;
	reader = reads_borrow(reads, error);
	if (reader == NULL)
		return ERROR_BUSY;
	code = find_row(reader, id_sequence(id), &row);
	if (code == DATABASE_ROW && !reads_task(reads, row, &read))
		result = reads_refuse_row(reads, reader, error);
	else if (code == DATABASE_ROW && memcmp(&read.task.id, id, sizeof *id) == 0)
		visit(context, &read.task);
	else if (code == DATABASE_ROW || code == DATABASE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "there is no such job");
	else
		result = reads_refuse(reader, error);
	statement_reset(row);
	reads_give_back(reads, reader);
	return result;
}

struct listing {
	const struct reads *reads;
	struct reader *reader;
	struct task_walk *walk;
	bool (*visit)(void *context, const struct task *task);
	void *context;
	struct error *error;
	struct read_bounds bounds; /* from bounds.lower on: moves on when the oldest come first */
	int64_t upper;		   /* only numbers below: moves on when the newest do */
	int left;		   /* rows that the caller still wants, */
	int scans;		   /* and that may be looked at: 0 ends the listing */
};

static bool listing_goes_on(const struct listing *listing)
{
	return listing->left > 0 && listing->scans > 0;
}

/* By the small columns, which come before the texts. */
static bool task_passes(const struct listing *listing, struct statement *row)
{
	const struct task_filter *filter = &listing->walk->filter;
	const struct source *source = reads_source(listing->reads, row, 2);
	bool dry_run = (int)statement_integer(row, 3) != 0;

	if (filter->statuses != 0 && (filter->statuses & 1U << (int)statement_integer(row, 1)) == 0)
		return false;
	if (source != NULL && !source_passes(source, &filter->sources))
		return false;
	if (filter->dryness != TASKS_ALL && dry_run != (filter->dryness == TASKS_DRY))
		return false;
	return reads_in_time(filter, statement_integer(row, 5));
}

/* Visits the row that a statement is on if it passes the filter. */
static enum error_code offer_task(struct listing *listing, struct statement *row)
{
	const char *caller = listing->walk->filter.caller;
	struct read_row read;

	listing->scans--;
	if (task_passes(listing, row)) {
		if (!reads_task(listing->reads, row, &read))
			return reads_refuse_row(listing->reads, listing->reader, listing->error);
		if ((caller == NULL || (read.task.caller != NULL && strcmp(read.task.caller, caller) == 0)) &&
			reads_found(&listing->walk->filter, &listing->bounds, &read.task)) {
			if (!listing->visit(listing->context, &read.task)) {
				listing->left = 0;
				return ERROR_NONE;
			}
			listing->left--;
		}
	}
	listing->walk->before = statement_integer(row, 0);
	return ERROR_NONE;
}

/* The same statement the other way round. */
static enum read_statement turned(const struct listing *listing, enum read_statement which)
{
	if (!listing->walk->oldest_first)
		return which;
	return which == READ_OWN ? READ_OWN_OLDEST : which == READ_INDEX ? READ_INDEX_OLDEST : READ_RANGE_OLDEST;
}

/* Walks the rows of a statement, in its order. */
static enum error_code walk_tasks(struct listing *listing, enum read_statement which, int64_t upper, int64_t lower)
{
	struct statement *rows = listing->reader->statements[turned(listing, which)];
	enum error_code result = ERROR_NONE;
	int code = DATABASE_ROW;

	statement_bind_integer(rows, 1, upper);
	statement_bind_integer(rows, 2, lower);
	if (which == READ_OWN)
		statement_bind_text(rows, 3, listing->walk->filter.caller);
	while (result == ERROR_NONE && listing_goes_on(listing) && (code = statement_step(rows)) == DATABASE_ROW)
		result = offer_task(listing, rows);
	listing->walk->ended = code == DATABASE_DONE;
	return reads_end(listing->reader, rows, code, result, listing->error);
}

/* Merges `count` numbers of reader->fresh into the `known` ones of reader->found, both in the order of the listing; keeps the first `wanted`. */
static int merge_numbers(struct reader *reader, bool oldest_first, int known, int count, int wanted)
{
	int taken = 0, old = 0, new = 0;

	if (count == 0)
		return known;
	while (taken < wanted && (old < known || new < count)) {
		if (new == count || (old < known && (reader->found[old] > reader->fresh[new]) != oldest_first))
			reader->merged[taken++] = reader->found[old++];
		else
			reader->merged[taken++] = reader->fresh[new ++];
	}
	memcpy(reader->found, reader->merged, (size_t)taken * sizeof *reader->found);
	return taken;
}

/* Adds the first numbers of one pair of status and source. False on an error. */
static bool find_first_of(struct listing *listing, int status, int source, int wanted, int *known)
{
	struct reader *reader = listing->reader;
	bool live = listing->walk->filter.dryness == TASKS_LIVE;
	bool oldest = listing->walk->oldest_first;
	struct statement *numbers = reader->statements[live ? READ_LIVE_INDEX : turned(listing, READ_INDEX)];
	int64_t last = *known == wanted ? reader->found[wanted - 1] : -1; /* those beyond would be dropped again */
	int count = 0;
	int code = DATABASE_ROW;

	statement_bind_integer(numbers, 1, status);
	statement_bind_integer(numbers, 2, source);
	statement_bind_integer(numbers, 3, oldest && last >= 0 ? last : listing->upper);
	statement_bind_integer(numbers, 4, !oldest && last >= 0 ? last : listing->bounds.lower);
	while (count < wanted && (code = statement_step(numbers)) == DATABASE_ROW)
		reader->fresh[count++] = statement_integer(numbers, 0);
	statement_reset(numbers);
	if (code != DATABASE_ROW && code != DATABASE_DONE)
		return false;
	*known = merge_numbers(reader, oldest, *known, count, wanted);
	return true;
}

/* Finds the first numbers that pass. -1 on an error. */
static int find_first(struct listing *listing, int wanted)
{
	const struct task_filter *filter = &listing->walk->filter;
	unsigned statuses = filter->statuses != 0 ? filter->statuses : ALL_STATUSES;
	int sources = sources_count(listing->reads->sources);
	int known = 0;

	for (int source = 1; source <= sources; source++) {
		if (!source_passes(sources_get(listing->reads->sources, source), &filter->sources))
			continue;
		for (int status = 0; status < TASK_STATUSES; status++)
			if ((statuses & 1U << status) != 0 && !find_first_of(listing, status, source, wanted, &known))
				return -1;
	}
	return known;
}

static enum error_code visit_number(struct listing *listing, int64_t number)
{
	struct statement *row = listing->reader->statements[READ_ONE];
	enum error_code result = ERROR_NONE;
	int code;

	statement_bind_integer(row, 1, number);
	code = statement_step(row);
	if (code == DATABASE_ROW)
		result = offer_task(listing, row);
	return reads_end(listing->reader, row, code, result, listing->error);
}

/* Takes what passes from the index, a round at a time: as many as are wanted, if all of them pass. */
static enum error_code walk_index(struct listing *listing)
{
	const struct task_filter *filter = &listing->walk->filter;
	bool sure = filter->dryness != TASKS_DRY && filter->caller == NULL && filter->search == NULL;
	enum error_code result = ERROR_NONE;
	int found, wanted;

	do {
		wanted = sure && listing->left < READ_ROUND ? listing->left : READ_ROUND;
		found = find_first(listing, wanted);
		if (found == -1)
			return reads_refuse(listing->reader, listing->error);
		for (int i = 0; i < found && listing_goes_on(listing) && result == ERROR_NONE; i++) {
			result = visit_number(listing, listing->reader->found[i]);
			if (listing->walk->oldest_first)
				listing->bounds.lower = listing->reader->found[i] + 1;
			else
				listing->upper = listing->reader->found[i];
		}
	} while (result == ERROR_NONE && found == wanted && listing_goes_on(listing));
	listing->walk->ended = listing_goes_on(listing);
	return result;
}

/* What is not in the index yet, up to `upper`. */
static enum error_code walk_newest(struct listing *listing, int64_t upper, int64_t indexed)
{
	return walk_tasks(listing, READ_RANGE, upper, indexed + 1 > listing->bounds.lower ? indexed + 1 : listing->bounds.lower);
}

static enum error_code list_both(struct listing *listing, int64_t indexed)
{
	int64_t upper = listing->upper;
	enum error_code result = ERROR_NONE;

	listing->walk->ended = true;
	if (!listing->walk->oldest_first)
		result = walk_newest(listing, upper, indexed);
	if (indexed + 1 < listing->upper)
		listing->upper = indexed + 1;
	if (result == ERROR_NONE && listing->walk->ended)
		result = walk_index(listing);
	if (result == ERROR_NONE && listing->walk->ended && listing->walk->oldest_first)
		result = walk_newest(listing, upper, indexed);
	return result;
}

/* Both parts are read in one transaction: a row must not move from the one to the other in between. */
static enum error_code list_filtered(struct listing *listing)
{
	struct reader *reader = listing->reader;
	enum error_code result = ERROR_NONE;
	int64_t indexed = 0;

	if (database_begin_reading(reader->db) != DATABASE_OK ||
		statement_find(reader->statements[READ_INDEXED], &indexed) != DATABASE_OK)
		result = reads_refuse(reader, listing->error);
	if (result == ERROR_NONE)
		result = list_both(listing, indexed);
	database_end_reading(reader->db);
	return result;
}

/* Which rows have to be looked at. */
static enum error_code list_tasks(struct listing *listing)
{
	const struct task_filter *filter = &listing->walk->filter;
	bool few = filter->statuses != 0 && (filter->statuses & ~FEW_STATUSES) == 0;
	bool any = filter->statuses == 0 && filter->sources.kind == NULL && filter->sources.provider_count == 0;

	if (filter->dryness == TASKS_LIVE)
		return any ? walk_tasks(listing, READ_LIVE, listing->upper, listing->bounds.lower) : walk_index(listing);
	if (filter->caller != NULL && !few)
		return walk_tasks(listing, READ_OWN, listing->upper, listing->bounds.lower);
	if (any)
		return walk_tasks(listing, READ_RANGE, listing->upper, listing->bounds.lower);
	return list_filtered(listing);
}

enum error_code task_store_list(struct task_store *store, struct task_walk *walk,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error)
{
	const struct task_filter *filter = &walk->filter;
	struct reads *reads = store_reads(store);
	struct listing listing = { .reads = reads, .walk = walk, .visit = visit, .context = context, .error = error };
	enum error_code result;

	walk->ended = true;
	store_settle(store);
	if (walk->limit <= 0 || !reads_may_pass(reads, filter))
		return ERROR_NONE;
	listing.left = walk->limit;
	listing.scans = LIMIT_LIST_SCAN;
	listing.reader = reads_borrow(reads, error);
	if (listing.reader == NULL)
		return ERROR_BUSY;
	result = reads_bounds(listing.reader, filter, &listing.bounds, error);
	listing.upper = listing.bounds.upper;
	if (walk->oldest_first && walk->before >= listing.bounds.lower)
		listing.bounds.lower = walk->before < INT64_MAX ? walk->before + 1 : INT64_MAX;
	else if (!walk->oldest_first && walk->before > 0 && walk->before < listing.upper)
		listing.upper = walk->before;
	if (result == ERROR_NONE)
		result = list_tasks(&listing);
	reads_give_back(reads, listing.reader);
	return result;
}
