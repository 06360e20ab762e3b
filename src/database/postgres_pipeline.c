/* postgres_pipeline.c - sends statements without waiting for each, and reads the answers to all of them at once. No call waits longer than it was told
 * to: a server that says nothing in time is given up together with its connection, for nobody knows what is still to come on it. */
#include "database/postgres.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

#define MILLISECOND_NS 1000000LL

static bool is_connected(struct postgres *database)
{
	if (database->connection != NULL)
		return true;
	if (!database->failure.lost)
		postgres_lose(database, "there is no connection to the server");
	return false;
}

/* Notes one more that is to be answered. */
static bool queue(struct postgres *database, int sent)
{
	if (sent == 0) {
		postgres_lose(database, PQerrorMessage(database->connection));
		return false;
	}
	database->queued++;
	return true;
}

bool postgres_send_prepare(struct postgres *database, const char *name, const char *text)
{
	return is_connected(database) && queue(database, PQsendPrepare(database->connection, name, text, 0, NULL));
}

bool postgres_send(
	struct postgres *database, const char *name, int count, const char *const *values, const int *lengths, const int *formats)
{
	return is_connected(database) &&
	       queue(database, PQsendQueryPrepared(database->connection, name, count, values, lengths, formats, 1));
}

bool postgres_send_text(struct postgres *database, const char *text)
{
	return is_connected(database) &&
	       queue(database, PQsendQueryParams(database->connection, text, 0, NULL, NULL, NULL, NULL, 1));
}

void postgres_await_later(struct postgres *database, int64_t *value)
{
	database->later[database->laters].at = database->queued;
	database->later[database->laters++].value = value;
}

/* ---- answers ---- */

static bool false_after_loss(struct postgres *database)
{
	postgres_lose(database, PQerrorMessage(database->connection));
	return false;
}

/* Waits until the next answer can be read without waiting. */
static bool await_answer(struct postgres *database, int64_t until_ns)
{
	struct pollfd waiting = { .fd = PQsocket(database->connection) };
	int64_t left_ns;
	int unsent;

	for (;;) {
		unsent = PQflush(database->connection);
		if (unsent < 0)
			return false_after_loss(database);
		if (PQisBusy(database->connection) == 0)
			return true;
		if (strstr(PQerrorMessage(database->connection), "out of memory") != NULL)
			return false_after_loss(database); /* libpq waits for an answer then that it has dropped */
		left_ns = until_ns - clock_monotonic_ns();
		if (left_ns <= 0) {
			postgres_lose(database, "the server does not answer");
			return false;
		}
		waiting.events = (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
		poll(&waiting, 1, (int)(left_ns / MILLISECOND_NS) + 1);
		if ((waiting.revents & ~POLLOUT) != 0 && PQconsumeInput(database->connection) == 0)
			/* the last answer says why it was closed */
			return PQstatus(database->connection) == CONNECTION_BAD || false_after_loss(database);
	}
}

/* The first one of a transaction counts: the others only say that it has failed. */
static void note_failure(struct postgres *database, const PGresult *result, int64_t at)
{
	if (!database->failed ||
		PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL) /* libpq's own: then no answer can be trusted to come */
		postgres_note_result(database, result);
	database->failed = true;
	if (at == database->lock_at && database->failure.code == ERROR_BUSY)
		database->held = true;
	if (at == database->fence_at && database->failure.code == ERROR_CONFLICT)
		postgres_note_fenced(database);
}

static void read_later(struct postgres *database, const PGresult *result, int64_t at)
{
	for (int i = 0; i < database->laters; i++)
		if (database->later[i].at == at && PQntuples(result) > 0)
			*database->later[i].value = postgres_result_integer(result, 0, 0);
}

static void read_answer(struct postgres *database, PGresult *result, int64_t at, PGresult **last)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		read_later(database, result, at);
		if (last == NULL || at != database->queued - 1)
			break;
		PQclear(*last);
		*last = result;
		return;
	case PGRES_PIPELINE_ABORTED: break; /* for the sake of one before it */
	default: note_failure(database, result, at); break;
	}
	PQclear(result);
}

/* All that was sent is answered. */
static bool end_sync(struct postgres *database, PGresult **last)
{
	bool worked = !database->failed;

	postgres_note_introduced(database, worked);
	database->queued = 0;
	database->lock_at = database->fence_at = -1;
	database->laters = 0;
	database->failed = !worked && (database->writing || database->readings > 0);
	if (!worked && last != NULL) {
		PQclear(*last);
		*last = NULL;
	}
	return worked;
}

bool postgres_sync(struct postgres *database, int milliseconds, PGresult **last)
{
	int64_t until_ns = clock_monotonic_ns() + milliseconds * MILLISECOND_NS, at = 0;
	PGresult *result;

	if (last != NULL)
		*last = NULL;
	if (!is_connected(database))
		return false;
	if (PQpipelineSync(database->connection) == 0)
		postgres_lose(database, PQerrorMessage(database->connection));
	while (database->connection != NULL && await_answer(database, until_ns)) {
		result = PQgetResult(database->connection);
		if (PQstatus(database->connection) == CONNECTION_BAD) {
			postgres_note_result(database, result);
			postgres_lose(database, PQerrorMessage(database->connection));
			PQclear(result);
		} else if (result == NULL) {
			at++; /* that was all of one */
		} else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			return end_sync(database, last);
		} else {
			read_answer(database, result, at, last);
		}
	}
	if (last != NULL) {
		PQclear(*last);
		*last = NULL;
	}
	return false;
}

static bool read_text_answers(struct postgres *database, int64_t until_ns)
{
	PGresult *result;
	bool worked = true;

	while (await_answer(database, until_ns)) {
		result = PQgetResult(database->connection);
		if (result == NULL)
			return worked;
		if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
			postgres_note_result(database, result);
			worked = false;
		}
		PQclear(result);
		if (PQstatus(database->connection) == CONNECTION_BAD)
			postgres_lose(database, PQerrorMessage(database->connection));
		if (database->connection == NULL)
			return false;
	}
	return false;
}

/* Only outside of a pipeline may a text hold several statements. */
bool postgres_run_text(struct postgres *database, const char *text, int milliseconds)
{
	bool worked;

	if (database->queued > 0 && !postgres_sync(database, POSTGRES_ANSWER_MS, NULL))
		return false;
	if (!is_connected(database))
		return false;
	worked = PQexitPipelineMode(database->connection) != 0 && PQsendQuery(database->connection, text) != 0;
	if (worked)
		worked = read_text_answers(database, clock_monotonic_ns() + milliseconds * MILLISECOND_NS);
	else
		postgres_lose(database, PQerrorMessage(database->connection));
	if (database->connection != NULL && PQenterPipelineMode(database->connection) == 0)
		postgres_lose(database, PQerrorMessage(database->connection));
	if (!worked)
		database->failed = database->writing || database->readings > 0;
	return worked && database->connection != NULL;
}
