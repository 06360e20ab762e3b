/* schema.c - opens, recognises and migrates the registry's database. Runs at open only, before any thread uses it.
 *
 * To change the schema, append a step to `steps`; never edit one that was released. Refuses files that are not a registry
 * and versions newer than the last step, without writing a byte to them.
 *
 * A row of `task` begins with its small columns, so that a filter never reads the pages that a long text overflows to. Its
 * secondary index, `task_index`, is a table of its own because it is filled in batches, some thousand rows behind (upkeep.c):
 * an index that SQLite keeps at every insert touches a page per provider in every commit, and made a row cost twice as much
 * (measured: 6 us of CPU without, 13 us with, in groups of 16).
 *
 * An event is found by its number. Those of live jobs, which carry data, are in an index by job too; the only event of a dry run is found
 * by its time (event_reads.c), so that the many rows of dry runs pay for no index. */
#include "registry/schema.h"

#include "registry/lane_writes.h"
#include "registry/schema_postgres.h"

/* An entry of the ledger counts in up to four accounts, by day and by month. It is added up by day first: the ledger may have a million rows. */
#define BUDGET_TABLE(integer, options)                                                                                           \
	"CREATE TABLE budget (span TEXT NOT NULL, begins " integer " NOT NULL, account TEXT NOT NULL, reserved " integer         \
	" NOT NULL, spent " integer " NOT NULL, PRIMARY KEY (span, begins, account))" options ";"
#define LEDGER_SUM(month)                                                                                                        \
	"CREATE VIEW ledger_sum AS WITH entry AS MATERIALIZED (SELECT day, provider, caller, door,"                              \
	" sum(CASE WHEN spent = -1 THEN reserved ELSE 0 END) AS reserved, sum(CASE WHEN spent = -1 THEN 0 ELSE spent END) AS"    \
	" spent FROM ledger JOIN source ON source.number = ledger.source GROUP BY day, ledger.source, provider, caller, door),"  \
	" booked AS MATERIALIZED (SELECT day, 'host' AS account, reserved, spent FROM entry"                                     \
	" UNION ALL SELECT day, 'provider:' || provider, reserved, spent FROM entry"                                             \
	" UNION ALL SELECT day, 'mcp', reserved, spent FROM entry WHERE door = 1"                                                \
	" UNION ALL SELECT day, 'key:' || caller, reserved, spent FROM entry WHERE caller IS NOT NULL)"                          \
	" SELECT 'day' AS span, day AS begins, account, sum(reserved) AS reserved, sum(spent) AS spent FROM booked"              \
	" GROUP BY day, account UNION ALL SELECT 'month', month, account, sum(reserved), sum(spent) FROM"                        \
	" (SELECT " month " AS month, account, reserved, spent FROM booked) AS dated GROUP BY month, account;"
#define FILL_BUDGETS "INSERT INTO budget SELECT span, begins, account, reserved, spent FROM ledger_sum;"

