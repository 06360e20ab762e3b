/* read_statements.c - all that is read of the registry, in the words of both databases. */
#include "registry/reads.h"
#include "registry/same_request.h"

#define INDEX_SQL                                                                                                                \
	"SELECT sequence FROM task_index WHERE status = ? AND source = ? AND sequence < ? AND sequence >= ? ORDER BY sequence"
#define RANGE_SQL TASKS "WHERE task.sequence < ? AND task.sequence >= ? ORDER BY task.sequence"
#define OWN_SQL TASKS "WHERE task.sequence < ? AND task.sequence >= ? AND task.caller = ? ORDER BY task.sequence"
/* From which row to which a live job has such an id: two ends of an index. */
#define ID_END(column, order)                                                                                                    \
	"(SELECT sequence FROM task WHERE " column                                                                               \
	" = ?1 AND dry_run = 0 AND (caller = ?2 OR ?2 IS NULL) ORDER BY sequence" order " LIMIT 1)"
#define ID_RANGE(column) "SELECT " ID_END(column, "") ", " ID_END(column, " DESC")
#define OWN_COLUMNS                                                                                                              \
	"task.sequence, status, task.source, dry_run, progress, created_ms, updated_ms, id, vendor_id, request_id,"              \
	" payload, estimates, result, task.caller, asked, removed_ms"
#define TASK_COLUMNS_WITH(state, request, sha256)                                                                                \
	OWN_COLUMNS ", phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, slotted, reason, " state ", " request  \
		    ", trace, day, reserved, expected, spent, basis, paid, paid_most, " sha256 ", door"
/* What only the start needs may be megabytes: whoever lists jobs does not read it. */
#define TASK_COLUMNS TASK_COLUMNS_WITH("NULL", "NULL", "NULL")
#define TASK_JOINS " FROM task LEFT JOIN live USING (sequence) LEFT JOIN ledger USING (sequence) "
#define TASKS "SELECT " TASK_COLUMNS TASK_JOINS
#define WHOLE_TASKS "SELECT " TASK_COLUMNS_WITH("state", "request", "request_sha256") TASK_JOINS
#define EVENTS                                                                                                                   \
	"SELECT " TASK_COLUMNS ", event.number, at_ms, verb, data, event.sequence FROM event"                                    \
	" LEFT JOIN task ON task.sequence = event.sequence LEFT JOIN live ON live.sequence = task.sequence"                      \
	" LEFT JOIN ledger ON ledger.sequence = task.sequence "

#define QUOTES_BY(index)                                                                                                         \
	"SELECT quote.id, quote.caller, quote.kind, quote.provider, request, sha256, quote.created_ms, expires_ms, expected, "   \
	"most,"                                                                                                                  \
	" asked_ms, quote.asked, approved_ms, approved, approved_by, refused_ms, question, job, task.id FROM quote " index       \
	" LEFT JOIN task ON task.sequence = quote.job "

#define ASKED_QUOTES(index)                                                                                                      \
	QUOTES_BY(index) "WHERE job IS NULL AND asked_ms <> 0 AND expires_ms > ? ORDER BY quote.sequence DESC LIMIT ?"

/* SQLite joins two tables in the order in which it is told to. */
#define IN_ORDER(text)                                                                                                           \
	{                                                                                                                        \
		.sqlite = text("CROSS JOIN"), .postgres = text("JOIN")                                                           \
	}
#define IN_ORDER_WALK(text)                                                                                                      \
	{                                                                                                                        \
		.sqlite = text("CROSS JOIN"), .postgres = text("JOIN"), .walks = true                                            \
	}
#define LIVE_SQL(join)                                                                                                           \
	"SELECT " TASK_COLUMNS " FROM live " join " task USING (sequence) LEFT JOIN ledger USING (sequence)"                     \
	" WHERE live.sequence < ? AND live.sequence >= ? ORDER BY live.sequence DESC"
#define TIMES_SQL(join)                                                                                                          \
	"SELECT source, updated_ms - submitted_ms, task.caller FROM live " join " task USING (sequence)"                         \
	" WHERE live.sequence >= ? AND status = 2 AND submitted_ms > 0 ORDER BY live.sequence DESC LIMIT ?"
