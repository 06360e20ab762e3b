/* writes.h - the store thread's hand: writes groups of tasks and changes, one transaction each. Store thread only. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database/database.h"
#include "registry/budget_writes.h"
#include "registry/sources.h"
#include "registry/store.h"

enum write_statement {
	WRITE_MARK = 0,
	WRITE_UNMARK,
	WRITE_BACK_TO_MARK,
	WRITE_TASK,
	WRITE_SOURCE,
	WRITE_INDEX,
	WRITE_UNINDEX,
	WRITE_KEY,
	WRITE_FIND_KEY,
	WRITE_FIND_TASK,
	WRITE_LIVE,
	WRITE_MONEY,
	WRITE_UPSTREAM,
	WRITE_WISH,
	WRITE_WISH_NEWS,
	WRITE_WISH_FORGET,
	WRITE_EVENT,
	WRITE_SERVER,
	WRITE_KEEP_SOURCE,
	WRITE_SOURCES,
	WRITE_FAILOVER_EVENT,
	WRITE_NEWEST_EVENT,
	WRITE_FIND_EVENT,
	WRITE_FIND_CHANGE,
	WRITE_CHANGE_TASK,
	WRITE_CHANGE_LIVE,
	WRITE_REMOVE,
	WRITE_REMOVE_ARTIFACTS,
	WRITE_SETTLE,
	WRITE_FIND_BUDGETS,
	WRITE_BUDGET,
	WRITE_BUDGETS_CLEAR,
	WRITE_BUDGETS_FILL,
	WRITE_ARTIFACT,
	WRITE_OBSERVED,
	WRITE_OBSERVED_TRIM,
	WRITE_OBSERVED_OLDEST,
	WRITE_OBSERVED_COUNT,
	WRITE_LANE_LOOK,
	WRITE_LANE_TAKE,
	WRITE_LANE_WANT,
	WRITE_LANE_PLACES,
	WRITE_LANE_BLOCK,
	WRITE_FIND_VENDOR_ID,
	WRITE_CLAIM,
	WRITE_CLAIMED,
	WRITE_PAID_MARK,
	WRITE_WEBHOOK,
	WRITE_WEBHOOK_SECRETS,
	WRITE_WEBHOOK_CURSOR,
	WRITE_WEBHOOK_REMOVE,
	WRITE_DELIVERY,
	WRITE_DELIVERED,
	WRITE_DELIVERIES_REMOVE,
	WRITE_WEBHOOK_ROTATE,
	WRITE_WEBHOOK_REPLAY,
	WRITE_WEBHOOK_NEWS,
	WRITE_WEBHOOK_ADOPT,
	WRITE_WEBHOOK_ASK,
	WRITE_WEBHOOK_LEAVE,
	WRITE_WEBHOOKS_CHANGED,
	WRITE_CALLBACK,
	WRITE_QUOTE,
	WRITE_QUOTES_OPEN,
	WRITE_QUOTE_DROP,
	WRITE_QUOTE_ASK,
	WRITE_QUOTE_ASK_MORE,
	WRITE_QUOTE_APPROVE,
	WRITE_QUOTE_REFUSE,
	WRITE_QUOTE_QUESTION,
	WRITE_QUOTE_YES,
	WRITE_QUOTE_NO,
	WRITE_FIND_QUOTE,
	WRITE_FIND_SAME,
	WRITE_QUOTE_JOB,
	WRITE_QUOTES_CLOSE,
	WRITE_SETTING,
	WRITE_SETTING_ONCE,
	WRITE_PROBE,
	WRITE_ORPHANS,
	WRITE_ADOPT,
	WRITE_OWNED,
	WRITE_GIVE_AWAY,
	WRITE_RUN_ENDS,
	WRITE_FIND_ASKED,
	WRITE_WEBHOOK_SEEN,
	WRITE_ASK,
	WRITE_ASKED,
	WRITE_TAKE_ASK,
	WRITE_ANSWER,
	WRITE_ANSWERED,
	WRITE_REMOVE_ASK,
	WRITE_WITHDRAW,
	WRITE_RING,
	WRITE_RING_CARRIED,
	WRITE_GIVEN_TASKS,
	WRITE_GIVEN_EVENTS,
	WRITE_STATEMENTS
};

extern const struct sql write_statements[WRITE_STATEMENTS]; /* write_statements.c */

/* A row that nobody else can have written, of the transaction under way: whether it is there says whether that was committed. */
struct writer_trace {
	int64_t newest;	    /* the newest event that was known before */
	bool told;	    /* an event was written: */
	int64_t at_ms;	    /* at this time, */
	int64_t sequence;   /* of this task, or of none. Else, a task that was changed; 0: none was */
	int64_t updated_ms; /* at this time */
};

struct writer {
	bool shared; /* other hosts write too, and the answer to a statement comes late: */
	bool hopes; /* idempotency keys are taken for new, as they were when they were looked up before; else the group fails, and is written singly */
	struct database *db;
	struct sources *sources;
	struct statement *statements[WRITE_STATEMENTS];
	int64_t indexed;      /* rows up to here are in task_index (upkeep.c) */
	size_t unindexed;     /* rows written since */
	int64_t newest_event; /* its number; it only grows */
	int64_t event_ms;     /* the time of the latest that this run has written */
	struct writer_trace trace;
	int64_t observed; /* rows of `observed`; -1: to be counted */
	struct budget_rows budgets;
	struct cleaner cleaner;
	const char *path;	     /* of the database, for the file beside it; NULL: it is on a server */
	int64_t paid;		     /* the mark in the database */
	int64_t paid_beside;	     /* and in the file: larger means that the database is an older copy */
	int64_t run;		     /* of this host: live jobs whose owner is another are not changed; 0: there is none */
	unsigned checked_connection; /* of which it is known on which server it is */
	bool moved;		     /* it was another one; until the store has told of it */
	_Atomic bool leaving;	     /* the host stops: what cannot be found out now will be by the next run */
	struct error failure;	     /* why the transaction under way is lost */
};

