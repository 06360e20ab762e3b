/* writes.c - one group, one transaction.
 *
 * Runs on the store thread. Owns the only connection that writes, and its statements, prepared once. A row that is refused for
 * itself (its number exists, say) fails alone; when the database fails (disk full, locked), the whole group fails, nothing of it
 * is stored, and the next group starts afresh. Nobody is told of an outcome before the commit. */
#include "registry/writes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/test_setting.h"
#include "database/database.h"
#include "registry/lane_writes.h"
#include "registry/paid_mark.h"
#include "registry/schema.h"
#include "registry/unfinished.h"

/* ---- transactions ---- */

int writer_run(struct writer *writer, enum write_statement which)
{
	return statement_run(writer->statements[which]);
}

bool writer_fail(struct writer *writer, const char *action)
{
	database_error(writer->db, action, &writer->failure);
	database_rollback(writer->db);
	return false;
}

bool writer_is_own(const struct writer *writer, int64_t owner)
{
	return owner == writer->run || test_setting(TEST_NO_FENCE, 0) != 0;
}

void writer_set_run(struct writer *writer, int64_t run)
{
	writer->run = run;
	database_fence(writer->db, run);
}

/* A connection that is gone is made anew. */
bool writer_begin(struct writer *writer, bool synced)
{
	writer_forget_budgets(writer);
	writer->trace = (struct writer_trace){ .newest = writer->newest_event };
	if (!database_is_connected(writer->db) && database_connect(writer->db, &writer->failure) != ERROR_NONE)
		return false;
	return database_begin(writer->db, synced) == DATABASE_OK || writer_fail(writer, "write to the registry");
}

/* Events are known by their numbers from here on. What left no trace is waited for, so that the database can say how it ended. */
static enum database_result end_writing(struct writer *writer)
{
	struct statement *newest = writer->statements[WRITE_NEWEST_EVENT];
	const struct writer_trace *trace = &writer->trace;
	int64_t ignored;

	if (writer_flush_budgets(writer) != DATABASE_OK)
		return DATABASE_FAILED;
	if (trace->told && statement_find_later(newest, &writer->newest_event) != DATABASE_OK)
		return DATABASE_FAILED;
	if (!trace->told && trace->sequence == 0 && statement_find(newest, &ignored) == DATABASE_FAILED)
		return DATABASE_FAILED;
	return database_commit(writer->db);
}

bool writer_commit(struct writer *writer)
{
	enum database_result result = end_writing(writer);

	if (result == DATABASE_UNKNOWN)
		result = writer_settle(writer);
	if (result == DATABASE_OK)
		return true;
	writer_fail(writer, "write to the registry");
	if (result == DATABASE_UNKNOWN) /* what may be there is not written again */
		writer->failure.code = ERROR_IO;
	return false;
}

/* ---- binding ---- */

void writer_bind_text(struct statement *statement, int index, const char *text)
{
	statement_bind_text(statement, index, text);
}

void writer_bind_clean(struct writer *writer, struct statement *statement, int index, bool json, const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;
	struct buffer out;
	char *clean;

	buffer_init(&out, 2 * length + 64);
	if (text == NULL || writer->cleaner.clean == NULL ||
		!writer->cleaner.clean(writer->cleaner.context, json, text, length, &out)) {
		writer_bind_text(statement, index, text);
		return;
	}
	clean = buffer_take(&out);
	statement_bind_owned(statement, index, clean);
}

/* A write ends in failure; false when the group is lost with it. */
bool writer_refuse(struct writer *writer, struct store_write *write, const char *action)
{
	database_error(writer->db, action, &write->error);
	write->outcome = STORE_FAILED;
	if (!database_is_lost(writer->db))
		return true;
	return writer_fail(writer, action);
}

/* ---- one write ---- */

static int set_paid(struct writer *writer, int64_t number)
{
	struct statement *statement = writer->statements[WRITE_PAID_MARK];

	statement_bind_integer(statement, 1, number);
	return statement_run(statement);
}

/* An older copy was put back, and what it says of its jobs was corrected: it counts on from where the file is. */
static bool accept_older(struct writer *writer, struct store_write *write)
{
	if (writer_close_quotes(writer) != DATABASE_OK)
		return writer_fail(writer, "close quotes");
	if (writer->paid_beside <= writer->paid || set_paid(writer, writer->paid_beside) == DATABASE_OK) {
		write->outcome = STORE_WRITTEN;
		return true;
	}
	return writer_fail(writer, "count paid requests");
}

