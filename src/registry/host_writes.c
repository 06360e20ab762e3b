/* host_writes.c - what hosts do for each other's sake. Store thread only, but for host_change_clear().
 *
 * What one run does twice, because it died in between, is done by another: a job that was adopted belongs to it at once, and what it is asked for is taken again
 * by its next owner. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "database/database.h"
#include "registry/host_change.h"
#include "registry/writes.h"

#define ASKS_AT_ONCE 100

void host_change_clear(struct host_change *change)
{
	for (size_t i = 0; i < change->ask_count; i++) {
		free(change->asks[i].body);
		free(change->asks[i].answer);
	}
	free(change->asks);
	free(change->jobs);
	change->asks = NULL;
	change->jobs = NULL;
	change->ask_count = change->job_count = 0;
}

/* ---- jobs ---- */

static bool list_jobs(struct host_change *change, struct statement *list, int64_t parameter)
{
	size_t room = 0;
	int result;

	statement_bind_integer(list, 1, parameter);
	while ((result = statement_step(list)) == DATABASE_ROW) {
		if (change->job_count == room) {
			room = room == 0 ? 64 : room * 2;
			change->jobs = memory_resize(change->jobs, room * sizeof *change->jobs);
		}
		change->jobs[change->job_count++] = statement_integer(list, 0);
	}
	statement_reset(list);
	return result == DATABASE_DONE;
}

static bool adopt(struct writer *writer, struct store_write *write)
{
	struct statement *adopts = writer->statements[WRITE_ADOPT];
	struct host_change *change = write->host_change;

	host_change_clear(change);
	change->run = writer->run;
	if (!list_jobs(change, writer->statements[WRITE_ORPHANS], change->limit))
		return writer_fail(writer, "look for jobs that are nobody's");
	for (size_t i = 0; i < change->job_count; i++) {
		statement_bind_integer(adopts, 1, writer->run);
		statement_bind_integer(adopts, 2, change->jobs[i]);
		if (statement_run(adopts) != DATABASE_OK)
			return writer_fail(writer, "adopt a job");
	}
	write->outcome = STORE_WRITTEN;
	return true;
}

static bool list_own(struct writer *writer, struct store_write *write)
{
	struct host_change *change = write->host_change;

	host_change_clear(change);
	change->run = writer->run;
	if (!list_jobs(change, writer->statements[WRITE_OWNED], writer->run))
		return writer_fail(writer, "list this host's jobs");
	write->outcome = STORE_WRITTEN;
	return true;
}

static bool leave(struct writer *writer, struct store_write *write)
{
	struct statement *gives = writer->statements[WRITE_GIVE_AWAY], *ends = writer->statements[WRITE_RUN_ENDS];

	statement_bind_integer(gives, 1, writer->run);
	statement_bind_integer(ends, 1, clock_unix_ms());
	statement_bind_integer(ends, 2, writer->run);
	if (statement_run(gives) != DATABASE_OK || statement_run(ends) != DATABASE_OK)
		return writer_fail(writer, "give this host's jobs away");
	write->outcome = STORE_WRITTEN;
	return true;
}

/* ---- asks ---- */

/* Which job, and whose. DATABASE_DONE: it is none that can be asked for this. */
static int find_asked(struct writer *writer, struct host_change *change)
{
	struct statement *statement = writer->statements[WRITE_FIND_ASKED];
	int result;

	statement_bind_integer(statement, 1, id_sequence(&change->ask.job));
	result = statement_step(statement);
	if (result == DATABASE_ROW) {
		change->own = statement_integer(statement, 1) == writer->run;
		if (statement_integer(statement, 0) == LIVE_ENDED && change->ask.wish != ASK_LATE)
			result = DATABASE_DONE;
	}
	statement_reset(statement);
	return result;
}

/* Was it not there before? */
static int note_digest(struct writer *writer, const struct host_change *change, int64_t *noted)
{
	struct statement *seen = writer->statements[WRITE_WEBHOOK_SEEN];

	*noted = 1;
	if (change->digest == NULL)
		return DATABASE_OK;
	statement_bind_integer(seen, 1, id_sequence(&change->ask.job));
	statement_bind_bytes(seen, 2, change->digest, 32);
	statement_bind_integer(seen, 3, clock_unix_ms());
	return statement_change(seen, noted);
}

static int insert_ask(struct writer *writer, const struct job_ask *ask, int64_t *inserted)
{
	struct statement *asks = writer->statements[WRITE_ASK];

	statement_bind_integer(asks, 1, ask->number);
	statement_bind_integer(asks, 2, id_sequence(&ask->job));
	statement_bind_integer(asks, 3, ask->wish);
	statement_bind_integer(asks, 4, ask->asker);
	statement_bind_integer(asks, 5, clock_unix_ms());
	statement_bind_text(asks, 6, ask->body);
	statement_bind_integer(asks, 7, ASK_NUDGE);
	return statement_change(asks, inserted);
}

/* What the owner may as well do at once. */
static bool is_webhook(enum ask_wish wish)
{
	return wish == ASK_WEBHOOK || wish == ASK_NUDGE;
}