static const struct sql steps[] = {
	/* 1 */
	{ .sqlite = "CREATE TABLE source (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, provider TEXT NOT NULL, UNIQUE (kind, "
		    "provider));"
		    "CREATE TABLE task (sequence INTEGER PRIMARY KEY, status INTEGER NOT NULL, source INTEGER NOT NULL, dry_run "
		    "INTEGER NOT "
		    "NULL,"
		    " progress REAL NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, id BLOB NOT NULL, "
		    "vendor_id TEXT,"
		    " request_id TEXT, payload TEXT, estimates TEXT, result TEXT);"
		    "CREATE TABLE task_index (status INTEGER NOT NULL, source INTEGER NOT NULL, sequence INTEGER NOT NULL,"
		    " PRIMARY KEY (status, source, sequence)) WITHOUT ROWID;"
		    "CREATE TABLE task_indexed (only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL);"
		    "INSERT INTO task_indexed VALUES (1, 0);"
		    "CREATE TABLE idempotency (key TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, status INTEGER NOT NULL,"
		    " body_sha256 BLOB NOT NULL, answer BLOB NOT NULL) WITHOUT ROWID;"
		    "CREATE INDEX idempotency_age ON idempotency (created_ms);" },
	/* 2: live jobs, their money, and the log of events. A ledger row outlives its task. No index: open jobs are looked for once, at the start,
	 * and a day's money is a range of sequences, while each index would cost every step of a job a page. */
	{ .sqlite = "CREATE TABLE live (sequence INTEGER PRIMARY KEY, phase INTEGER NOT NULL, attempts INTEGER NOT NULL, "
		    "submitted_ms "
		    "INTEGER NOT"
		    " NULL, deadline_ms INTEGER NOT NULL, stop_ms INTEGER NOT NULL, cancel_asked INTEGER NOT NULL, caller TEXT, "
		    "reason TEXT,"
		    " state TEXT, request TEXT);"
		    "CREATE TABLE ledger (sequence INTEGER PRIMARY KEY, day INTEGER NOT NULL, source INTEGER NOT NULL, reserved "
		    "INTEGER NOT "
		    "NULL,"
		    " expected INTEGER NOT NULL, spent INTEGER NOT NULL, basis TEXT, caller TEXT);"
		    "CREATE TABLE event (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, sequence INTEGER NOT NULL, verb "
		    "TEXT NOT NULL, "
		    "data"
		    " TEXT);"
		    "CREATE INDEX event_job ON event (sequence) WHERE data IS NOT NULL;" },
	/* 3: outgoing webhooks. */
	{ .sqlite = "CREATE TABLE hook (number INTEGER PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT "
		    "NULL,"
		    " earlier_secret TEXT, earlier_until_ms INTEGER NOT NULL, caller TEXT, created_ms INTEGER NOT NULL, cursor "
		    "INTEGER NOT "
		    "NULL);"
		    "CREATE TABLE delivery (hook INTEGER NOT NULL, event INTEGER NOT NULL, sequence INTEGER NOT NULL, attempts "
		    "INTEGER NOT "
		    "NULL,"
		    " first_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, parked INTEGER NOT NULL, status INTEGER NOT NULL, "
		    "problem TEXT,"
		    " PRIMARY KEY (hook, event)) WITHOUT ROWID;"
		    "CREATE TABLE callback (sequence INTEGER PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL);" },
	/* 4: what a live job is traced by; NULL in the rows from before. */
	{ .sqlite = "ALTER TABLE live ADD COLUMN trace TEXT;" },
	/* 5: how many requests a job has paid for, and whose job a vendor's id is: the few live jobs pay for that index. */
	{ .sqlite = "ALTER TABLE live ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;"
		    "CREATE INDEX task_vendor ON task (vendor_id) WHERE dry_run = 0;" },
	/* 6: whose a job is. The index holds the rows of callers alone, so a host without API keys does not pay for it. */
	{ .sqlite = "ALTER TABLE task ADD COLUMN caller TEXT;"
		    "UPDATE task SET caller = (SELECT caller FROM live WHERE live.sequence = task.sequence)"
		    " WHERE sequence IN (SELECT sequence FROM live WHERE caller IS NOT NULL);"
		    "CREATE INDEX task_caller ON task (caller, sequence) WHERE caller IS NOT NULL;" },
	/* 7: the number that also stands in a file beside the database (paid_mark.h). */
	{ .sqlite = "CREATE TABLE paid_mark (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL);"
		    "INSERT INTO paid_mark VALUES (1, 0);" },
	/* 8: how many requests a job may pay for: as many as were reserved, whatever its script says later. */
	{ .sqlite = "ALTER TABLE live ADD COLUMN paid_most INTEGER NOT NULL DEFAULT 1;" },
	/* 9: the only request that a job may send, if its client said which. */
	{ .sqlite = "ALTER TABLE live ADD COLUMN request_sha256 TEXT;" },
	/* 10: what settled jobs have cost, by what decides it; a row outlives its task. The index finds those of one model, for the few live jobs alone. */
	{ .sqlite = "CREATE TABLE observed (sequence INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, drivers "
		    "TEXT NOT NULL,"
		    " micro_usd INTEGER NOT NULL, at_ms INTEGER NOT NULL);"
		    "CREATE INDEX observed_name ON observed (provider, model, drivers, sequence);" },
	/* 11: which jobs have outputs, the newest first: what an output is stands in its job's result. Jobs below the number in artifact_filled are still to
	 * be looked at (upkeep.c): the start must not wait for a hundred thousand. Then the request of a live job as it was first sent, apart from its row,
	 * which every step writes anew. The indices are for live jobs alone: whose request made one, and which stand how. */
	{ .sqlite = "CREATE TABLE artifact (sequence INTEGER NOT NULL, n INTEGER NOT NULL, source INTEGER NOT NULL, media "
		    "INTEGER NOT NULL,"
		    " caller TEXT, PRIMARY KEY (sequence DESC, n)) WITHOUT ROWID;"
		    "CREATE INDEX artifact_caller ON artifact (caller, sequence DESC, n) WHERE caller IS NOT NULL;"
		    "CREATE TABLE artifact_filled (only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL);"
		    "INSERT INTO artifact_filled SELECT 1, coalesce(max(sequence) + 1, 0) FROM live;"
		    "CREATE TABLE upstream (sequence INTEGER PRIMARY KEY, request TEXT NOT NULL);"
		    "CREATE INDEX task_request ON task (request_id) WHERE dry_run = 0;"
		    "CREATE INDEX task_live ON task (source, status, sequence) WHERE dry_run = 0;" },
	/* 12: what a job's client asked for in its own words, and when its outputs were taken away: NULL for most, behind all else. */
	{ .sqlite = "ALTER TABLE task ADD COLUMN asked TEXT;"
		    "ALTER TABLE task ADD COLUMN removed_ms INTEGER;" },
	/* 13: quotes (quote.h), each with at most one job; caller is '' of nobody's, so that an index compares it. Which live jobs would send the same request,
	 * and by which door each came: budgets of doors count it. */
	{ .sqlite = "CREATE TABLE quote (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL, caller TEXT NOT NULL, kind TEXT NOT "
		    "NULL, provider "
		    "TEXT NOT NULL,"
		    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, expected INTEGER NOT NULL, most INTEGER NOT "
		    "NULL, sha256 "
		    "TEXT,"
		    " asked_ms INTEGER NOT NULL, asked INTEGER NOT NULL, approved_ms INTEGER NOT NULL, approved INTEGER NOT "
		    "NULL, "
		    "approved_by TEXT,"
		    " refused_ms INTEGER NOT NULL, question INTEGER NOT NULL, job INTEGER UNIQUE, bytes INTEGER NOT NULL, "
		    "request TEXT);"
		    "CREATE INDEX quote_open ON quote (caller, sequence, bytes) WHERE job IS NULL;"
		    "CREATE INDEX quote_asked ON quote (sequence) WHERE job IS NULL AND asked_ms <> 0;"
		    "ALTER TABLE live ADD COLUMN upstream_sha256 TEXT;"
		    "CREATE INDEX live_upstream ON live (upstream_sha256, sequence) WHERE upstream_sha256 IS NOT NULL;"
		    "ALTER TABLE ledger ADD COLUMN door INTEGER NOT NULL DEFAULT 0;",
		.postgres = postgres_tasks },
	/* 14: what live jobs were made for, of clients that may ask again without saying so (job_wish.h). */
	{ .sqlite = "CREATE TABLE wish (sequence INTEGER PRIMARY KEY, digest BLOB NOT NULL, answered INTEGER NOT NULL, takes "
		    "INTEGER NOT "
		    "NULL,"
		    " touched_ms INTEGER NOT NULL, overtook INTEGER NOT NULL);"
		    "CREATE INDEX wish_digest ON wish (digest);",
		.postgres = postgres_rest },
	/* 15: the sums of the ledger by which reservations are decided (budget_writes.h), and what they are made from. */
	{ .sqlite = BUDGET_TABLE("INTEGER", " WITHOUT ROWID")
			LEDGER_SUM("day + 1 - CAST(strftime('%d', day * 86400, 'unixepoch') AS INTEGER)") FILL_BUDGETS,
		.postgres = BUDGET_TABLE("bigint", " WITH (fillfactor = 50)") LEDGER_SUM(
			"day + 1 - CAST(extract(day FROM date '1970-01-01' + CAST(day AS integer)) AS bigint)") FILL_BUDGETS },
	/* 16: which host delivers a webhook, where several share the registry, who asks for it, and what its owner tells of it (webhook_row.h). */
	SQL("ALTER TABLE hook ADD COLUMN owner bigint NOT NULL DEFAULT 0;"
	    "ALTER TABLE hook ADD COLUMN heir bigint NOT NULL DEFAULT 0;"
	    "ALTER TABLE hook ADD COLUMN news text;"),
	/* 17: what all hosts share (setting.h). The revision grows over all rows, so whoever knows one finds what is newer. */
	SQL("CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL, revision bigint NOT NULL);"),
	/* 18: the hosts (host_rows.h): whose a live job is, what its owner is asked for by others, and which vendors' webhooks were seen by any. */
	{ .sqlite = "CREATE TABLE host (id INTEGER PRIMARY KEY, slot INTEGER NOT NULL, name TEXT NOT NULL, program TEXT NOT "
		    "NULL, knows INTEGER NOT NULL,"
		    " config_sha256 BLOB NOT NULL, home TEXT NOT NULL, machine TEXT NOT NULL, lease_ms INTEGER NOT NULL, beat "
		    "INTEGER NOT NULL,"
		    " connection INTEGER NOT NULL, started_ms INTEGER NOT NULL, dead_ms INTEGER);"
		    "CREATE UNIQUE INDEX host_slot ON host (slot) WHERE dead_ms IS NULL;"
		    "ALTER TABLE live ADD COLUMN owner INTEGER;"
		    "CREATE TABLE ask (number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, wish INTEGER NOT NULL, asker "
		    "INTEGER NOT NULL,"
		    " taken INTEGER, at_ms INTEGER NOT NULL, body TEXT, code INTEGER, answer TEXT);"
		    "CREATE TABLE webhook_seen (sequence INTEGER NOT NULL, digest BLOB NOT NULL, at_ms INTEGER NOT NULL,"
		    " PRIMARY KEY (sequence, digest)) WITHOUT ROWID;",
		.postgres = "CREATE TABLE host (id bigint PRIMARY KEY, slot bigint NOT NULL, name text NOT NULL, program text "
			    "NOT NULL, knows bigint NOT NULL,"
			    " config_sha256 bytea NOT NULL, home text NOT NULL, machine text NOT NULL, lease_ms bigint NOT NULL, "
			    "beat bigint NOT NULL,"
			    " connection bigint NOT NULL, started_ms bigint NOT NULL, dead_ms bigint) WITH (fillfactor = 50);"
			    "CREATE UNIQUE INDEX host_slot ON host (slot) WHERE dead_ms IS NULL;"
			    "ALTER TABLE live ADD COLUMN owner bigint;"
			    "CREATE INDEX live_open ON live (owner, sequence) WHERE phase < 4;"
			    "CREATE TABLE ask (number bigint PRIMARY KEY, sequence bigint NOT NULL, wish bigint NOT NULL, asker "
			    "bigint NOT NULL,"
			    " taken bigint, at_ms bigint NOT NULL, body text, code bigint, answer text);"
			    "CREATE INDEX ask_job ON ask (sequence);"
			    "CREATE TABLE webhook_seen (sequence bigint NOT NULL, digest bytea NOT NULL, at_ms bigint NOT NULL,"
			    " PRIMARY KEY (sequence, digest));" },
	/* 19: places at providers (lane_writes.h), and which jobs have one. */
	{ .sqlite = LANE_TABLE(" WITHOUT ROWID"), .postgres = LANE_TABLE(" WITH (fillfactor = 20)") },
	/* 20: which ring lies beside this file (kept_rows.h), how far its rows are in here, and whether it may have others. */
	{ .sqlite = "CREATE TABLE ring (only INTEGER PRIMARY KEY CHECK (only = 1), identity INTEGER NOT NULL, carried INTEGER "
		    "NOT NULL, used INTEGER NOT NULL);"
		    "INSERT INTO ring VALUES (1, 0, 0, 0);" },
};