/* Its events are the host's own, of no job. */
static bool is_of_host(const struct store_write *write)
{
	return write->kind == STORE_EMIT || write->kind == STORE_QUOTE || write->kind == STORE_SETTING ||
	       write->kind == STORE_HOST;
}

int writer_insert_event(struct writer *writer, int64_t sequence, int64_t at_ms, const struct store_event *event, bool clean)
{
	struct statement *statement = writer->statements[WRITE_EVENT];
	int code;

	statement_bind_integer(statement, 1, at_ms);
	statement_bind_integer(statement, 2, sequence);
	writer_bind_text(statement, 3, event->verb);
	if (clean)
		writer_bind_text(statement, 4, event->data);
	else
		writer_bind_clean(writer, statement, 4, true, event->data);
	statement_bind_integer(statement, 5, writer->newest_event + 1);
	code = statement_run(statement);
	if (code != DATABASE_OK)
		return code;
	writer->newest_event++;
	if (at_ms > writer->event_ms)
		writer->event_ms = at_ms;
	writer->trace.told = true;
	writer->trace.at_ms = at_ms;
	writer->trace.sequence = sequence;
	return DATABASE_OK;
}

/* Told with the change that they are about. Numbers are given out here, in the order of commits, so a reader that has seen one has seen all
 * before it. */
static int insert_events(struct writer *writer, const struct store_write *write)
{
	int64_t sequence = is_of_host(write) ? 0 : id_sequence(&write->task.id);
	int64_t at_ms = write->event_count > 0 ? clock_unix_ms() : 0;
	int code = DATABASE_OK;

	for (int i = 0; i < write->event_count && code == DATABASE_OK; i++)
		code = writer_insert_event(writer, sequence, at_ms, &write->events[i], false);
	return code;
}

/* The events go in with what they tell, else the group is lost: neither exists without the other. */
static bool write_one(struct writer *writer, struct store_write *write)
{
	bool kept = true;

	switch (write->kind) {
	case STORE_INSERT: kept = writer_insert(writer, write); break;
	case STORE_UPDATE:
	case STORE_PAY: kept = writer_change(writer, write); break;
	case STORE_REMOVE: kept = writer_remove(writer, write); break;
	case STORE_ACCEPT: kept = accept_older(writer, write); break;
	case STORE_LOOK: return writer_look_lane(writer, write);
	case STORE_CLAIM: return writer_claim(writer, write);
	case STORE_CLAIMED: return writer_list_claimed(writer, write);
	case STORE_QUOTE: kept = writer_change_quote(writer, write); break;
	case STORE_BUDGETS: kept = writer_sum_budgets(writer, write); break;
	case STORE_SETTING: kept = writer_set(writer, write); break;
	case STORE_WISH: return writer_note_wish(writer, write);
	case STORE_HOST: kept = writer_change_host(writer, write); break;
	case STORE_EMIT:
	case STORE_WEBHOOKS: write->outcome = STORE_WRITTEN; break;
	}
	if (!kept || write->outcome != STORE_WRITTEN)
		return kept;
	if (write->webhook_change_count > 0 && writer_change_webhooks(writer, write) != DATABASE_OK)
		return writer_fail(writer, "store the webhook");
	return insert_events(writer, write) == DATABASE_OK || writer_fail(writer, "store the event");
}

/* ---- groups ---- */

static bool changes_live(const struct store_write *write)
{
	return write->kind == STORE_UPDATE || write->kind == STORE_PAY || write->kind == STORE_CLAIM;
}

/* Nothing of the group is stored: all that was said about it is taken back. */
static void fail_group(struct writer *writer, struct store_write *writes)
{
	bool fenced = database_is_fenced(writer->db);

	for (; writes != NULL; writes = writes->next) {
		free(writes->replay.text);
		writes->replay = (struct stored_answer){ 0 };
		free(writes->claimed);
		writes->claimed = NULL;
		writes->outcome = fenced && changes_live(writes) ? STORE_NOT_OURS : STORE_FAILED;
		if (database_is_connected(writer->db))
			writes->error = writer->failure;
		else /* where the server is, and what it said, is for the log */
			error_set(&writes->error, ERROR_BUSY, "", "the registry cannot be reached; try again later");
	}
}

