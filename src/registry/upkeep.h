/* upkeep.h - what the store thread does between groups: index, purge. Store thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "registry/writes.h"

enum upkeep_statement {
	UPKEEP_INDEX = 0,
	UPKEEP_MARK,
	UPKEEP_NEWEST,
	UPKEEP_BATCH_END,
	UPKEEP_PURGE,
	UPKEEP_PURGE_LIVE,
	UPKEEP_PURGE_CALLBACK,
	UPKEEP_PURGE_ARTIFACT,
	UPKEEP_PURGE_WISH,
	UPKEEP_PURGE_UPSTREAM,
	UPKEEP_PURGE_QUOTE,
	UPKEEP_OLD_LEDGER,
	UPKEEP_PURGE_LEDGER,
	UPKEEP_PURGE_BUDGETS,
	UPKEEP_PURGE_INDEX,
	UPKEEP_PURGE_KEYS,
	UPKEEP_PURGE_QUOTES,
	UPKEEP_OLD_EVENTS,
	UPKEEP_PURGE_EVENTS,
	UPKEEP_TO_FILL,
	UPKEEP_FILL,
	UPKEEP_FILLED,
	UPKEEP_STATEMENTS
};

struct upkeep {
	struct writer *writer;
	struct statement *statements[UPKEEP_STATEMENTS];
	int keep_days;
	int64_t offset_ms;	/* of the wall clock from the monotonic one, as it is believed */
	int64_t ahead_since_ns; /* when it was first seen ahead of that; 0: it is not */
	bool purging;		/* a purge is under way */
	int64_t purge_from;	/* rows up to here are done with */
	int64_t purge_at_ns;	/* when the next batch, or the next purge, is due (monotonic clock) */
	int64_t fill_at_ns;	/* when older jobs' outputs are looked for again; INT64_MAX: all are known */
	int64_t tend_wait_ns;	/* how long the database may be left alone */
	bool troubled;		/* the last work failed and was logged */
};

enum error_code upkeep_open(struct upkeep *upkeep, struct writer *writer, int keep_days, struct error *error);
void upkeep_close(struct upkeep *upkeep);

/* Rows and keys older than this go, beginning now. */
void upkeep_keep_days(struct upkeep *upkeep, int keep_days);

/* Does what is due, a small piece of it. `idle`: no write is waiting. */
void upkeep_run(struct upkeep *upkeep, bool idle);

/* How long the thread may sleep until upkeep_run() has something to do. */
int64_t upkeep_wait_ns(const struct upkeep *upkeep);