#define FIRST_WITH_HOSTS 18
#define VERSION ((int64_t)(sizeof steps / sizeof *steps))

int64_t schema_version(void)
{
	return VERSION;
}

/* The oldest schema whose programs can go on beside this one's: a step that only adds tables, or columns that may be empty, leaves it as it is, for an
 * older program passes over those. Several hosts are known from this one on. */
#define OLDEST 19

static enum error_code refuse_newer(const struct database_place *place, const struct database_version *found, struct error *error)
{
	return error_set(error, ERROR_CONFLICT, database_name(place),
		"the registry has schema version %lld, this program knows versions up to %lld, and one that knows %lld is "
		"needed: "
		"install the newer program, or name another registry in registry.url",
		(long long)found->version, (long long)VERSION, (long long)found->oldest);
}

enum error_code schema_check(
	const struct database_place *place, struct database *database, struct database_version *found, struct error *error)
{
	enum error_code code = database_version(database, found, error);

	return code == ERROR_NONE && found->oldest > VERSION ? refuse_newer(place, found, error) : code;
}

/* Hosts of a program that cannot use what is made now are declared dead: they write nothing any more, and are told why when they come back. */
static enum database_result declare_older_dead(struct database *database, const struct database_version *found)
{
	static const struct sql text = { .postgres = "UPDATE host SET dead_ms = 1 WHERE dead_ms IS NULL" };
	const char *own = database_dialect(database, &text);

