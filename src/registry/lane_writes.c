/* lane_writes.c - takes places, gives them back, and counts them. Store thread only; the store's transaction is what makes it one step. */
#include "registry/lane_writes.h"

#include <stdio.h>
#include <string.h>

#include "registry/submit_rate.h"

struct lane {
	int64_t now_ms, blocked_ms;
	bool stopped;
	int open;
	struct rate_state rate;
	int64_t wanted,
		wanted_ms; /* the job that waits for a place, of those that were asked for it came first; and when it was asked for last */
};

#define WANTED_MS 1000 /* longer than a host lets pass before it asks again */

static enum database_result look(struct writer *writer, const char *provider, struct lane *lane)
{
	struct statement *row = writer->statements[WRITE_LANE_LOOK];
	enum database_result result;
	const char *recent;

	*lane = (struct lane){ .rate.tokens = RATE_FULL };
	writer_bind_text(row, 1, provider);
	result = statement_step(row);
	if (result == DATABASE_ROW) {
		lane->now_ms = statement_integer(row, 0);
		lane->stopped = statement_integer(row, 1) > 0;
	}
	if (result == DATABASE_ROW && !statement_is_null(row, 2)) {
		lane->open = (int)statement_integer(row, 2);
		lane->rate.tokens = statement_real(row, 3);
		lane->rate.filled_ms = statement_integer(row, 4);
		lane->blocked_ms = statement_integer(row, 5);
		recent = statement_text(row, 6);
		snprintf(lane->rate.recent, sizeof lane->rate.recent, "%s", recent != NULL ? recent : "");
		lane->wanted = statement_integer(row, 7);
		lane->wanted_ms = statement_integer(row, 8);
	}
	statement_reset(row);
	return result == DATABASE_ROW ? DATABASE_OK : DATABASE_FAILED;
}

/* Does a job wait, at another host, that came before this one? */
static bool is_behind(const struct lane *lane, int64_t sequence)
{
	int64_t age_ms = lane->now_ms - lane->wanted_ms;

	return age_ms >= 0 && age_ms < WANTED_MS && lane->wanted < sequence;
}

/* What the lane lets out, and why it lets nothing out. */
static void judge(const struct lane *lane, int64_t sequence, struct store_place *place)
{
	int64_t blocked_ms = lane->blocked_ms - lane->now_ms;

	place->open = lane->open;
	if (lane->open == place->most - 1 && is_behind(lane, sequence))
		place->open = place->most;
	place->allowed = rate_allows(&lane->rate, place->per_minute, lane->now_ms, &place->more_ms);
	place->refusal = PLACE_GIVEN;
	if (place->allowed == 0)
		place->refusal = PLACE_RATE;
	if (place->open >= place->most)
		place->refusal = PLACE_FULL;
	if (blocked_ms > 0 && blocked_ms <= LIMIT_LIVE_BLOCK_MS) { /* no vendor asks for more: the clock was set back */
		place->refusal = PLACE_BLOCKED;
		place->more_ms = blocked_ms;
	}
	if (lane->stopped)
		place->refusal = PLACE_STOPPED;
}

static enum database_result take(struct writer *writer, struct store_write *write, struct lane *lane)
{
	struct statement *statement = writer->statements[WRITE_LANE_TAKE];
	struct store_place *place = &write->place;
	enum database_result result;

	rate_take(&lane->rate, place->per_minute, lane->now_ms);
	writer_bind_text(statement, 1, write->task.provider);
	statement_bind_real(statement, 2, lane->rate.tokens);
	statement_bind_integer(statement, 3, lane->rate.filled_ms);
	writer_bind_text(statement, 4, lane->rate.recent);
	statement_bind_integer(statement, 5, id_sequence(&write->task.id));
	result = statement_run(statement);
	place->open = lane->open + 1;
	place->allowed = rate_allows(&lane->rate, place->per_minute, lane->now_ms, &place->more_ms);
	return result;
}

