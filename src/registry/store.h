/* store.h - the registry's durable store.
 *
 * One thread writes, in groups: one commit for all writes that are waiting. Reads run on a small pool of read-only
 * connections, on the caller's thread, never waiting for a writer (SQLite WAL). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleaner.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/json_span.h"
#include "registry/budget_limit.h"
#include "registry/event_filter.h"
#include "registry/quote.h"
#include "registry/sources.h"
#include "registry/webhook_row.h"
#include "registry/task.h"
#include "registry/task_search.h"

struct task_store;
struct setting;
struct database_place;
struct host_change;

/* Opens or makes the database named by `url` ("sqlite:data/registry.db", relative to `home`), migrates an older schema, refuses a
 * newer one, and starts the store thread. Rows older than `keep_days` go (open and unknown ones never); idempotency records are
 * kept as long, and at least a week. */
enum error_code task_store_open(const char *home, const char *url, int keep_days, struct task_store **store, struct error *error);

/* Commits what is waiting, stops the thread, closes. */
void task_store_close(struct task_store *store);

/* May other hosts use the registry at the same time? */
bool task_store_is_shared(const struct task_store *store);

/* Is the database an older copy of what it was: have paid requests left since that it does not know of? Until task_store_accept(), which is to be
 * called once what it says of its jobs was put right. Before anything is written; blocks nobody. */
bool task_store_is_older(const struct task_store *store);
void task_store_accept(struct task_store *store);

void task_store_set_keep_days(struct task_store *store, int keep_days);

/* Where it is; valid as long as the store. */
const struct database_place *task_store_place(const struct task_store *store);

/* The store writes in the name of this run of a host from the next group on (cluster.h). `fenced` is called with the run, on the store thread, when the database
 * refused a group because the run was declared dead; it must not block. */
void task_store_set_run(struct task_store *store, int64_t run);
void task_store_on_fenced(struct task_store *store, void (*fenced)(void *context, int64_t run), void *context);

/* `moved` is called, on the store thread, when the registry was found on another server than before, which may lack what was committed last. It must
 * not block. */
void task_store_on_moved(struct task_store *store, void (*moved)(void *context), void *context);

/* What is stored of tasks and events passes here. Before anything is written. */
void task_store_set_cleaner(struct task_store *store, struct cleaner cleaner);

/* ---- writing ---- */

enum store_outcome {
	STORE_WRITTEN = 0,
	STORE_REPLAY,	       /* the idempotency key is known with the same body: nothing written; here is the stored answer */
	STORE_VENDOR_ID_TAKEN, /* STORE_CLAIM: another live job has this vendor's id; nothing written */
	STORE_HELD,	       /* STORE_PAY: the request may not leave now, `place` says why; nothing written */
	STORE_KEY_CLASH,       /* the key is known with another body: nothing written */
	STORE_SHORT,	       /* a budget does not allow the reservation: `error` says whose (budget_judge()); nothing written */
	STORE_TIE_BROKEN,      /* the job does not fit what it is tied to (any more): nothing written */
	STORE_NOT_OURS,	 /* the job belongs to another host: nothing written, and this one has nothing to do with it any more */
	STORE_UNCHANGED, /* STORE_QUOTE, STORE_SETTING: there is nothing to tell; its event is not written */
	STORE_FAILED,	 /* the database refused; `error` says why; nothing written */
};

struct idempotency {
	const char *key; /* scoped by API key name and route: "name\nroute\nkey"; NULL: none */
	unsigned char body_sha256[32];
	const char *answer; /* the whole answer body to replay */
	size_t answer_length;
	int status; /* its HTTP status */
};

/* What a known key was answered with. */
struct stored_answer {
	char *text; /* NUL-terminated; free() it */
	size_t length;
	int status;
};

enum store_kind {
	STORE_INSERT = 0, /* a new task, with its live half and its reservation if it has them */
	STORE_UPDATE, /* status, progress, vendor_id, result, live half and settlement of a live job; texts that are NULL stay */
	STORE_PAY, /* the same, and a paid request leaves once it is written: it is counted, beside the database too. Written only while live
			 execution is not stopped, and, where a place is wanted, the job is queued and `place` can be had, which is taken then */
	STORE_LOOK,  /* how `place` stands at the provider of the task, whose id is read; that it waits is noted, if it has to */
	STORE_CLAIM, /* vendor_id becomes the job's, unless it is that of another live job of the same kind and provider; nothing else of it is written */
	STORE_CLAIMED, /* `claimed` gets the vendor's ids that jobs of the task's provider have, of those that came at `since_ms` or soon after */
	STORE_REMOVE, /* the outputs of a job that has ended were taken away: it is noted, and no list of outputs has them any more */
	STORE_ACCEPT,	/* what an older copy of the database said was corrected: it is taken as the newest; `task` is not read */
	STORE_EMIT,	/* events only, of the host itself: `task` is not read */
	STORE_WEBHOOKS, /* changes of webhooks only: `task` is not read */
	STORE_QUOTE,	/* a change of a quote, with events of the host itself: `task` is not read */
	STORE_BUDGETS,	/* the sums of budgets are made anew from the ledger: `task` is not read */
	STORE_SETTING,	/* a setting (setting.h), with an event of the host itself: `task` is not read */
	STORE_HOST,	/* what a host does for others' sake (host_change.h): `task` is not read */
	STORE_WISH,	/* how a wish stands: of `task` the id is read, and `wish_news` */
};