static bool put_ask(struct writer *writer, struct store_write *write)
{
	struct host_change *change = write->host_change;
	int64_t done = 0;
	int result = find_asked(writer, change);

	if (result == DATABASE_DONE) {
		error_set(&write->error, ERROR_NOT_FOUND, NULL, "there is no such open job");
		return true;
	}
	if (result != DATABASE_ROW || note_digest(writer, change, &done) != DATABASE_OK)
		return writer_fail(writer, "ask the owner of a job");
	if (done != 0 && !(change->own && is_webhook(change->ask.wish)) && insert_ask(writer, &change->ask, &done) != DATABASE_OK)
		return writer_fail(writer, "ask the owner of a job");
	write->outcome = done != 0 ? STORE_WRITTEN : STORE_UNCHANGED;
	return true;
}

static struct job_ask *add_ask(struct host_change *change)
{
	if (change->asks == NULL)
		change->asks = memory_new(ASKS_AT_ONCE * sizeof *change->asks);
	return &change->asks[change->ask_count++];
}

static bool take_each(struct writer *writer, const struct host_change *change)
{
	struct statement *takes = writer->statements[WRITE_TAKE_ASK];

	for (size_t i = 0; i < change->ask_count; i++) {
		statement_bind_integer(takes, 1, writer->run);
		statement_bind_integer(takes, 2, change->asks[i].number);
		if (statement_run(takes) != DATABASE_OK)
			return false;
	}
	return true;
}

static bool take_asks(struct writer *writer, struct store_write *write)
{
	struct statement *list = writer->statements[WRITE_ASKED];
	struct host_change *change = write->host_change;
	int result = DATABASE_DONE;

	host_change_clear(change);
	statement_bind_integer(list, 1, writer->run);
	while (change->ask_count < ASKS_AT_ONCE && (result = statement_step(list)) == DATABASE_ROW) {
		struct job_ask *ask = add_ask(change);

		ask->number = statement_integer(list, 0);
		if (!statement_copy(list, 1, ask->job.bytes, sizeof ask->job.bytes))
			change->ask_count--;
		ask->wish = (enum ask_wish)statement_integer(list, 2);
		ask->asker = statement_integer(list, 3);
		ask->body = memory_copy_text(statement_text(list, 4));
	}
	statement_reset(list);
	if (result == DATABASE_FAILED || !take_each(writer, change))
		return writer_fail(writer, "take what is asked of jobs");
	write->outcome = STORE_WRITTEN;
	return true;
}

static int remove_ask(struct writer *writer, int64_t number)
{
	struct statement *removes = writer->statements[WRITE_REMOVE_ASK];

	statement_bind_integer(removes, 1, number);
	return statement_run(removes);
}

static bool answer_ask(struct writer *writer, struct store_write *write)
{
	struct statement *answers = writer->statements[WRITE_ANSWER];
	const struct job_ask *ask = &write->host_change->ask;
	int result;

	if (ask->asker == 0) {
		result = remove_ask(writer, ask->number);
	} else {
		statement_bind_integer(answers, 1, ask->code);
		statement_bind_text(answers, 2, ask->answer);
		statement_bind_integer(answers, 3, ask->number);
		result = statement_run(answers);
	}
	if (result != DATABASE_OK)
		return writer_fail(writer, "answer what was asked of a job");
	write->outcome = STORE_WRITTEN;
	return true;
}

static bool fetch_answers(struct writer *writer, struct store_write *write)
{
	struct statement *list = writer->statements[WRITE_ANSWERED];
	struct host_change *change = write->host_change;
	int result = DATABASE_DONE;

	host_change_clear(change);
	statement_bind_integer(list, 1, writer->run);
	while (change->ask_count < ASKS_AT_ONCE && (result = statement_step(list)) == DATABASE_ROW) {
		struct job_ask *ask = add_ask(change);

		ask->number = statement_integer(list, 0);
		ask->code = (enum error_code)statement_integer(list, 1);
		ask->answer = memory_copy_text(statement_text(list, 2));
	}
	statement_reset(list);
	for (size_t i = 0; i < change->ask_count && result != DATABASE_FAILED; i++)
		result = remove_ask(writer, change->asks[i].number);
	if (result == DATABASE_FAILED)
		return writer_fail(writer, "fetch answers");
	write->outcome = STORE_WRITTEN;
	return true;
}

static bool withdraw_ask(struct writer *writer, struct store_write *write)
{
	struct statement *withdraws = writer->statements[WRITE_WITHDRAW];
	int64_t changed = 0;

	statement_bind_integer(withdraws, 1, write->host_change->ask.number);
	if (statement_change(withdraws, &changed) != DATABASE_OK)
		return writer_fail(writer, "withdraw what was asked of a job");
	write->outcome = changed != 0 ? STORE_WRITTEN : STORE_UNCHANGED;
	return true;
}

bool writer_change_host(struct writer *writer, struct store_write *write)
{
	switch (write->host_change->kind) {
	case HOST_ADOPTS: return adopt(writer, write);
	case HOST_OWNS: return list_own(writer, write);
	case HOST_LEAVES: return leave(writer, write);
	case HOST_ASKS: return put_ask(writer, write);
	case HOST_TAKES: return take_asks(writer, write);
	case HOST_ANSWERS: return answer_ask(writer, write);
	case HOST_FETCHES: return fetch_answers(writer, write);
	case HOST_WITHDRAWS: return withdraw_ask(writer, write);
	}
	return true;
}
