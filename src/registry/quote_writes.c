/* quote_writes.c - quotes as they are added, approved and tied to their job. Store thread only. */
#include "registry/writes.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "database/database.h"

#define COUNTED_OF 32
#define SMALL_BYTES (64 * 1024)

static void bind_caller(struct statement *statement, int index, const char *caller)
{
	writer_bind_text(statement, index, caller != NULL ? caller : "");
}

static void bind_id(struct statement *statement, int index, const struct id *id)
{
	statement_bind_integer(statement, index, id_sequence(id));
	statement_bind_bytes(statement, index + 1, id->bytes, sizeof id->bytes);
}

/* ---- a new one ---- */

static int count_open(struct writer *writer, const char *caller, int64_t *count, int64_t *bytes)
{
	struct statement *open = writer->statements[WRITE_QUOTES_OPEN];
	int code;

	bind_caller(open, 1, caller);
	code = statement_step(open);
	if (code == DATABASE_ROW) {
		*count = statement_integer(open, 0);
		*bytes = statement_integer(open, 1);
	}
	statement_reset(open);
	return code == DATABASE_ROW ? DATABASE_OK : code;
}

static int drop_oldest(struct writer *writer, const char *caller, int64_t count)
{
	struct statement *drop = writer->statements[WRITE_QUOTE_DROP];

	bind_caller(drop, 1, caller);
	statement_bind_integer(drop, 2, count);
	return statement_run(drop);
}

/* Whoever asks and asks pushes out what he has asked himself, the oldest first: another quote of it costs nothing. */
static int drop_oldest_quotes(struct writer *writer, const char *caller)
{
	int64_t count = 0, bytes = 0;
	int code = count_open(writer, caller, &count, &bytes);

	while (code == DATABASE_OK && (count > LIMIT_QUOTES || bytes > LIMIT_QUOTES_BYTES)) {
		code = drop_oldest(writer, caller, count > LIMIT_QUOTES ? count - LIMIT_QUOTES : 1);
		if (code == DATABASE_OK)
			code = count_open(writer, caller, &count, &bytes);
	}
	return code;
}

/* To count them takes as long as there are many, on the thread that all jobs wait for: so not after every small one. Which one is chance, the id's: nobody's
 * quotes are passed over for ever. */
static bool is_counted(const struct quote *quote)
{
	return quote->id.bytes[sizeof quote->id.bytes - 1] % COUNTED_OF == 0 || strlen(quote->request) > SMALL_BYTES;
}

static int add_quote(struct writer *writer, const struct quote *quote)
{
	struct statement *statement = writer->statements[WRITE_QUOTE];
	int code;

	bind_id(statement, 1, &quote->id);
	bind_caller(statement, 3, quote->caller);
	writer_bind_text(statement, 4, quote->kind);
	writer_bind_text(statement, 5, quote->provider);
	statement_bind_integer(statement, 6, quote->created_ms);
	statement_bind_integer(statement, 7, quote->expires_ms);
	statement_bind_integer(statement, 8, quote->expected);
	statement_bind_integer(statement, 9, quote->most);
	writer_bind_text(statement, 10, quote->sha256);
	writer_bind_clean(writer, statement, 11, true, quote->request);
	code = statement_run(statement);
	return code == DATABASE_OK && is_counted(quote) ? drop_oldest_quotes(writer, quote->caller) : code;
}

/* ---- changes ---- */

/* Runs one, and says whether it changed a row. */
static int run_change(struct statement *statement, bool *changed)
{
	int64_t rows = 0;
	int code = statement_change(statement, &rows);

	*changed = rows > 0;
	return code;
}

/* Once only is it news; a higher amount is noted all the same. */
static int ask_quote(struct writer *writer, const struct quote_change *change, bool *changed)
{
	struct statement *first = writer->statements[WRITE_QUOTE_ASK], *higher = writer->statements[WRITE_QUOTE_ASK_MORE];
	int code;

	bind_id(first, 1, &change->quote->id);
	statement_bind_integer(first, 3, change->at_ms);
	statement_bind_integer(first, 4, change->amount);
	statement_bind_integer(first, 5, LIMIT_APPROVALS_OF_CALLER);
	code = run_change(first, changed);
	if (code != DATABASE_OK || *changed)
		return code;
	bind_id(higher, 1, &change->quote->id);
	statement_bind_integer(higher, 3, change->amount);
	return statement_run(higher);
}

static int approve_quote(struct writer *writer, const struct quote_change *change, bool *changed)
{
	struct statement *statement = writer->statements[WRITE_QUOTE_APPROVE];

	bind_id(statement, 1, &change->quote->id);
	statement_bind_integer(statement, 3, change->at_ms);
	statement_bind_integer(statement, 4, change->amount);
	writer_bind_text(statement, 5, change->by);
	statement_bind_integer(statement, 6, change->expires_ms);
	return run_change(statement, changed);
}