/* An event, written in the commit of the change that it tells. */
struct store_event {
	const char *verb; /* of a task: "submit", "done", ... (its type is public.<kind>.<verb>); of the host: the whole type */
	const char *data; /* JSON: what is worth knowing beside the task; or NULL */
};

#define STORE_EVENTS 4

/* What a settled job has cost, by what decides the price. Texts are never NULL. */
struct store_observation {
	const char *provider, *model, *drivers;
	int64_t micro_usd;
	int64_t at_ms; /* when it was settled */
};

/* What else is written in the commit that registers a live job: what it was made for. All zero: nothing. */
struct store_ties {
	struct quote_tie quote; /* which quote it fulfils; of a dry run too */
	bool wished;		/* it is what somebody asked for who may ask again: */
	unsigned char wish[32]; /* the digest of what was asked */
	int64_t wished_ms;	/* by the clock of who looks for it */
	bool overtook;		/* asked for by a repeat: the first attempt was not seen yet, and may still come */
};

/* What is to be noted of a wish (job_wish.h). */
struct store_wish_news {
	bool answered;	/* who asked has the answer; it stays so, */
	bool lost;	/* unless its connection said later that it was not read */
	bool taken;	/* by another request than the one that made the job, */
	bool caught_up; /* which was the attempt that had been overtaken */
	bool forgotten; /* it is no reason any more to take the job over: nothing was paid, and the next one may pay */
	int64_t at_ms;
};

/* Why a paid request may not leave. */
enum place_refusal { PLACE_GIVEN = 0, PLACE_STOPPED, PLACE_BLOCKED, PLACE_FULL, PLACE_RATE };

/* A place at a provider, among those that the jobs of all hosts have. It is given back by the write that says so (task_live.slotted). */
struct store_place {
	bool wanted;	/* STORE_PAY: the job has none yet */
	int most;	/* places that there are: max_concurrent */
	int per_minute; /* that may be taken: rate_per_minute */
	/* Out: how it stands after the write. */
	enum place_refusal refusal;
	int open;	 /* places that are taken */
	int allowed;	 /* that the rate lets out now, */
	int64_t more_ms; /* and in how long one more; PLACE_BLOCKED: until the vendor may be asked again */
};

/* One write. The caller keeps the struct and all texts alive until `done` was called, on the store thread. */
struct store_write {
	enum store_kind kind;
	struct task task;
	struct store_event events[STORE_EVENTS];
	int event_count;
	const struct webhook_change *webhook_changes; /* made in the same commit, before the events are written */
	size_t webhook_change_count;
	const struct quote_change *quote_change; /* STORE_QUOTE */
	const struct setting *setting;		 /* STORE_SETTING */
	struct host_change *host_change;	 /* STORE_HOST */
	struct idempotency idempotency;		 /* STORE_INSERT */
	struct store_ties ties;			 /* STORE_INSERT of a live job */
	const struct budget_limits
		*limits;		  /* STORE_INSERT of a live job: what its accounts may spend; NULL: all that they want */
	struct store_wish_news wish_news; /* STORE_WISH */
	struct store_place place;	  /* STORE_PAY, STORE_LOOK */
	int64_t block_ms; /* STORE_UPDATE: the vendor wants to be left alone for so long, by all hosts; 0: it does not */
	int64_t since_ms; /* STORE_CLAIMED */
	const struct store_observation *observation; /* STORE_UPDATE: kept in the same commit, for estimates; or NULL */
	bool durable; /* true: synced to disk before done (live); false: survives kill -9, not power loss (dry run) */
	void (*done)(struct store_write *write);
	enum store_outcome outcome;
	struct error error;
	struct stored_answer replay; /* STORE_REPLAY */
	char *claimed;		     /* STORE_CLAIMED: a JSON list; free() it */
	int counted;		     /* the store's: number of the source whose task reached another status; 0: none did */
	struct store_write *next;    /* the store's */
};

/* Queues the write; never blocks on the disk. ERROR_BUSY when LIMIT_STORE_QUEUE writes are waiting, or the registry is away (then `done` is not
 * called). Any thread. */
enum error_code task_store_put(struct task_store *store, struct store_write *write);

