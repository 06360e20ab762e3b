/* postgres_transaction.c - transactions of PostgreSQL's driver.
 *
 * Who writes holds one advisory lock of the registry's schema until its transaction ends: one writer at a time over all hosts, so that numbers can be
 * given out and sums be kept as SQLite's writer does it. Then it proves that its host was not declared dead, and that this connection is the host's
 * newest: what a lost connection still has under way cannot be committed behind the back of the next one.
 *
 * A transaction is known by the id that the server has for it before its commit is sent: where the answer is lost, the next connection takes the lock,
 * which waits for the lost one's end, and asks how that was. */
#include "database/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/test_setting.h"

#define HOLDER_PATIENCE "2 s" /* a holder of the lock that waits for its client so long is ended */

#define LOCK_TEXT "SELECT pg_advisory_xact_lock($1::int, 1)"
#define ID_TEXT "SELECT pg_current_xact_id()"

static const struct {
	const char *name, *text;
} brackets[] = {
	{ "begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" },
	{ "read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
	{ "commit", "COMMIT" },
	{ "rollback", "ROLLBACK" },
	{ "lock", LOCK_TEXT },
	{ "id", ID_TEXT },
	{ "status", "SELECT pg_xact_status($1::text::xid8)" },
	/* Stopped, or cut off, in the middle of its transaction. Not one whose commit waits for a standby. */
	{ "holder", "SELECT pg_terminate_backend(activity.pid) FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)"
		    " WHERE locktype = 'advisory' AND granted AND classid = $1::int::oid AND objid = 1 AND objsubid = 2"
		    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
		    " AND wait_event_type = 'Client' AND wait_event IN ('ClientRead', 'ClientWrite')"
		    " AND clock_timestamp() - state_change > interval '" HOLDER_PATIENCE "'" },
};

static bool send_one(struct postgres *database, const char *name, const char *value)
{
	return postgres_send(database, name, value != NULL ? 1 : 0, &value, NULL, NULL);
}

static bool send_with_schema(struct postgres *database, const char *name)
{
	char schema[16];

	snprintf(schema, sizeof schema, "%" PRId32, (int32_t)(uint32_t)database->schema);
	return send_one(database, name, schema);
}

bool postgres_send_brackets(struct postgres *database)
{
	for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
		if (!postgres_send_prepare(database, brackets[i].name, brackets[i].text))
			return false;
	return true;
}

/* ---- the fence ---- */

/* `host` is a table of the registry's: that a row is there is asked for by its count, so that the statement fails where there is none. */
static bool prepare_fence(struct postgres *database)
{
	bool newest = test_setting(TEST_NO_GENERATION, 0) == 0;

	if (database->has_fence)
		return true;
	database->has_fence = true;
	return postgres_send_prepare(database, "fence",
		newest ? "SELECT 1 / count(*) FROM host WHERE id = $1 AND connection = $2 AND dead_ms IS NULL"
		       : "SELECT 1 / count(*) FROM host WHERE id = $1 AND connection > 0 * $2 AND dead_ms IS NULL");
}

static bool send_fence(struct postgres *database)
{
	char host[24], generation[24];
	const char *const values[] = { host, generation };

	if (database->host == 0 || test_setting(TEST_NO_FENCE, 0) != 0)
		return true;
	snprintf(host, sizeof host, "%" PRId64, database->host);
	snprintf(generation, sizeof generation, "%" PRId64, database->generation);
	database->fence_at = database->queued;
	return postgres_send(database, "fence", 2, values, NULL, NULL);
}

bool postgres_raise_generation(struct postgres *database)
{
	PGresult *rows;
	char text[160];

	if (database->host == 0 || database->use != DATABASE_WRITES)
		return true;
	snprintf(text, sizeof text,
		"UPDATE host SET connection = connection + 1 WHERE id = %" PRId64 " AND dead_ms IS NULL RETURNING connection",
		database->host);
	if (!prepare_fence(database) || !postgres_send_text(database, text) ||
		!postgres_sync(database, POSTGRES_ANSWER_MS, &rows))
		return false;
	/* no row: its next transaction is told that this host is declared dead */
	database->generation = PQntuples(rows) > 0 ? postgres_result_integer(rows, 0, 0) : -1;
	PQclear(rows);
	return true;
}

/* Where the generation cannot be raised, the next connection does it. */
void postgres_fence(struct database *database, int64_t host)
{
	struct postgres *own = postgres_of(database);

	own->host = host;
	own->fenced = false;
	if (own->connection != NULL && !postgres_raise_generation(own))
		postgres_lose(own, own->failure.text);
}

bool postgres_is_fenced(struct database *database)
{
	return postgres_of(database)->fenced;
}

/* ---- writing ---- */

/* Nothing of it is waited for: an answer that says no comes with the first statement that is. */
enum database_result postgres_begin(struct database *database, bool synced)
{
	struct postgres *own = postgres_of(database);

	(void)synced; /* whether a commit is synced is for who runs the server to say */
	own->failed = false;
	own->id = 0;
	if (!send_one(own, "begin", NULL))
		return DATABASE_FAILED;
	own->writing = true;
	own->lock_at = own->queued;
	if (!send_with_schema(own, "lock") || !send_fence(own))
		return DATABASE_FAILED;
	postgres_await_later(own, &own->id);
	return send_one(own, "id", NULL) ? DATABASE_OK : DATABASE_FAILED;
}

/* Where nothing else says how it ended, the commit is sent when the id is known by which that can be asked for. Where the host has a fence, what the lost
 * connection has not committed by the time that the next one has the lock never will be: the rows tell. */
enum database_result postgres_commit(struct database *database)
{
	struct postgres *own = postgres_of(database);

	if (own->failed || (own->id == 0 && own->host == 0 && !postgres_sync(own, POSTGRES_ANSWER_MS, NULL)) ||
		!send_one(own, "commit", NULL))
		return DATABASE_FAILED;
	if (postgres_sync(own, POSTGRES_ANSWER_MS, NULL)) {
		own->writing = false;
		return DATABASE_OK;
	}
	if (own->connection != NULL)
		return DATABASE_FAILED;
	own->doubtful = own->id;
	own->unsettled = true;
	own->writing = own->failed = false;
	return DATABASE_UNKNOWN;
}

static void end_idle_holder(struct postgres *database)
{
	if (send_with_schema(database, "holder"))
		postgres_sync(database, POSTGRES_ANSWER_MS, NULL);
}

/* Why the transaction failed is still to be told: what fails here is not noted. */
void postgres_rollback(struct database *database)
{
	struct postgres *own = postgres_of(database);
	struct postgres_failure failure = own->failure;

	if (!own->writing)
		return;
	if (own->connection != NULL && own->queued > 0)
		postgres_sync(own, POSTGRES_ANSWER_MS, NULL);
	own->writing = own->failed = false;
	if (own->connection != NULL && PQtransactionStatus(own->connection) != PQTRANS_IDLE && send_one(own, "rollback", NULL))
		postgres_sync(own, POSTGRES_ANSWER_MS, NULL);
	if (own->held && own->connection != NULL)
		end_idle_holder(own);
	own->held = false;
	if (failure.code != ERROR_NONE)
		own->failure = failure;
}

bool postgres_in_transaction(struct database *database)
{
	return postgres_of(database)->writing;
}

/* ---- a commit whose answer was lost ---- */

static enum database_result read_status(const PGresult *rows)
{
	const char *status = PQgetisnull(rows, 0, 0) ? "" : PQgetvalue(rows, 0, 0);

	if (strcmp(status, "committed") == 0)
		return DATABASE_OK;
	return strcmp(status, "aborted") == 0 ? DATABASE_DONE : DATABASE_FAILED;
}

/* Under the lock, so the lost transaction has ended. A server that was restored, or promoted, may not know the id at all. */
static enum database_result ask_status(struct postgres *database)
{
	enum database_result result = DATABASE_FAILED;
	PGresult *rows = NULL;
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, database->doubtful);
	if (!send_one(database, "begin", NULL))
		return DATABASE_FAILED;
	database->writing = true;
	database->lock_at = database->queued;
	if (!send_with_schema(database, "lock") || !postgres_sync(database, POSTGRES_ANSWER_MS, NULL))
		return DATABASE_FAILED;
	if (database->doubtful == 0)
		return DATABASE_UNKNOWN;
	if (send_one(database, "status", id) && postgres_sync(database, POSTGRES_ANSWER_MS, &rows))
		result = read_status(rows);
	else if (database->failure.code == ERROR_CONFLICT)
		result = DATABASE_DONE; /* it is in the future of this server */
	PQclear(rows);
	return result;
}

enum database_result postgres_settle(struct database *database)
{
	struct postgres *own = postgres_of(database);
	enum database_result result;

	if (!own->unsettled)
		return DATABASE_DONE;
	if (own->connection == NULL && database->driver->connect(database, NULL) != ERROR_NONE)
		return DATABASE_FAILED;
	own->failed = false;
	result = ask_status(own);
	postgres_rollback(database);
	if (result != DATABASE_FAILED)
		own->unsettled = false;
	return result;
}

/* ---- reading ---- */

enum database_result postgres_begin_reading(struct database *database)
{
	struct postgres *own = postgres_of(database);

	if (own->readings == 0 && !own->writing) {
		own->failed = false;
		if (!send_one(own, "read", NULL))
			return DATABASE_FAILED;
	}
	own->readings++;
	return DATABASE_OK;
}

void postgres_end_reading(struct database *database)
{
	struct postgres *own = postgres_of(database);

	if (own->readings == 0 || --own->readings > 0 || own->writing)
		return;
	own->failed = false;
	if (own->connection != NULL && send_one(own, "commit", NULL))
		postgres_sync(own, POSTGRES_ANSWER_MS, NULL);
}