/* Opens (or makes, or migrates) the database and loads the sources. */
enum error_code writer_open(
	struct writer *writer, const struct database_place *place, struct sources *sources, struct error *error);
void writer_close(struct writer *writer);

/* Is this owner of a job the run in whose name it writes? */
bool writer_is_own(const struct writer *writer, int64_t owner);

/* It writes in the name of this run from now on, and of no other. */
void writer_set_run(struct writer *writer, int64_t run);

/* Writes the list in one transaction, in its order, and fills in each one's outcome. False: the database failed, why is in `writer->failure`. */
bool writer_group(struct writer *writer, struct store_write *writes);

/* A pair of kind and provider that is new is committed by itself, before anything names it. Not in a transaction. False as above. */
bool writer_add_source(struct writer *writer, const char *kind, const char *provider);

/* Tasks of this source reached this status, and it is committed. */
void writer_count(struct writer *writer, int source, enum task_status status, uint64_t count);

/* Is the registry where it was when this connection was made? Else that is noted. False as above. failover.c */
bool writer_check_server(struct writer *writer);

/* Writes something that changes nothing, synced. False as above. */
bool writer_probe(struct writer *writer);

/* ---- one kind of write each. False when the whole group is lost; else the write's outcome is set ---- */

bool writer_insert(struct writer *writer, struct store_write *write);	    /* STORE_INSERT; task_writes.c */
bool writer_change(struct writer *writer, struct store_write *write);	    /* STORE_UPDATE, STORE_PAY; live_writes.c */
bool writer_remove(struct writer *writer, struct store_write *write);	    /* STORE_REMOVE; task_writes.c */
bool writer_claim(struct writer *writer, struct store_write *write);	    /* STORE_CLAIM; claims.c */
bool writer_list_claimed(struct writer *writer, struct store_write *write); /* STORE_CLAIMED; claims.c */
bool writer_change_quote(struct writer *writer, struct store_write *write); /* STORE_QUOTE; quote_writes.c */
bool writer_set(struct writer *writer, struct store_write *write);	    /* STORE_SETTING; setting.c */
bool writer_note_wish(struct writer *writer, struct store_write *write);    /* STORE_WISH; wish.c */
bool writer_change_host(struct writer *writer, struct store_write *write);  /* STORE_HOST; host_writes.c */

/* ---- parts of a write. DATABASE_OK, or the error ---- */

/* The row of a new task, with its live half if it has one. `clean`: its texts have passed the cleaner. task_writes.c */
int writer_insert_task(struct writer *writer, const struct task *task, int source, bool clean);
/* An event of a task, by its sequence, or of the host: 0. writes.c */
int writer_insert_event(struct writer *writer, int64_t sequence, int64_t at_ms, const struct store_event *event, bool clean);
/* The live half and the reservation of a new task. */
int writer_insert_live(struct writer *writer, const struct task *task, int source);
/* What the write's job was made for, if that was said. wish.c */
int writer_insert_wish(struct writer *writer, const struct store_write *write);
/* What the write's job has cost, if it is to be kept. observed_writes.c */
int writer_observe(struct writer *writer, const struct store_write *write);
/* The outputs that a job's result names, if they are not known yet. artifact_writes.c */
int writer_index_artifacts(struct writer *writer, int64_t sequence, int source, const char *caller, const char *result);
/* The write's changes of webhooks; STORE_UNCHANGED: one was to be removed that is gone already. */
int writer_change_webhooks(struct writer *writer, struct store_write *write);
/* Does a new task fit the quote that it is tied to? Also when it is tied to none. quote_writes.c */
int writer_check_quote(struct writer *writer, const struct store_write *write, bool *fits);
/* The quote gets its job. */
int writer_tie_quote(struct writer *writer, const struct store_write *write);
/* No quote without a job is good any more: it may have had one that this database does not know. */
int writer_close_quotes(struct writer *writer);
/* DATABASE_DONE when the key is new; DATABASE_ROW when it is known: then the outcome is set, and the stored answer. */
int writer_find_key(struct writer *writer, struct store_write *write);
int writer_insert_key(struct writer *writer, const struct idempotency *idempotency);
int writer_index(struct writer *writer, int status, int source, int64_t sequence);
int writer_unindex(struct writer *writer, int status, int source, int64_t sequence);

/* Runs a statement that has no parameters. */
int writer_run(struct writer *writer, enum write_statement which);
void writer_bind_text(struct statement *statement, int index, const char *text);
/* The same for what came from outside and is shown: it passes the cleaner. Without memory for that it is NULL. */
void writer_bind_clean(struct writer *writer, struct statement *statement, int index, bool json, const char *text);

/* The write failed, and says why `action` ("store the job") did. False when the group is lost with it. */
bool writer_refuse(struct writer *writer, struct store_write *write, const char *action);

/* Was the transaction committed whose answer was lost? It is found out, for as long as that may take (lost_commit.c). DATABASE_OK, DATABASE_DONE: it was
 * not, and will not be; DATABASE_UNKNOWN. */
enum database_result writer_settle(struct writer *writer);

/* BEGIN and COMMIT for upkeep.c, with the sums of budgets that were added to in between. A failure is in `writer->failure`, and the transaction is rolled back. */
bool writer_begin(struct writer *writer, bool synced);
bool writer_commit(struct writer *writer);
bool writer_fail(struct writer *writer, const char *action);
