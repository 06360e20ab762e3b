/* ended_reads.c - what jobs tell that other hosts have brought to their end. Any thread, on a borrowed reader. */
#include "registry/ended_reads.h"

#include "registry/reads.h"

#define MOST_ENDED 256

static void visit_ended(const struct reads *reads, struct statement *row,
	void (*visit)(void *context, const struct ended_job *job), void *context)
{
	const struct source *source = reads_source(reads, row, 1);
	struct ended_job job = { .took_ms = statement_integer(row, 2) };

	if (source == NULL)
		return;
	job.kind = source->kind;
	job.provider = source->provider;
	job.observed = !statement_is_null(row, 3);
	job.observation = (struct store_observation){ .provider = reads_text(row, 3),
		.model = reads_text(row, 4),
		.drivers = reads_text(row, 5),
		.micro_usd = statement_integer(row, 6),
		.at_ms = statement_integer(row, 7) };
	visit(context, &job);
}

enum error_code task_store_ended_elsewhere(struct task_store *store, int64_t host, int64_t *after,
	void (*visit)(void *context, const struct ended_job *job), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	int64_t newest = task_store_newest_event(store), last = *after;
	enum error_code result;
	struct statement *row;
	int code, count = 0;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_ENDED];
	statement_bind_integer(row, 1, *after);
	statement_bind_integer(row, 2, host);
	statement_bind_integer(row, 3, MOST_ENDED);
	while ((code = statement_step(row)) == DATABASE_ROW) {
		last = statement_integer(row, 0);
		visit_ended(reads, row, visit, context);
		count++;
	}
	result = reads_end(reader, row, code, ERROR_NONE, error);
	reads_give_back(reads, reader);
	if (result == ERROR_NONE)
		*after = count < MOST_ENDED && last < newest ? newest : last;
	return result;
}