/* By the only thread that does. */
void writer_count(struct writer *writer, int source, enum task_status status, uint64_t count)
{
	_Atomic uint64_t *became = &writer->sources->entries[source - 1].became[status];

	atomic_store_explicit(became, atomic_load_explicit(became, memory_order_relaxed) + count, memory_order_relaxed);
}

/* What is committed is counted. */
static void count_group(struct writer *writer, const struct store_write *writes)
{
	for (; writes != NULL; writes = writes->next)
		if (writes->outcome == STORE_WRITTEN && writes->counted != 0)
			writer_count(writer, writes->counted, writes->task.status, 1);
}

static bool has_kind(const struct store_write *writes, enum store_kind kind)
{
	while (writes != NULL && writes->kind != kind)
		writes = writes->next;
	return writes != NULL;
}

/* The mark in the file follows the database's: behind it after a crash, never ahead. Where it cannot, nothing is paid: an older copy that is put
 * back would not be noticed. */
static void keep_mark(struct writer *writer, struct store_write *writes)
{
	struct error error;

	if (writer->path == NULL || writer->paid_beside >= writer->paid)
		return;
	if (paid_mark_write(writer->path, writer->paid, &error) == ERROR_NONE) {
		writer->paid_beside = writer->paid;
		return;
	}
	for (; writes != NULL; writes = writes->next)
		if (writes->kind == STORE_PAY && writes->outcome == STORE_WRITTEN) {
			writes->outcome = STORE_FAILED;
			writes->error = error;
		}
}

static bool has_paid(const struct store_write *writes)
{
	while (writes != NULL && (writes->kind != STORE_PAY || writes->outcome != STORE_WRITTEN))
		writes = writes->next;
	return writes != NULL;
}

static bool run_group(struct writer *writer, struct store_write *writes)
{
	bool accepted = has_kind(writes, STORE_ACCEPT), pays;
	int64_t paid = writer->paid;

	for (struct store_write *write = writes; write != NULL; write = write->next)
		if (!write_one(writer, write))
			return false;
	pays = has_paid(writes);
	if (accepted && writer->paid_beside > paid)
		paid = writer->paid_beside;
	if (pays && set_paid(writer, ++paid) != DATABASE_OK)
		return writer_fail(writer, "count paid requests");
	if (!writer_commit(writer))
		return false;
	if (paid != writer->paid)
		writer->paid = paid;
	if (pays)
		keep_mark(writer, writes);
	return true;
}

bool writer_add_source(struct writer *writer, const char *kind, const char *provider)
{
	struct statement *statement = writer->statements[WRITE_SOURCE];

	if (!writer_begin(writer, false))
		return false;
	writer_bind_text(statement, 1, kind);
	writer_bind_text(statement, 2, provider);
	if (statement_run(statement) != DATABASE_OK)
		return writer_fail(writer, "store the provider");
	return writer_commit(writer) && sources_load(writer->sources, writer->db, &writer->failure) == ERROR_NONE;
}

static bool add_sources(struct writer *writer, const struct store_write *writes)
{
	const struct task *task;

	for (; writes != NULL; writes = writes->next) {
		task = &writes->task;
		if (writes->kind != STORE_INSERT || task->kind == NULL || task->provider == NULL ||
			sources_number(writer->sources, task->kind, task->provider) != 0)
			continue;
		if (sources_count(writer->sources) < LIMIT_STORE_SOURCES &&
			!writer_add_source(writer, task->kind, task->provider))
			return false;
	}
	return true;
}

/* All of it, or nothing. */
static bool write_group(struct writer *writer, struct store_write *writes)
{
	size_t unindexed = writer->unindexed;
	int64_t newest_event = writer->newest_event;
	bool durable = false;

	for (struct store_write *write = writes; write != NULL; write = write->next) {
		durable = durable || write->durable;
		write->outcome = STORE_FAILED;
		write->replay = (struct stored_answer){ 0 };
		write->claimed = NULL;
		write->counted = 0;
	}
	if (writer_check_server(writer) && add_sources(writer, writes) && writer_begin(writer, durable) &&
		run_group(writer, writes)) {
		count_group(writer, writes);
		return true;
	}
	writer->unindexed = unindexed;
	writer->newest_event = newest_event;
	writer->observed = -1;
	fail_group(writer, writes);
	return false;
}

