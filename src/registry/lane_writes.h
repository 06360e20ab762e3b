/* lane_writes.h - places at providers, on the store's thread: a row of `lane` for each provider says how many are taken, by jobs of whichever host, how
 * fast jobs may leave, and until when none may because the vendor said so. Which jobs have a place says `live.slotted`; both change in one commit. */
#pragma once

#include "registry/writes.h"

/* Milliseconds since 1970 by the one clock that all hosts of the registry have: the server's, or, where there is one host only, its own. */
#define LANE_CLOCK_SQLITE "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
#define LANE_CLOCK_POSTGRES "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)"

#define LANE_LOOK(clock)                                                                                                         \
	"SELECT " clock ", (SELECT count(*) FROM setting WHERE name = 'live.stopped' AND value <> 'false'),"                     \
	" open, tokens, filled_ms, blocked_ms, recent, wanted, wanted_ms FROM (SELECT 1 AS one) AS always LEFT JOIN lane ON "    \
	"provider = ?"
#define LANE_TAKE                                                                                                                \
	"INSERT INTO lane (provider, open, tokens, filled_ms, blocked_ms, recent) VALUES (?, 1, ?, ?, 0, ?)"                     \
	" ON CONFLICT (provider) DO UPDATE SET open = lane.open + 1, tokens = excluded.tokens,"                                  \
	" filled_ms = excluded.filled_ms, recent = excluded.recent,"                                                             \
	" wanted_ms = CASE WHEN lane.wanted = ? THEN 0 ELSE lane.wanted_ms END"
#define LANE_WANT "UPDATE lane SET wanted = ?, wanted_ms = ? WHERE provider = ?"
#define LANE_PLACES                                                                                                              \
	"INSERT INTO lane (provider, open, tokens, filled_ms, blocked_ms, recent) VALUES (?, ?, 1000000, 0, 0, '')"              \
	" ON CONFLICT (provider) DO UPDATE SET open = lane.open + excluded.open"
#define LANE_BLOCK(clock)                                                                                                        \
	"INSERT INTO lane (provider, open, tokens, filled_ms, blocked_ms, recent) VALUES (?, 0, 1000000, 0, " clock " + ?, '')"  \
	" ON CONFLICT (provider) DO UPDATE SET blocked_ms = excluded.blocked_ms WHERE lane.blocked_ms < excluded.blocked_ms"

/* Schema: the tables, and the count of the places that jobs have. */
#define LANE_TABLE(with)                                                                                                         \
	"CREATE TABLE lane (provider text PRIMARY KEY, open bigint NOT NULL, tokens double precision NOT NULL,"                  \
	" filled_ms bigint NOT NULL, blocked_ms bigint NOT NULL, recent text NOT NULL,"                                          \
	" wanted bigint NOT NULL DEFAULT 0, wanted_ms bigint NOT NULL DEFAULT 0)" with ";"                                       \
	"ALTER TABLE live ADD COLUMN slotted bigint NOT NULL DEFAULT 0;"                                                         \
	"UPDATE live SET slotted = 1 WHERE phase IN (1, 2);"

/* How a job's row stands before it is changed. */
struct standing {
	int status, source;
	enum live_phase phase;
	bool slotted;
	int64_t owner;
};

/* May the paid request leave (STORE_PAY)? The outcome is STORE_HELD, or STORE_FAILED, or as it was: then the place is taken, if one is wanted. */
enum database_result writer_take_place(struct writer *writer, struct store_write *write, const struct standing *standing);

/* The place that the job's change gives back, or takes; and the block that the vendor asked for. */
enum database_result writer_move_place(struct writer *writer, const struct store_write *write, const struct standing *standing);

/* STORE_LOOK: how the lane of the task's provider stands. Where a place is free no more, the task is noted as one that waits: who came later leaves the next
 * one to it, as long as it is asked for. */
bool writer_look_lane(struct writer *writer, struct store_write *write);

/* Counts the places anew, from the jobs that have them. At the start. */
enum error_code writer_recount_places(struct writer *writer, struct error *error);