	return own == NULL || found->version < FIRST_WITH_HOSTS || found->oldest >= OLDEST ? DATABASE_OK
											   : database_execute(database, own);
}

static enum database_result run_steps(struct database *database, const struct database_version *found)
{
	const struct database_version made = { .version = VERSION, .oldest = OLDEST };
	enum database_result result = declare_older_dead(database, found);
	const char *text;

	for (int64_t i = found->version; i < VERSION && result == DATABASE_OK; i++) {
		text = database_dialect(database, &steps[i]);
		if (text != NULL)
			result = database_execute(database, text);
	}
	return result == DATABASE_OK ? database_set_version(database, &made) : result;
}

/* Another host may do the same at the same time: what is found under the lock counts. */
static enum error_code migrate(const struct database_place *place, struct database *database, struct error *error)
{
	struct database_version found;
	enum error_code code;

	if (database_begin(database, true) != DATABASE_OK)
		return database_error(database, "lock the registry", error);
	code = schema_check(place, database, &found, error);
	if (code == ERROR_NONE && found.version < VERSION && run_steps(database, &found) != DATABASE_OK)
		code = database_error(database, "bring the registry to the newest schema", error);
	if (code == ERROR_NONE && database_commit(database) != DATABASE_OK)
		code = database_error(database, "bring the registry to the newest schema", error);
	if (code != ERROR_NONE)
		database_rollback(database);
	return code;
}

enum error_code schema_open(const struct database_place *place, struct database **database, struct error *error)
{
	enum error_code code = database_open(place, DATABASE_WRITES, database, error);
	struct database_version found;

	if (code != ERROR_NONE)
		return code;
	code = schema_check(place, *database, &found, error);
	if (code == ERROR_NONE && found.version < VERSION)
		code = migrate(place, *database, error);
	if (code != ERROR_NONE) {
		database_close(*database);
		*database = NULL;
	}
	return code;
}