/* Keeps a new dry run: it survives kill -9 from now on, and is in the database soon, once, with its event; `done` is not called, and nothing of the write is
 * needed any more. Who asks for it by its id finds it at once, and who reads lists, counts or events waits for it. False: use task_store_put(). The
 * registry is shared, the write is more than a dry run and one event, its provider is new, there is no room, or rows cannot be carried over just now. Any
 * thread; never blocks on the disk. */
bool task_store_keep(struct task_store *store, const struct store_write *write);

/* Takes a write back that the store has not begun: it is the poster's again, and `done` is not called. False: it is being written, or was. Any
 * thread. */
bool task_store_withdraw(struct task_store *store, struct store_write *write);

/* Notes that the outputs of a job that has ended were taken away (STORE_REMOVE), durably, and waits for it. ERROR_NOT_FOUND: no such job has ended;
 * ERROR_BUSY: nothing was or will be written; ERROR_PENDING: it is being written, and takes long; ERROR_IO. HTTP thread. */
enum error_code task_store_remove_outputs(struct task_store *store, const struct id *id, struct error *error);

/* Looks an idempotency key up without writing. STORE_WRITTEN means "not known"; `answer` is set for STORE_REPLAY only. Blocks on the disk briefly. */
enum store_outcome task_store_replay(
	struct task_store *store, const struct idempotency *idempotency, struct stored_answer *answer, struct error *error);

/* `notify` is called after each commit that wrote events, with the number of the newest, on the store thread; and on any other when another host's commit
 * was heard of (task_store_hear()). Numbers may come out of order. It must not block. Before anything is written. */
void task_store_on_events(struct task_store *store, void (*notify)(void *context, int64_t newest), void *context);

/* ---- reading ---- */

enum task_dryness { TASKS_ALL = 0, TASKS_LIVE, TASKS_DRY };

/* Which tasks; all zero: every one. */
struct task_filter {
	unsigned statuses; /* bits 1 << enum task_status; 0: any */
	struct source_filter sources;
	enum task_dryness dryness;
	const char *caller; /* only those of this API key, or NULL */
	int64_t since_ms;   /* created at or after; created_ms is at most a second later than its id */
	int64_t until_ms;   /* created before; 0: any */
	const struct task_search *
		search; /* or NULL. An id that a job has, or of a live job its vendor or its request, is found at once, and then only that */
};

/* A walk through them, newest first. */
struct task_walk {
	struct task_filter filter;
	int64_t before; /* only rows with a smaller id_sequence, 0: from the newest on; moves on to the last row that was looked at */
	int limit;	/* rows to visit */
	bool oldest_first; /* the other way round: `before` is the row that it goes on after, 0: from the oldest on. Not with a search, nor for live
			      jobs alone */
	bool ended; /* out: nothing more passes */
};

/* Calls `visit` for each row that passes; texts are valid during the call. A visitor that returns false ends the walk before its row: `before`
 * stays at the one before. It looks at no more than LIMIT_LIST_SCAN rows: without `ended`, walk on. What only the start needs of a live job (request,
 * state, expected) is NULL. ERROR_IO, or ERROR_BUSY when all readers are busy for LIMIT_STORE_READER_WAIT_MS. A visitor must not call the
 * store. Any thread. */