static int refuse_quote(struct writer *writer, const struct quote_change *change, bool *changed)
{
	struct statement *statement = writer->statements[WRITE_QUOTE_REFUSE];

	bind_id(statement, 1, &change->quote->id);
	statement_bind_integer(statement, 3, change->at_ms);
	writer_bind_text(statement, 4, change->by);
	return run_change(statement, changed);
}

static int put_question(struct writer *writer, const struct quote_change *change, bool *changed)
{
	struct statement *statement = writer->statements[WRITE_QUOTE_QUESTION];

	bind_id(statement, 1, &change->quote->id);
	statement_bind_integer(statement, 3, change->question);
	return run_change(statement, changed);
}

/* Whatever the answer, the question is used up. */
static int answer_question(struct writer *writer, const struct quote_change *change, bool *changed)
{
	struct statement *statement = writer->statements[change->op == QUOTE_YES ? WRITE_QUOTE_YES : WRITE_QUOTE_NO];

	bind_id(statement, 1, &change->quote->id);
	statement_bind_integer(statement, 3, change->question);
	if (change->op == QUOTE_YES) {
		statement_bind_integer(statement, 4, change->at_ms);
		statement_bind_integer(statement, 5, change->amount);
		writer_bind_text(statement, 6, change->by);
	}
	return run_change(statement, changed);
}

static int change_quote(struct writer *writer, const struct quote_change *change, bool *changed)
{
	switch (change->op) {
	case QUOTE_ADD: *changed = true; return add_quote(writer, change->quote);
	case QUOTE_ASK: return ask_quote(writer, change, changed);
	case QUOTE_APPROVE: return approve_quote(writer, change, changed);
	case QUOTE_REFUSE: return refuse_quote(writer, change, changed);
	case QUOTE_QUESTION: return put_question(writer, change, changed);
	case QUOTE_YES:
	case QUOTE_NO: return answer_question(writer, change, changed);
	}
	return DATABASE_FAILED;
}

bool writer_change_quote(struct writer *writer, struct store_write *write)
{
	bool changed = false;

	if (change_quote(writer, write->quote_change, &changed) != DATABASE_OK)
		return writer_fail(writer, "store the quote");
	write->outcome = changed ? STORE_WRITTEN : STORE_UNCHANGED;
	return true;
}

/* ---- its job ---- */

/* The newest live job of the same request and caller that has cost something or may; 0: there is none. */
static int find_same(struct writer *writer, const struct task *task, int64_t since_ms, int64_t *sequence)
{
	struct statement *statement = writer->statements[WRITE_FIND_SAME];
	int code;

	*sequence = 0;
	writer_bind_text(statement, 1, task->upstream_sha256);
	statement_bind_integer(statement, 2, id_sequence_at(since_ms));
	writer_bind_text(statement, 3, task->caller);
	code = statement_find(statement, sequence);
	return code == DATABASE_DONE ? DATABASE_OK : code;
}

/* May a live job of this reservation be paid for by it? */
static int check_money(struct writer *writer, const struct task *task, const struct quote_tie *tie, int64_t approved, bool *fits)
{
	int64_t reserved = task->money->reserved, same = 0;
	int code = find_same(writer, task, tie->since_ms, &same);

	*fits = reserved == tie->reserves && (reserved <= tie->approve_above || reserved <= approved) &&
		(same == 0 || same == tie->again_of);
	return code;
}

int writer_check_quote(struct writer *writer, const struct store_write *write, bool *fits)
{
	struct statement *statement = writer->statements[WRITE_FIND_QUOTE];
	const struct quote_tie *tie = &write->ties.quote;
	int64_t approved = -1;
	int code;

	*fits = true;
	if (!tie->tied)
		return DATABASE_OK;
	bind_id(statement, 1, &tie->quote);
	bind_caller(statement, 3, write->task.caller);
	statement_bind_integer(statement, 4, clock_unix_ms());
	code = statement_find(statement, &approved);
	*fits = code == DATABASE_OK;
	if (code == DATABASE_OK && write->task.live != NULL)
		return check_money(writer, &write->task, tie, approved, fits);
	return code == DATABASE_DONE ? DATABASE_OK : code;
}

int writer_tie_quote(struct writer *writer, const struct store_write *write)
{
	struct statement *statement = writer->statements[WRITE_QUOTE_JOB];

	if (!write->ties.quote.tied)
		return DATABASE_OK;
	statement_bind_integer(statement, 1, id_sequence(&write->ties.quote.quote));
	statement_bind_integer(statement, 2, id_sequence(&write->task.id));
	return statement_run(statement);
}

int writer_close_quotes(struct writer *writer)
{
	return statement_run(writer->statements[WRITE_QUOTES_CLOSE]);
}