/* So that what is wrong with one row is that one's fault alone. False: it was not a row's. */
static bool write_singly(struct writer *writer, struct store_write *writes)
{
	struct store_write *next;
	bool works = true;

	writer->hopes = false;

	for (; writes != NULL && works; writes = next) {
		next = writes->next;
		writes->next = NULL;
		works = write_group(writer, writes) || writer->failure.code == ERROR_CONFLICT;
		writes->next = next;
	}
	if (!works)
		fail_group(writer, writes);
	return works;
}

bool writer_group(struct writer *writer, struct store_write *writes)
{
	writer->hopes = writer->shared;
	if (write_group(writer, writes))
		return true;
	/* others were in the way, or the connection was lost: nothing of it is stored, and it may go better now */
	if (writer->shared && writer->failure.code == ERROR_BUSY && write_group(writer, writes))
		return true;
	return writer->failure.code == ERROR_CONFLICT && write_singly(writer, writes);
}

bool writer_probe(struct writer *writer)
{
	if (!writer_begin(writer, true))
		return false;
	if (writer_run(writer, WRITE_PROBE) != DATABASE_OK)
		return writer_fail(writer, "write to the registry");
	return writer_commit(writer);
}

/* ---- open and close ---- */

/* Where the numbers of this run begin, and where the index ends. */
static enum error_code read_position(struct writer *writer, struct error *error)
{
	int64_t newest = 0, unindexed = 0;

	if (database_query(writer->db,
		    (struct sql)SQL("SELECT max(newest) FROM (SELECT coalesce(max(sequence), 0) AS newest FROM task"
				    " UNION ALL SELECT coalesce(max(sequence), 0) FROM quote) AS numbered"),
		    &newest) != DATABASE_OK ||
		database_query(writer->db, (struct sql)SQL("SELECT sequence FROM task_indexed"), &writer->indexed) !=
			DATABASE_OK ||
		database_query(writer->db, (struct sql)SQL("SELECT coalesce(max(number), 0) FROM event"),
			&writer->newest_event) != DATABASE_OK ||
		database_query(writer->db,
			(struct sql)SQL("SELECT count(*) FROM task WHERE sequence > (SELECT sequence FROM task_indexed)"),
			&unindexed) != DATABASE_OK ||
		database_query(writer->db, (struct sql)SQL("SELECT number FROM paid_mark"), &writer->paid) != DATABASE_OK)
		return database_error(writer->db, "read the registry", error);
	writer->unindexed = (size_t)unindexed;
	id_continue_after(newest);
	return ERROR_NONE;
}

/* A file that says nothing is no reason to trust the database. */
static enum error_code read_mark(struct writer *writer, struct error *error)
{
	enum error_code code = writer->path != NULL ? paid_mark_read(writer->path, &writer->paid_beside, error) : ERROR_NONE;

	if (code == ERROR_INVALID) {
		log_message(LOG_WARN, "registry.paid", "%s: %s", error->path, error->message);
		writer->paid_beside = writer->paid + 1;
		code = ERROR_NONE;
	}
	return code;
}

enum error_code writer_open(
	struct writer *writer, const struct database_place *place, struct sources *sources, struct error *error)
{
	enum error_code code = schema_open(place, &writer->db, error);

	writer->path = database_path(place);
	writer->shared = database_is_shared(place);
	writer->sources = sources;
	writer->observed = -1;
	if (code == ERROR_NONE)
		code = unfinished_refuse(writer->db, place, error);
	if (code != ERROR_NONE)
		return code;
	code = database_prepare(writer->db, write_statements, writer->statements, WRITE_STATEMENTS, error);
	if (code == ERROR_NONE)
		code = sources_load(sources, writer->db, error);
	if (code == ERROR_NONE)
		code = read_position(writer, error);
	if (code == ERROR_NONE)
		code = read_mark(writer, error);
	if (code == ERROR_NONE)
		code = writer_recount_places(writer, error);
	return code;
}

void writer_close(struct writer *writer)
{
	writer_forget_budgets(writer);
	free(writer->budgets.list);
	database_finalize(writer->statements, WRITE_STATEMENTS);
	database_close(writer->db);
	writer->db = NULL;
}