enum error_code task_store_list(struct task_store *store, struct task_walk *walk,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* How many tasks of a kind and provider stand how; by enum task_status. */
struct task_count {
	const char *kind;
	const char *provider;
	int64_t counts[TASK_STATUSES];
};

/* Calls `visit` for each kind and provider that pass, with how many of their tasks do; a search does not count. Errors as task_store_list(). Costs a
 * look at an index for each task, of one caller's tasks at each row. */
enum error_code task_store_count(struct task_store *store, const struct task_filter *filter,
	void (*visit)(void *context, const struct task_count *count), void *context, struct error *error);

/* Calls `visit` for the live jobs that are done, of the newest `limit` of those that came at `since_ms` or after, with how long each took at its vendor.
 * Errors as task_store_list(). */
enum error_code task_store_durations(struct task_store *store, const struct task_filter *filter, int64_t since_ms, int limit,
	void (*visit)(void *context, const char *provider, int64_t took_ms), void *context, struct error *error);

/* One row, as task_store_list(). ERROR_NOT_FOUND when there is none (the whole id must match). */
enum error_code task_store_get(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* An output of a live job. */
struct artifact_row {
	const struct task *task;
	int n;
	struct json_span entry; /* of the result's `artifacts` */
};

/* A walk through them, of the newest job first, and of each job in their order. */
struct artifact_walk {
	struct task_filter filter; /* statuses and dryness do not count */
	unsigned media;		   /* bits 1 << enum artifact_media; 0: any */
	int64_t before; /* begins behind the output `before_n` of this job, 0: with the newest; moves on as that of task_walk */
	int before_n;
	int limit;
	bool ended;
};

/* As task_store_list(). */
enum error_code task_store_artifacts(struct task_store *store, struct artifact_walk *walk,
	bool (*visit)(void *context, const struct artifact_row *row), void *context, struct error *error);

/* A live job's request as it was previewed when it was registered, JSON. ERROR_NOT_FOUND: there is none. */
enum error_code task_store_upstream(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const char *upstream), void *context, struct error *error);

/* Every live job of this owner that has not ended, oldest first, whole. For the start: it reads on the caller's thread, as task_store_list does. */
enum error_code task_store_open_jobs(struct task_store *store, int64_t owner,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* Those with these sequences that have not ended, as task_store_open_jobs. */
enum error_code task_store_jobs(struct task_store *store, const int64_t *sequences, size_t count,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* What settled jobs have cost, oldest first: the last LIMIT_OBSERVED_ROWS and some. As task_store_open_jobs. */
enum error_code task_store_observed(struct task_store *store, bool (*visit)(void *context, const struct store_observation *seen),
	void *context, struct error *error);

/* The newest live jobs, at most `limit`, newest first. As task_store_open_jobs. */
enum error_code task_store_recent_jobs(struct task_store *store, int limit, bool (*visit)(void *context, const struct task *task),
	void *context, struct error *error);

/* The money of a day by provider, caller and door. */
struct ledger_sum {
	int64_t day; /* days since 1970, UTC */
	const char *kind;
	const char *provider;
	const char *caller; /* or NULL */
	enum job_door door;
	int64_t reserved; /* of jobs that are not settled, micro-dollars */
	int64_t spent;	  /* of settled ones */
	int64_t jobs;	  /* all of them */
	int64_t open;	  /* those not settled */
};

#define LEDGER_WHOLE INT64_MIN /* as `from_day` */

/* Sums of the ledger since `from_day`, oldest day first. Texts are valid during the call. */
enum error_code task_store_ledger(struct task_store *store, int64_t from_day,
	bool (*visit)(void *context, const struct ledger_sum *sum), void *context, struct error *error);

/* ---- events ---- */

/* One row of the log of events. */
struct event_row {
	int64_t number;
	int64_t at_ms;
	const char *verb;	 /* of a task; of the host: the whole type */
	const char *data;	 /* JSON, or NULL */
	const struct task *task; /* as it stands now; NULL: an event of the host */
};

/* A walk through the log, oldest first. */
struct event_walk {
	const struct event_filter *filter; /* or NULL: all */
	int64_t after;			   /* only larger numbers; moves on to the last row that was looked at */
	int limit;			   /* rows to visit */
	bool follows; /* it was told of these events: what was answered meanwhile, and is not committed yet, is not waited for */
	bool ended;   /* out: nothing newer was there */
};

/* Calls `visit` for each row that passes; texts are valid during the call. A visitor that returns false ends the walk after its row. It looks
 * at no more than LIMIT_EVENT_SCAN rows: without `ended`, walk on. Errors as task_store_list(). A visitor must not call the store. Any
 * thread. */
enum error_code task_store_events(struct task_store *store, struct event_walk *walk,
	bool (*visit)(void *context, const struct event_row *row), void *context, struct error *error);

/* The number of the newest event that is known to be committed; 0: there is none. What was answered before is waited for. What other hosts have committed just now may not be known yet. Any
 * thread. */
int64_t task_store_newest_event(struct task_store *store);

/* The same, and where other hosts write too the registry itself is asked, and who listens is told. Errors as task_store_list(). Any thread. */
enum error_code task_store_find_newest_event(struct task_store *store, int64_t *newest, struct error *error);

/* Another host has written events up to this number: who listens is told, if it is news. Any thread; never blocks on the disk. */
void task_store_hear(struct task_store *store, int64_t newest);

/* How many tasks of each provider reached each status since the start. Any thread. */
void task_store_counts(struct task_store *store,
	void (*visit)(void *context, const char *kind, const char *provider, enum task_status status, uint64_t count),
	void *context);

/* Has the registry's server not answered for LIMIT_STORE_AWAY_MS, or is there no connection to it? Then nothing is taken to be stored, and it is tried
 * again until there is one. Never of a file. Any thread. */
bool task_store_is_away(const struct task_store *store);

/* Why it cannot be written now: the last write failed (it is tried again and again), or one takes too long. False: it can. Any thread. */
bool task_store_problem(struct task_store *store, char *text, size_t size);

/* Sums of budgets that were found not to be those of the ledger since the start, and were put right. Any thread. */
uint64_t task_store_budget_differences(struct task_store *store);

/* Writes waiting now. */
size_t task_store_backlog(struct task_store *store);

/* How long the groups of writes took since the start. Any thread. */
void task_store_commit_times(struct task_store *store, uint64_t values[HISTOGRAM_COUNTERS]);