enum database_result writer_take_place(struct writer *writer, struct store_write *write, const struct standing *standing)
{
	struct store_place *place = &write->place;
	struct lane lane;

	if (place->wanted && (standing->phase != LIVE_QUEUED || standing->slotted)) {
		error_set(&write->error, ERROR_CONFLICT, "", "the job does not wait to be sent any more");
		return DATABASE_OK;
	}
	if (look(writer, write->task.provider, &lane) != DATABASE_OK)
		return DATABASE_FAILED;
	judge(&lane, id_sequence(&write->task.id), place);
	if (!place->wanted &&
		place->refusal != PLACE_STOPPED) /* it has its place, and its further requests are counted in that */
		place->refusal = PLACE_GIVEN;
	write->outcome = place->refusal == PLACE_GIVEN ? STORE_WRITTEN : STORE_HELD;
	return place->wanted && place->refusal == PLACE_GIVEN ? take(writer, write, &lane) : DATABASE_OK;
}

static enum database_result change_places(struct writer *writer, const char *provider, int by)
{
	struct statement *statement = writer->statements[WRITE_LANE_PLACES];

	writer_bind_text(statement, 1, provider);
	statement_bind_integer(statement, 2, by);
	return statement_run(statement);
}

enum database_result writer_move_place(struct writer *writer, const struct store_write *write, const struct standing *standing)
{
	struct statement *statement = writer->statements[WRITE_LANE_BLOCK];
	enum database_result result = DATABASE_OK;
	const struct task *task = &write->task;

	if (task->live->slotted != standing->slotted)
		result = change_places(writer, task->provider, task->live->slotted ? 1 : -1);
	if (result != DATABASE_OK || write->block_ms <= 0)
		return result;
	writer_bind_text(statement, 1, task->provider);
	statement_bind_integer(statement, 2, write->block_ms);
	return statement_run(statement);
}

/* The first of those that wait is remembered. */
static enum database_result want(struct writer *writer, const struct task *task, const struct lane *lane)
{
	struct statement *statement = writer->statements[WRITE_LANE_WANT];

	if (is_behind(lane, id_sequence(&task->id)))
		return DATABASE_OK;
	statement_bind_integer(statement, 1, id_sequence(&task->id));
	statement_bind_integer(statement, 2, lane->now_ms);
	writer_bind_text(statement, 3, task->provider);
	return statement_run(statement);
}

bool writer_look_lane(struct writer *writer, struct store_write *write)
{
	enum database_result result;
	struct lane lane;

	result = look(writer, write->task.provider, &lane);
	if (result == DATABASE_OK)
		judge(&lane, id_sequence(&write->task.id), &write->place);
	if (result == DATABASE_OK && write->place.refusal == PLACE_FULL)
		result = want(writer, &write->task, &lane);
	if (result != DATABASE_OK)
		return writer_fail(writer, "look at a provider's places");
	write->outcome = STORE_WRITTEN;
	return true;
}

enum error_code writer_recount_places(struct writer *writer, struct error *error)
{
	static const char text[] =
		"UPDATE lane SET open = 0 WHERE open <> 0;"
		"INSERT INTO lane (provider, open, tokens, filled_ms, blocked_ms, recent)"
		" SELECT provider, count(*), 1000000, 0, 0, '' FROM live JOIN task USING (sequence) JOIN source"
		" ON source.number = task.source WHERE phase < 4 AND slotted = 1 GROUP BY provider"
		" ON CONFLICT (provider) DO UPDATE SET open = excluded.open;";

	if (!writer_begin(writer, false)) {
		*error = writer->failure;
		return error->code;
	}
	if (database_execute(writer->db, text) != DATABASE_OK)
		writer_fail(writer, "count the places at providers");
	else if (writer_commit(writer))
		return ERROR_NONE;
	*error = writer->failure;
	return error->code;
}
