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
#include "registry/same_request.h"
#include "registry/schema.h"
#include "registry/unfinished.h"

#define OPEN_QUOTE " WHERE sequence = ?1 AND id = ?2 AND job IS NULL "

#define LIVING_HOSTS "(SELECT id FROM host WHERE dead_ms IS NULL)"
/* Is it the owner of the webhook? 0, where no other host uses the registry, is of all. */
#define WHERE_OWNER(hook, host) " WHERE EXISTS (SELECT 1 FROM hook WHERE number = " hook " AND owner = " host ")"
/* SQLite is told by which index. */
#define BY_INDEX(text, index)                                                                                                    \
	{                                                                                                                        \
		.sqlite = text(index), .postgres = text("")                                                                      \
	}
#define QUOTES_OPEN(index) "SELECT count(*), coalesce(sum(bytes), 0) FROM quote " index " WHERE caller = ? AND job IS NULL"
#define QUOTE_DROP(index)                                                                                                        \
	"DELETE FROM quote WHERE sequence IN (SELECT sequence FROM quote " index                                                 \
	" WHERE caller = ? AND job IS NULL ORDER BY sequence LIMIT ?)"
#define QUOTE_ASK(index)                                                                                                         \
	"UPDATE quote SET asked_ms = ?3, asked = ?4" OPEN_QUOTE                                                                  \
	"AND asked_ms = 0 AND (SELECT count(*) FROM quote AS other " index " WHERE other.job IS NULL AND other.asked_ms <> 0"    \
	" AND other.caller = quote.caller AND other.expires_ms > ?3 AND other.refused_ms = 0"                                    \
	" AND other.approved < other.asked) < ?5"

