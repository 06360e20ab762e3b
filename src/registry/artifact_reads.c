/* artifact_reads.c - pages of outputs, newest first. Any thread, on a borrowed reader.
 *
 * The table `artifact` says which there are, by small columns; what passes is read from its job, once for all outputs of a job. */
#include "registry/reads.h"

#include "registry/artifact_media.h"

struct artifact_listing {
	const struct reads *reads;
	struct reader *reader;
	struct artifact_walk *walk;
	bool (*visit)(void *context, const struct artifact_row *row);
	void *context;
	struct error *error;
	struct read_bounds bounds;
	int left, scans; /* as in task_reads.c */
	/* The job of the last output that passed; its texts are valid until another one is read. */
	int64_t sequence;
	struct read_row read;
	struct json_span list, entry;
	int n;	     /* of `entry`, -1: before the first */
	bool passes; /* the job: it is there, and found */
};

/* Reads the job that an output is of. */
static enum error_code read_maker(struct artifact_listing *listing, int64_t sequence)
{
	struct statement *row = listing->reader->statements[READ_ONE];
	const struct task_filter *filter = &listing->walk->filter;
	int code;

	if (listing->sequence == sequence)
		return ERROR_NONE;
	statement_reset(row);
	statement_bind_integer(row, 1, sequence);
	code = statement_step(row);
	if (code != DATABASE_ROW && code != DATABASE_DONE)
		return reads_refuse(listing->reader, listing->error);
	if (code == DATABASE_ROW && !reads_task(listing->reads, row, &listing->read))
		return reads_refuse_row(listing->reads, listing->reader, listing->error);
	listing->sequence = sequence;
	listing->passes = code == DATABASE_ROW && reads_in_time(filter, listing->read.task.created_ms) &&
			  reads_found(filter, &listing->bounds, &listing->read.task);
	listing->list = json_span_of(listing->passes ? listing->read.task.result : NULL);
	listing->list = json_span_member(listing->list, "artifacts");
	listing->entry = (struct json_span){ 0 };
	listing->n = -1;
	return ERROR_NONE;
}

/* Moves on to an output of the job. False: it has none of this number. */
static bool find_entry(struct artifact_listing *listing, int n)
{
	while (listing->n < n && json_span_next(listing->list, &listing->entry))
		listing->n++;
	return listing->n == n;
}

static bool artifact_passes(const struct artifact_listing *listing, struct statement *row)
{
	const struct artifact_walk *walk = listing->walk;
	const struct source *source = reads_source(listing->reads, row, 2);

	if (walk->media != 0 && (walk->media & 1U << (int)statement_integer(row, 3)) == 0)
		return false;
	return source != NULL && source_passes(source, &walk->filter.sources);
}

/* Visits the output that the statement is on if it passes. */
static enum error_code offer_artifact(struct artifact_listing *listing, struct statement *row)
{
	int64_t sequence = statement_integer(row, 0);
	int n = (int)statement_integer(row, 1);
	enum error_code code;

	if (sequence == listing->walk->before && n <= listing->walk->before_n)
		return ERROR_NONE;
	listing->scans--;
	if (artifact_passes(listing, row)) {
		code = read_maker(listing, sequence);
		if (code != ERROR_NONE)
			return code;
		if (listing->passes && find_entry(listing, n)) {
			listing->left--;
			if (!listing->visit(listing->context,
				    &(struct artifact_row){ .task = &listing->read.task, .n = n, .entry = listing->entry })) {
				listing->left = 0;
				return ERROR_NONE;
			}
		}
	}
	listing->walk->before = sequence;
	listing->walk->before_n = n;
	return ERROR_NONE;
}

static enum error_code walk_artifacts(struct artifact_listing *listing)
{
	const struct task_filter *filter = &listing->walk->filter;
	struct statement *rows = listing->reader->statements[filter->caller != NULL ? READ_OWN_ARTIFACTS : READ_ARTIFACTS];
	enum error_code result = ERROR_NONE;
	int64_t upper = listing->bounds.upper;
	int code = DATABASE_ROW;

	if (listing->walk->before > 0 && listing->walk->before < upper)
		upper = listing->walk->before + 1;
	statement_bind_integer(rows, 1, upper - 1);
	statement_bind_integer(rows, 2, listing->bounds.lower);
	if (filter->caller != NULL)
		statement_bind_text(rows, 3, filter->caller);
	while (result == ERROR_NONE && listing->left > 0 && listing->scans > 0 && (code = statement_step(rows)) == DATABASE_ROW)
		result = offer_artifact(listing, rows);
	listing->walk->ended = code == DATABASE_DONE;
	statement_reset(listing->reader->statements[READ_ONE]);
	return reads_end(listing->reader, rows, code, result, listing->error);
}

enum error_code task_store_artifacts(struct task_store *store, struct artifact_walk *walk,
	bool (*visit)(void *context, const struct artifact_row *row), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct artifact_listing listing = { .reads = reads, .walk = walk, .visit = visit, .context = context, .error = error };
	enum error_code result;

	walk->ended = true;
	if (walk->limit <= 0 || !reads_may_pass(reads, &walk->filter))
		return ERROR_NONE;
	listing.left = walk->limit;
	listing.scans = LIMIT_LIST_SCAN;
	listing.reader = reads_borrow(reads, error);
	if (listing.reader == NULL)
		return ERROR_BUSY;
	result = reads_bounds(listing.reader, &walk->filter, &listing.bounds, error);
	if (result == ERROR_NONE)
		result = walk_artifacts(&listing);
	reads_give_back(reads, listing.reader);
	return result;
}