/* 0 and 1 are queued and running: a job that goes on is waited for whatever its age, as long as nobody was answered */
#define WISHES_SQL(join)                                                                                                         \
	"SELECT id, answered, takes, touched_ms, overtook FROM wish " join " task USING (sequence) WHERE digest = ?1"            \
	" AND removed_ms IS NULL"                                                                                                \
	" AND (touched_ms > ?2 OR (answered = 0 AND (status IN (0, 1) OR updated_ms > ?2))) AND answered <= ?3"                  \
	" ORDER BY answered, wish.sequence DESC LIMIT ?4"

const struct sql read_statements[READ_STATEMENTS] = {
	[READ_INDEXED] = SQL("SELECT sequence FROM task_indexed"),
	[READ_ONE] = SQL(TASKS "WHERE task.sequence = ?"),
	[READ_DRY] = { .sqlite = "SELECT " OWN_COLUMNS " FROM task WHERE sequence = ? AND dry_run = 1" },
	[READ_UPSTREAM] = SQL("SELECT request FROM upstream WHERE sequence = ?"),
	[READ_RANGE] = SQL_WALK(RANGE_SQL " DESC"),
	[READ_RANGE_OLDEST] = SQL_WALK(RANGE_SQL),
	[READ_LIVE] = IN_ORDER_WALK(LIVE_SQL),
	[READ_OWN] = SQL_WALK(OWN_SQL " DESC"),
	[READ_OWN_OLDEST] = SQL_WALK(OWN_SQL),
	[READ_INDEX] = SQL_WALK(INDEX_SQL " DESC"),
	[READ_INDEX_OLDEST] = SQL_WALK(INDEX_SQL),
	[READ_LIVE_INDEX] = SQL_WALK(
		"SELECT sequence FROM task WHERE dry_run = 0 AND status = ? AND source = ? AND sequence < ? AND sequence >= ?"
		" ORDER BY sequence DESC"),
	[READ_COUNT] = SQL("SELECT count(*) FROM task_index WHERE status = ? AND source = ? AND sequence < ? AND sequence >= ?"),
	[READ_COUNT_LIVE] = SQL(
		"SELECT count(*) FROM task WHERE dry_run = 0 AND status = ? AND source = ? AND sequence < ? AND sequence >= ?"),
	[READ_SMALL] =
		SQL_WALK("SELECT sequence, status, source, dry_run, created_ms FROM task WHERE sequence < ? AND sequence >= ?"),
	[READ_SMALL_OWN] =
		SQL_WALK("SELECT sequence, status, source, dry_run, created_ms FROM task WHERE sequence < ? AND sequence >= ? "
			 "AND caller = ?"),
	[READ_TIMES] = IN_ORDER(TIMES_SQL),
	[READ_ARTIFACTS] = SQL_WALK("SELECT sequence, n, source, media FROM artifact WHERE sequence <= ? AND sequence >= ?"
				    " ORDER BY sequence DESC, n"),
	[READ_OWN_ARTIFACTS] =
		SQL_WALK("SELECT sequence, n, source, media FROM artifact WHERE sequence <= ? AND sequence >= ? AND caller = ?"
			 " ORDER BY sequence DESC, n"),
	[READ_ID_OF_VENDOR] = SQL(ID_RANGE("vendor_id")),
	[READ_ID_OF_REQUEST] = SQL(ID_RANGE("request_id")),
	[READ_KEY] = SQL("SELECT status, body_sha256, answer FROM idempotency WHERE key = ?"),
	[READ_OPEN] = SQL_WALK(WHOLE_TASKS
		"WHERE task.sequence IN (SELECT sequence FROM live WHERE phase < 4 AND owner = ?) ORDER BY task.sequence"),
	[READ_OPEN_ONE] = SQL(WHOLE_TASKS "WHERE task.sequence = ? AND phase < 4"),
	[READ_RECENT] = SQL(TASKS "WHERE task.sequence IN (SELECT sequence FROM live ORDER BY sequence DESC LIMIT ?)"
				  " ORDER BY task.sequence DESC"),
	[READ_LEDGER] = SQL("SELECT day, source, caller, sum(CASE WHEN spent = -1 THEN reserved ELSE 0 END),"
			    " sum(CASE WHEN spent = -1 THEN 0 ELSE spent END), count(*), sum(CASE WHEN spent = -1 THEN 1 ELSE 0 "
			    "END), door FROM ledger WHERE "
			    "sequence >= ? AND day >= ?"
			    " GROUP BY day, source, caller, door ORDER BY day"),
	[READ_BUDGETS] = SQL("SELECT span, account, reserved, spent FROM budget WHERE span = 'day' AND begins = ?1"
			     " UNION ALL SELECT span, account, reserved, spent FROM budget WHERE span = 'month' AND begins = ?2"),
	[READ_BUDGET_DIFFERENCES] =
		SQL_WALK("SELECT span, begins, account, CAST(sum(reserved) AS bigint), CAST(sum(spent) AS bigint) FROM"
			 " (SELECT span, begins, account, reserved, spent FROM budget"
			 " UNION ALL SELECT span, begins, account, -reserved, -spent FROM ledger_sum) AS difference"
			 " GROUP BY span, begins, account HAVING sum(reserved) <> 0 OR sum(spent) <> 0"),
	[READ_OBSERVED] = SQL_WALK("SELECT provider, model, drivers, micro_usd, at_ms FROM observed ORDER BY sequence"),
	[READ_EVENTS] = SQL_WALK(EVENTS "WHERE number > ? ORDER BY number"),
	[READ_EVENTS_OF_LIVE] = SQL_WALK(EVENTS "WHERE number > ? AND event.sequence = ? AND data IS NOT NULL ORDER BY number"),
	[READ_EVENT_OF_DRY] =
		SQL_WALK(EVENTS "WHERE number > ? AND event.sequence = ? AND number >= ? AND number <= ? ORDER BY number"),
	[READ_EVENT_TIME] = SQL("SELECT number, at_ms FROM event WHERE number >= ? ORDER BY number LIMIT 1"),
	[READ_NEWEST_EVENT] = SQL("SELECT coalesce(max(number), 0) FROM event"),
	[READ_ENDED] = { .postgres =
				 "SELECT number, task.source, updated_ms - submitted_ms, observed.provider, model, drivers, "
				 "micro_usd,"
				 " observed.at_ms FROM event JOIN task USING (sequence) JOIN live USING (sequence) LEFT JOIN "
				 "observed"
				 " USING (sequence) WHERE number > ?1 AND verb = 'done' AND data IS NOT NULL AND submitted_ms > 0"
				 " AND (owner IS NULL OR owner <> ?2) ORDER BY number LIMIT ?3" },
	[READ_WEBHOOKS] =
		SQL("SELECT number, url, events, secret, earlier_secret, earlier_until_ms, caller, created_ms, cursor, owner,"
		    " heir, news FROM hook ORDER BY number"),
	[READ_DELIVERIES] =
		SQL_WALK("SELECT hook, event, sequence, attempts, first_ms, due_ms, parked, status, problem FROM delivery"
			 " ORDER BY hook, event"),
	[READ_WEBHOOK_OWNERS] = { .postgres = "SELECT number, owner, heir, (SELECT count(*) FROM host WHERE id = hook.owner AND "
					      "dead_ms IS NULL),"
					      " (SELECT count(*) FROM host WHERE dead_ms IS NULL) FROM hook ORDER BY number" },
	[READ_CALLBACK] = SQL("SELECT sequence, url, secret FROM callback WHERE sequence = ?"),
	[READ_QUOTE] = SQL(QUOTES_BY("") "WHERE quote.sequence = ? AND quote.id = ? AND (job IS NULL OR task.id IS NOT NULL)"),
	[READ_ASKED_QUOTES] = { .sqlite = ASKED_QUOTES("INDEXED BY quote_asked"), .postgres = ASKED_QUOTES("") },
	[READ_SAME_REQUESTS] = SQL("SELECT " TASK_COLUMNS
				   " FROM live JOIN ledger USING (sequence) JOIN task USING (sequence)" SAME_REQUEST " LIMIT ?4"),
	[READ_WISHES] = IN_ORDER(WISHES_SQL),
	[READ_SETTING] = SQL("SELECT value, revision FROM setting WHERE name = ?"),
	[READ_SETTINGS] = SQL("SELECT name, value, revision FROM setting WHERE revision > ? ORDER BY revision"),
};
_Static_assert(
	LIVE_ENDED == 4 && TASK_DONE == 2 && TASK_QUEUED == 0 && TASK_RUNNING == 1, "the statements above name them by number");