static const struct sql write_texts[WRITE_STATEMENTS] = {
	/* PostgreSQL tells of a failure when others have followed: the group is written again then, one by one */
	[WRITE_MARK] = { .sqlite = "SAVEPOINT one" },
	[WRITE_UNMARK] = { .sqlite = "RELEASE one" },
	[WRITE_BACK_TO_MARK] = { .sqlite = "ROLLBACK TO one" },
	[WRITE_TASK] = SQL("INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"),
	[WRITE_SOURCE] =
		SQL("INSERT INTO source SELECT coalesce(max(number), 0) + 1, ?, ? FROM source WHERE true ON CONFLICT DO NOTHING"),
	[WRITE_INDEX] = { .sqlite = "INSERT INTO task_index VALUES (?, ?, ?)" },
	[WRITE_UNINDEX] = { .sqlite = "DELETE FROM task_index WHERE status = ? AND source = ? AND sequence = ?" },
	[WRITE_KEY] = SQL("INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)"),
	[WRITE_FIND_KEY] = SQL("SELECT status, body_sha256, answer FROM idempotency WHERE key = ?"),
	[WRITE_FIND_TASK] =
		SQL("SELECT status, task.source, id, day, reserved, ledger.caller, door, phase, slotted, owner FROM task"
		    " LEFT JOIN ledger ON ledger.sequence = task.sequence AND spent = -1"
		    " LEFT JOIN live ON live.sequence = task.sequence WHERE task.sequence = ?"),
	[WRITE_LIVE] =
		SQL("INSERT INTO live (sequence, phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, caller,"
		    " reason, state, request, trace, paid, paid_most, request_sha256, upstream_sha256, owner)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
	[WRITE_MONEY] = SQL("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, -1, NULL, ?, ?)"),
	[WRITE_UPSTREAM] = SQL("INSERT INTO upstream VALUES (?, ?)"),
	[WRITE_WISH] = SQL("INSERT INTO wish VALUES (?, ?, 0, 0, ?, ?)"),
	[WRITE_WISH_NEWS] =
		SQL("UPDATE wish SET answered = CASE WHEN ? <> 0 THEN 1 ELSE answered END, takes = takes + ?, touched_ms = ?,"
		    " overtook = CASE WHEN ? <> 0 THEN 0 ELSE overtook END WHERE sequence = ?"),
	[WRITE_WISH_FORGET] = SQL("DELETE FROM wish WHERE sequence = ?"),
	/* where other hosts write too, the number is only known under the lock */
	[WRITE_EVENT] = { .sqlite = "INSERT INTO event (at_ms, sequence, verb, data, number) VALUES (?, ?, ?, ?, ?)",
		.postgres =
			"INSERT INTO event (number, at_ms, sequence, verb, data) SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?"
			" FROM event" },
	[WRITE_SERVER] = { .postgres = "SELECT server, (SELECT value FROM setting WHERE name = 'registry.server') FROM"
				       " (SELECT system_identifier || '/' || "
				       "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
				       " AS server FROM pg_control_system()) AS now" },
	[WRITE_KEEP_SOURCE] = { .postgres = "INSERT INTO source VALUES (?, ?, ?) ON CONFLICT DO NOTHING" },
	[WRITE_SOURCES] = { .postgres = "SELECT number, kind, provider FROM source ORDER BY number" },
	[WRITE_FAILOVER_EVENT] = { .postgres = "INSERT INTO event (number, at_ms, sequence, verb) SELECT coalesce(max(number), 0)"
					       " + CAST(? AS bigint), ?, 0, 'host.registry.failover' FROM event" },
	[WRITE_NEWEST_EVENT] = { .postgres = "SELECT coalesce(max(number), 0) FROM event" }, /* by whichever host */
	[WRITE_FIND_EVENT] = { .postgres = "SELECT 1 FROM event WHERE number > ? AND at_ms = ? AND sequence = ? LIMIT 1" },
	[WRITE_FIND_CHANGE] = { .postgres = "SELECT 1 FROM task WHERE sequence = ? AND updated_ms = ?" },
	[WRITE_CHANGE_TASK] = SQL("UPDATE task SET status = ?, progress = ?, updated_ms = ?, vendor_id = coalesce(?, vendor_id),"
				  " result = coalesce(?, result) WHERE sequence = ?"),
	[WRITE_CHANGE_LIVE] = SQL("UPDATE live SET phase = ?1, attempts = ?2, submitted_ms = ?3, deadline_ms = ?4, stop_ms = ?5,"
				  " cancel_asked = ?6, reason = ?7, state = coalesce(?8, state),"
				  " request = CASE WHEN CAST(?1 AS bigint) IN (2, 4) THEN NULL ELSE request END, paid = ?10, "
				  "slotted = ?11 WHERE sequence = ?9"),
	[WRITE_REMOVE] = SQL("UPDATE task SET removed_ms = ? WHERE sequence = ? AND id = ? AND status IN (2, 3, 4)"),
	[WRITE_REMOVE_ARTIFACTS] = SQL("DELETE FROM artifact WHERE sequence = ?"),
	[WRITE_SETTLE] = SQL("UPDATE ledger SET spent = ?, basis = ? WHERE sequence = ? AND spent = -1"),
	[WRITE_FIND_BUDGETS] = SQL("SELECT span, account, reserved, spent FROM budget"
				   " WHERE span = 'day' AND begins = ?1 AND account IN (?3, ?4, ?5, ?6)"
				   " UNION ALL SELECT span, account, reserved, spent FROM budget"
				   " WHERE span = 'month' AND begins = ?2 AND account IN (?3, ?4, ?5, ?6)"),
	[WRITE_BUDGET] = SQL("INSERT INTO budget VALUES (?, ?, ?, ?, ?) ON CONFLICT (span, begins, account) DO UPDATE"
			     " SET reserved = budget.reserved + excluded.reserved, spent = budget.spent + excluded.spent"),
	[WRITE_BUDGETS_CLEAR] = SQL("DELETE FROM budget"),
	[WRITE_BUDGETS_FILL] = SQL("INSERT INTO budget SELECT span, begins, account, reserved, spent FROM ledger_sum"),
	[WRITE_ARTIFACT] = SQL("INSERT INTO artifact VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
	[WRITE_OBSERVED] = SQL("INSERT INTO observed VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
	[WRITE_OBSERVED_TRIM] = SQL("DELETE FROM observed WHERE sequence IN (SELECT sequence FROM observed WHERE provider = ?"
				    " AND model = ? AND drivers = ? ORDER BY sequence DESC LIMIT 9223372036854775807 OFFSET ?)"),
	[WRITE_OBSERVED_OLDEST] =
		SQL("DELETE FROM observed WHERE sequence IN (SELECT sequence FROM observed ORDER BY sequence LIMIT ?)"),
	[WRITE_OBSERVED_COUNT] = SQL("SELECT count(*) FROM observed"),
	[WRITE_LANE_LOOK] = { .sqlite = LANE_LOOK(LANE_CLOCK_SQLITE), .postgres = LANE_LOOK(LANE_CLOCK_POSTGRES) },
	[WRITE_LANE_TAKE] = SQL(LANE_TAKE),
	[WRITE_LANE_WANT] = SQL(LANE_WANT),
	[WRITE_LANE_PLACES] = SQL(LANE_PLACES),
	[WRITE_LANE_BLOCK] = { .sqlite = LANE_BLOCK(LANE_CLOCK_SQLITE), .postgres = LANE_BLOCK(LANE_CLOCK_POSTGRES) },
	[WRITE_FIND_VENDOR_ID] =
		SQL("SELECT 1 FROM task JOIN source ON source.number = task.source WHERE vendor_id = ? AND dry_run = 0"
		    " AND source.kind = ? AND source.provider = ? AND sequence <> ? LIMIT 1"),
	/* what is on a server has no file beside it: a server that was put back is told by its timeline */
	[WRITE_CLAIM] = SQL("UPDATE task SET vendor_id = ? WHERE sequence = ?"),
	[WRITE_CLAIMED] =
		SQL("SELECT vendor_id FROM (SELECT sequence FROM live WHERE sequence >= ? ORDER BY sequence LIMIT ?) AS near"
		    " JOIN task USING (sequence) JOIN source ON source.number = task.source"
		    " WHERE provider = ? AND vendor_id IS NOT NULL AND task.sequence <> ?"),
	[WRITE_PAID_MARK] = { .sqlite = "UPDATE paid_mark SET number = ?" },
	[WRITE_WEBHOOK] =
		SQL("INSERT INTO hook (number, url, events, secret, earlier_secret, earlier_until_ms, caller, created_ms, cursor,"
		    " owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
	[WRITE_WEBHOOK_SECRETS] = SQL("UPDATE hook SET secret = ?, earlier_secret = ?, earlier_until_ms = ? WHERE number = ?"),
	[WRITE_WEBHOOK_CURSOR] = SQL("UPDATE hook SET cursor = ? WHERE number = ? AND owner = ?"),
	[WRITE_WEBHOOK_REMOVE] = SQL("DELETE FROM hook WHERE number = ?"),
	/* it may be removed, or another host's, meanwhile */
	[WRITE_DELIVERY] = SQL("INSERT INTO delivery SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9" WHERE_OWNER("?1",
		"?10") " ON CONFLICT (hook, event) DO UPDATE SET attempts = excluded.attempts, first_ms = excluded.first_ms,"
		       " due_ms = excluded.due_ms, parked = excluded.parked, status = excluded.status, problem = "
		       "excluded.problem"),
	[WRITE_DELIVERED] = SQL("DELETE FROM delivery" WHERE_OWNER("?1", "?3") " AND hook = ?1 AND event = ?2"),
	[WRITE_DELIVERIES_REMOVE] = SQL("DELETE FROM delivery WHERE hook = ?"),
	/* where several hosts share the registry */
	[WRITE_WEBHOOK_ROTATE] = { .postgres = "UPDATE hook SET earlier_secret = secret, secret = ?, earlier_until_ms = ? WHERE "
					       "number = ?" },
	[WRITE_WEBHOOK_REPLAY] = { .postgres = "UPDATE delivery SET parked = 0, attempts = 0, first_ms = 0, due_ms = 0"
					       " WHERE hook = ?1 AND parked = 1 AND (event = ?2 OR ?2 = 0)" },
	[WRITE_WEBHOOK_NEWS] = { .postgres = "UPDATE hook SET news = ? WHERE number = ? AND owner = ?" },
	[WRITE_WEBHOOK_ADOPT] = { .postgres = "UPDATE hook SET owner = ?1, heir = 0 WHERE number = ?2 AND owner NOT "
					      "IN " LIVING_HOSTS },
	[WRITE_WEBHOOK_ASK] = { .postgres = "UPDATE hook SET heir = ?1 WHERE number = ?2 AND owner = ?3 AND heir NOT "
					    "IN " LIVING_HOSTS },
	[WRITE_WEBHOOK_LEAVE] = { .postgres = "UPDATE hook SET owner = CASE WHEN heir IN " LIVING_HOSTS
					      " THEN heir ELSE 0 END, heir = 0"
					      " WHERE number = ?1 AND owner = ?2" },
	[WRITE_WEBHOOKS_CHANGED] = { .postgres = "INSERT INTO setting VALUES ('hooks', '', (SELECT coalesce(max(revision), 0) + "
						 "1 FROM setting))"
						 " ON CONFLICT (name) DO UPDATE SET revision = excluded.revision" },
	[WRITE_CALLBACK] = SQL("INSERT INTO callback VALUES (?, ?, ?)"
			       " ON CONFLICT (sequence) DO UPDATE SET url = excluded.url, secret = excluded.secret"),
	[WRITE_QUOTE] = SQL("INSERT INTO quote VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, -1, 0, -1, NULL, 0, 0, NULL,"
			    " length(?11), ?11)"),
	[WRITE_QUOTES_OPEN] = BY_INDEX(QUOTES_OPEN, "INDEXED BY quote_open"),
	[WRITE_QUOTE_DROP] = BY_INDEX(QUOTE_DROP, "INDEXED BY quote_open"),
	[WRITE_QUOTE_ASK] = BY_INDEX(QUOTE_ASK, "INDEXED BY quote_asked"),
	[WRITE_QUOTE_ASK_MORE] = SQL("UPDATE quote SET asked = ?3" OPEN_QUOTE "AND asked < ?3"),
	[WRITE_QUOTE_APPROVE] = SQL("UPDATE quote SET approved_ms = ?3, approved = ?4, approved_by = ?5, refused_ms = 0,"
				    " expires_ms = CASE WHEN expires_ms < ?6 THEN ?6 ELSE expires_ms END" OPEN_QUOTE
				    "AND asked <= ?4 AND approved < ?4 AND expires_ms > ?3"),
	[WRITE_QUOTE_REFUSE] = SQL("UPDATE quote SET refused_ms = ?3, approved_ms = 0, approved = -1, approved_by = ?4,"
				   " question = 0" OPEN_QUOTE "AND refused_ms = 0"),
	[WRITE_QUOTE_QUESTION] = SQL("UPDATE quote SET question = ?3" OPEN_QUOTE),
	[WRITE_QUOTE_YES] = SQL("UPDATE quote SET question = 0, approved_ms = ?4, approved = ?5, approved_by = ?6" OPEN_QUOTE
				"AND question = ?3"),
	[WRITE_QUOTE_NO] = SQL("UPDATE quote SET question = 0" OPEN_QUOTE "AND question = ?3"),
	[WRITE_FIND_QUOTE] =
		SQL("SELECT approved FROM quote" OPEN_QUOTE "AND caller = ?3 AND expires_ms > ?4 AND refused_ms = 0"),
	[WRITE_FIND_SAME] = SQL("SELECT live.sequence FROM live JOIN ledger USING (sequence)" SAME_REQUEST " LIMIT 1"),
	[WRITE_QUOTE_JOB] = SQL("UPDATE quote SET job = ?2, request = NULL WHERE sequence = ?1"),
	[WRITE_QUOTES_CLOSE] = SQL("DELETE FROM quote WHERE job IS NULL"),
	[WRITE_SETTING] = SQL("INSERT INTO setting VALUES (?, ?, (SELECT coalesce(max(revision), 0) + 1 FROM setting))"
			      " ON CONFLICT (name) DO UPDATE SET value = excluded.value, revision = excluded.revision"
			      " RETURNING revision"),
	[WRITE_SETTING_ONCE] = SQL("INSERT INTO setting VALUES (?, ?, (SELECT coalesce(max(revision), 0) + 1 FROM setting))"
				   " ON CONFLICT (name) DO NOTHING RETURNING revision"),
	/* in order, so that two who adopt at once take turns at the oldest */
	[WRITE_ORPHANS] = SQL("SELECT sequence FROM live WHERE phase < 4 AND (owner IS NULL OR owner NOT IN (SELECT id FROM host"
			      " WHERE dead_ms IS NULL)) ORDER BY sequence LIMIT ?"),
	/* 0 is queued, 1 its request may be out: of what was queued before a failover that is not known (failover.c) */
	[WRITE_ADOPT] = SQL("UPDATE live SET owner = ?, phase = CASE WHEN phase = 0 AND sequence < (SELECT CAST(value AS bigint)"
			    " FROM setting WHERE name = 'registry.failover') THEN 1 ELSE phase END WHERE sequence = ?"),
	[WRITE_OWNED] = SQL("SELECT sequence FROM live WHERE phase < 4 AND owner = ?"),
	[WRITE_GIVE_AWAY] = SQL("UPDATE live SET owner = NULL WHERE owner = ? AND phase < 4"),
	[WRITE_RUN_ENDS] = SQL("UPDATE host SET dead_ms = ? WHERE id = ? AND dead_ms IS NULL"),
	[WRITE_FIND_ASKED] = SQL("SELECT phase, owner FROM live WHERE sequence = ?"),
	[WRITE_WEBHOOK_SEEN] = SQL("INSERT INTO webhook_seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
	/* of nudges one is enough */
	[WRITE_ASK] =
		SQL("INSERT INTO ask SELECT CAST(?1 AS bigint), CAST(?2 AS bigint), CAST(?3 AS bigint), CAST(?4 AS bigint), NULL,"
		    " CAST(?5 AS bigint), CAST(?6 AS text), NULL, NULL WHERE CAST(?3 AS bigint) <> CAST(?7 AS bigint)"
		    " OR NOT EXISTS (SELECT 1 FROM ask WHERE sequence = CAST(?2 AS bigint) AND wish = CAST(?7 AS bigint))"),
	/* 5 is a late fact: of a job that has ended anybody takes it */
	[WRITE_ASKED] =
		SQL("SELECT ask.number, task.id, wish, asker, body FROM ask JOIN live USING (sequence) JOIN task USING (sequence)"
		    " WHERE code IS NULL AND (taken IS NULL OR taken <> ?1) AND (owner = ?1 OR (wish = 5 AND phase = 4))"
		    " ORDER BY ask.number LIMIT 100"),
	[WRITE_TAKE_ASK] = SQL("UPDATE ask SET taken = ? WHERE number = ?"),
	[WRITE_ANSWER] = SQL("UPDATE ask SET code = ?, answer = ? WHERE number = ?"),
	[WRITE_ANSWERED] =
		SQL("SELECT number, code, answer FROM ask WHERE asker = ? AND code IS NOT NULL ORDER BY number LIMIT 100"),
	[WRITE_REMOVE_ASK] = SQL("DELETE FROM ask WHERE number = ?"),
	[WRITE_WITHDRAW] = SQL("DELETE FROM ask WHERE number = ? AND taken IS NULL"),
	[WRITE_PROBE] = SQL("UPDATE paid_mark SET number = number"),
};
_Static_assert(LIVE_SENT == 2 && LIVE_ENDED == 4 && TASK_DONE == 2 && TASK_ERROR == 3 && TASK_CANCELED == 4,
	"the statements above and schema.c name them by number");

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

/* Told with the change that they are about. Numbers are given out here, in the order of commits, so a reader that has seen one has seen all
 * before it. */
static int insert_events(struct writer *writer, const struct store_write *write)
{
	struct statement *statement = writer->statements[WRITE_EVENT];
	int64_t sequence = is_of_host(write) ? 0 : id_sequence(&write->task.id);
	int64_t at_ms = write->event_count > 0 ? clock_unix_ms() : 0;
	int code = DATABASE_OK;

	for (int i = 0; i < write->event_count && code == DATABASE_OK; i++) {
		statement_bind_integer(statement, 1, at_ms);
		statement_bind_integer(statement, 2, sequence);
		writer_bind_text(statement, 3, write->events[i].verb);
		writer_bind_clean(writer, statement, 4, true, write->events[i].data);
		statement_bind_integer(statement, 5, writer->newest_event + 1);
		code = statement_run(statement);
		if (code == DATABASE_OK)
			writer->newest_event++;
	}
	if (write->event_count > 0) {
		writer->trace.told = true;
		writer->trace.at_ms = at_ms;
		writer->trace.sequence = sequence;
	}
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

/* What is committed is counted, by the only thread that does. */
static void count_group(struct writer *writer, const struct store_write *writes)
{
	_Atomic uint64_t *count;

	for (; writes != NULL; writes = writes->next) {
		if (writes->outcome != STORE_WRITTEN || writes->counted == 0)
			continue;
		count = &writer->sources->entries[writes->counted - 1].became[writes->task.status];
		atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
	}
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

/* A pair of kind and provider that is new is committed by itself, before anything names it. */
static bool add_source(struct writer *writer, const struct task *task)
{
	struct statement *statement = writer->statements[WRITE_SOURCE];

	if (!writer_begin(writer, false))
		return false;
	writer_bind_text(statement, 1, task->kind);
	writer_bind_text(statement, 2, task->provider);
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
		if (sources_count(writer->sources) < LIMIT_STORE_SOURCES && !add_source(writer, task))
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
	code = database_prepare(writer->db, write_texts, writer->statements, WRITE_STATEMENTS, error);
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
