/* write_statements.c - all that changes rows in a group, in the words of both databases. What only some of them do is beside it: a text that is not there
 * means that there is nothing to do. */
#include "registry/lane_writes.h"
#include "registry/same_request.h"
#include "registry/writes.h"

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

const struct sql write_statements[WRITE_STATEMENTS] = {
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
	[WRITE_WISH_NEWS] = SQL("UPDATE wish SET answered = CASE WHEN ? <> 0 THEN 1 WHEN ? <> 0 THEN 0 ELSE answered END, takes "
				"= takes + ?, touched_ms = ?,"
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
	[WRITE_RING] = { .sqlite = "UPDATE ring SET identity = ?, used = ?" },
	[WRITE_RING_CARRIED] = { .sqlite = "UPDATE ring SET carried = ?" },
	/* as WRITE_TASK and WRITE_EVENT; the transaction is given up when one fails, so nothing has to be kept to take it back alone */
	[WRITE_GIVEN_TASKS] = { .sqlite = "INSERT OR FAIL INTO task SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, "
					  "c13, c14,"
					  " c15, NULL FROM given" },
	[WRITE_GIVEN_EVENTS] = { .sqlite = "INSERT OR FAIL INTO event (number, at_ms, sequence, verb, data) SELECT c16, c17, c1, "
					   "c18,"
					   " c19 FROM given" },
	[WRITE_PROBE] = SQL("UPDATE paid_mark SET number = number"),
};
_Static_assert(LIVE_SENT == 2 && LIVE_ENDED == 4 && TASK_DONE == 2 && TASK_ERROR == 3 && TASK_CANCELED == 4,
	"the statements above and schema.c name them by number");
