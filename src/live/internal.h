/* internal.h - what the files of this room share. All of it belongs to the engine thread unless it says otherwise.
 *
 *   live.c      open, restore, close, the switch
 *   order.c     new jobs
 *   job_request.c  what other threads ask for
 *   job.c       the table of open jobs
 *   timer.c     when what is due
 *   provider_queue.c  one provider's queue: rate, concurrency, calls
 *   schedule.c  what a job wants now
 *   job_call.c  runs a script's function for a job
 *   outcome.c   what its result means for the job
 *   record.c    writes what happened to the registry
 *   money.c     what a job costs in the end
 *   history.c   how long jobs take
 *   budget_book.c  how much may be spent (any thread) */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "artifact/artifact.h"
#include "live/live.h"

/* ---- timers ---- */

struct timer {
	int64_t due_ns; /* monotonic; INT64_MAX: never */
	size_t place;	/* in the heap, from 1; 0: not in it */
	void (*fire)(struct live *live, struct timer *timer);
};

struct timers {
	struct timer **heap; /* [1..count], the earliest first */
	size_t count, capacity;
};

/* ---- one provider's queue ---- */

#define KNOWN_VENDOR_IDS 1024 /* told to scripts that look for a job of unknown outcome; the registry knows them all */

struct job_queue {
	struct live_job *first, **last;
};

struct provider_queue {
	struct timer timer; /* first: when it may send again */
	char *provider;
	struct job_queue ready; /* to be sent */
	struct job_queue due;	/* at the vendor, and in want of a call */
	int open;		/* jobs at the vendor, or on their way */
	bool sending;		/* provider_queue_send() is at work */
	int calls;		/* of the script, under way */
	size_t call_bytes;	/* of requests in them */
	double tokens;		/* submits that may go out now */
	int64_t filled_ns;
	int64_t blocked_ns;			  /* no submit before: the vendor said so */
	int refusals;				  /* of the rate, in a row, in which the vendor named no wait */
	char *known_vendor_ids[KNOWN_VENDOR_IDS]; /* the vendor's ids of the last jobs: one of unknown outcome is none of these */
	size_t known_at;
	struct provider_queue *next;
};

/* ---- jobs ---- */

/* What is under way for a job; one thing at a time. */
enum action {
	ACTION_NONE = 0,
	ACTION_SUBMIT,
	ACTION_POLL,
	ACTION_CANCEL,
	ACTION_RECONCILE,
	ACTION_WEBHOOK,
	ACTION_COPY,
	ACTION_WRITE
};

/* What an operator said of a job whose outcome is unknown. */
struct resolution {
	int status;
	int64_t cost;
	char *vendor_id;
	struct waiter *waiter; /* held: if its thread gave up before this began, it does not begin */
};

/* Who was told no finds nothing done later: one atomic step decides. */
enum waiter_stage {
	WAITER_WAITS = 0,
	WAITER_GAVE_UP,
	WAITER_TAKEN, /* what was asked for has begun */
};

/* A thread that waits for something about a job; counted by holders: the thread, the job, and its resolution. */
struct waiter {
	_Atomic int holders;
	_Atomic int stage; /* enum waiter_stage */
	sem_t notified;
	_Atomic bool done;
	enum waiting {
		WAIT_STEP = 0,
		WAIT_END,
		WAIT_CANCEL
	} waiting; /* for anything; the end; the end, or that it cannot be had */
	enum error_code code;
	struct error error;
	struct waiter *next;
};

struct vendor_webhook {
	json_t *json; /* { headers, body, json } */
	struct vendor_webhook *next;
};

struct live_job {
	struct timer timer; /* first: when it wants attention */
	struct id id;
	int64_t sequence;
	char *kind, *provider;
	struct provider_queue *provider_queue;
	enum task_status status;
	double progress;
	int64_t created_ms;
	struct task_live live; /* its texts are the job's own, see job_set_text() */
	struct task_money money;
	const char *vendor_id;
	const char *payload; /* JSON, long texts cut: what poll gets */
	char *webhook_url;   /* or NULL */
	int64_t done_ms;

	enum action action;
	bool counted;	      /* in queue->open */
	bool want_poll;	      /* now, whatever the timer says */
	int64_t nudged_ns;    /* when an unsigned delivery made it so last; 0: none did */
	int64_t nudge_due_ns; /* when one that came soon after counts; 0: there is none */
	bool want_cancel;
	bool completing;     /* its end is being written, or was */
	int polls;	     /* since something changed */
	int tries;	     /* of what is being tried again: reconcile, cancel */
	int64_t canceled_ns; /* when cancel was tried last */
	int requests;	     /* of its calls, since the start */
	int free_requests;   /* of them, those that the script marks as free, though they are no GET */
	int cancel_requests; /* and those of cancel */
	int64_t rests_ns;    /* no further call before, but a cancel */
	json_t *found;	     /* what reconcile found, while the registry is asked whose it is */
	int misses;	     /* reconcile looked and did not find it */
	struct resolution *resolution;
	struct vendor_webhook *vendor_webhooks;
	struct waiter *waiters;
	struct completion *completion; /* how it will end, while outputs are copied and the end is written */

	struct engine_note note; /* its acceptance, later the end of its writes */
	struct store_write write;
	struct task_live written; /* what `write` says */
	char *event_texts[STORE_EVENTS];
	bool unwritten; /* the write failed and is tried again */
	void (*then)(struct live *live, struct live_job *job);
	void (*ordered)(struct store_write *write); /* of who ordered it: `done` of the write of its row */
	struct live *owner;
	struct job_queue *queue; /* of its queue, that it stands in; or NULL */
	struct live_job *next_queued;
	struct live_job *next; /* in the table's chain */
};

#define JOB_CHAINS 4096
#define HISTORY 64

struct history {
	char *provider;
	int64_t took_ms[HISTORY];
	int count, at;
	struct history *next;
};

struct live {
	struct engine *engine;
	struct task_store *store;
	struct gate *gate;
	struct provider_loader *loader;
	struct artifacts *artifacts;
	struct webhooks_in *webhooks_in;
	struct budget_book *budget;
	char *stop_file;
	pthread_mutex_t switch_lock; /* who turns the switch takes turns; held across the disk, and taken by nobody else */
	_Atomic bool stopped;
	_Atomic bool leaving; /* nobody waits any more: the host stops */
	struct timers timers;
	struct timer gate_timer; /* when held-back jobs look again */
	struct provider_queue *provider_queues;
	struct live_job *chains[JOB_CHAINS];
	size_t jobs;
	struct job_call *job_calls;	       /* all under way */
	_Atomic size_t counts[LIVE_ENDED + 1]; /* jobs by phase; read by any thread */
	pthread_mutex_t history_lock;	       /* guards `history` */
	struct history *history;
	uint64_t random;
	struct engine_note wake_note;
	_Atomic bool wake_posted;
};

/* job.c */
struct live_job *job_make(struct live *live, const struct id *id, const char *kind, const char *provider);
void job_free(struct live_job *job);
void job_add(struct live *live, struct live_job *job);
void job_remove(struct live *live, struct live_job *job); /* and frees it */
struct live_job *job_find(struct live *live, const struct id *id);
void job_set_phase(struct live *live, struct live_job *job, enum live_phase phase);
void job_set_text(const char **text, const char *value); /* a copy of `value`, or NULL; of one of the job's own texts */
void job_set_reason(struct live *live, struct live_job *job, const char *reason);		  /* masked; NULL: none */
bool job_is_anothers(const struct live *live, const struct live_job *job, const char *vendor_id); /* open, at this vendor */
void job_drop_webhooks(struct live_job *job);
void job_drop_resolution(struct live_job *job);
void resolution_free(struct resolution *resolution);
void job_notify(struct live_job *job, bool ended, enum error_code code, const struct error *error); /* its waiters */
void waiter_release(struct waiter *waiter);
bool waiter_take(struct waiter *waiter); /* false: its thread was told no */

/* timer.c */
void timers_free(struct timers *timers);
void timer_set(struct live *live, struct timer *timer, int64_t due_ns);
void timer_clear(struct live *live, struct timer *timer);
int64_t timers_fire(void *live, int64_t now_ns); /* as engine_set_clock() wants it */

/* provider_queue.c */
struct provider_queue *provider_queue_of(struct live *live, const char *provider);
void provider_queues_free(struct live *live);
void provider_queue_note_vendor_id(struct provider_queue *queue, const char *vendor_id);
bool provider_queue_knows_vendor_id(const struct provider_queue *queue, const char *vendor_id);
void provider_queue_count(struct live_job *job, bool open); /* as one of max_concurrent, or not any more */
/* How often the vendor has refused the rate before this time; counts it. */
int provider_queue_refused(struct provider_queue *queue);

/* The vendor did not refuse the rate. */
void provider_queue_taken(struct provider_queue *queue);
void provider_queue_block(struct live *live, struct provider_queue *queue, double seconds);
void provider_queue_wait(struct live_job *job);	 /* to be sent */
void provider_queue_leave(struct live_job *job); /* whatever it waited for */
bool provider_queue_leaves_unsent(struct live *live, struct live_job *job);
void provider_queue_call(struct live *live, struct live_job *job); /* what it wants: now if there is room, else in turn */
/* Why nothing that may cost may be sent to this provider now; NULL: it may. `own` is its configuration. */
const char *provider_queue_held_back(struct live *live, const char *id, const struct gate_view *view, const char *kind,
	const struct config_live_provider **own);
bool provider_queue_has_room(const struct provider_queue *queue, size_t bytes);
void provider_queue_calls_changed(struct live *live, struct provider_queue *queue); /* a call has ended */
void provider_queue_send(struct live *live, struct provider_queue *queue);	    /* what may be sent */
void provider_queues_send(struct live *live);

/* schedule.c */
int64_t schedule_after(double seconds); /* when a pause of so long is over: ns of the monotonic clock */
void schedule_in(struct live *live, struct live_job *job, double seconds); /* attention after about so long */
void schedule_never(struct live *live, struct live_job *job);		   /* until somebody asks */
void schedule_job(struct live *live, struct live_job *job);		   /* looks at an idle job and starts what it needs */
enum action schedule_wanted(const struct live_job *job);
void schedule_due(struct live *live, struct timer *timer); /* a job's timer came */
double schedule_jitter(struct live *live);

/* job_call.c */
void job_call_start(struct live *live, struct live_job *job, enum action action);
void job_calls_free(struct live *live);

/* outcome.c */
void outcome_of_call(struct live *live, struct live_job *job, enum action action, const struct engine_call *call);
void outcome_not_run(struct live *live, struct live_job *job, enum action action, const char *why);
void outcome_put_off(struct live *live, struct live_job *job, enum action action);
void outcome_hold(struct live *live, struct live_job *job, const char *reason, double seconds); /* nothing sent: try again */
void outcome_unknown(struct live *live, struct live_job *job, const char *reason);
void outcome_resolve(struct live *live, struct live_job *job);
void outcome_end(
	struct live *live, struct live_job *job, enum task_status status, const char *code, const char *message, bool billed);

/* record.c */
/* Writes the job as it stands; `verb` is the event's, or NULL for none. `then` is called on the engine thread once it is written; what cannot be
 * written is tried again until it can. */
void record_job(struct live *live, struct live_job *job, bool durable, const char *verb,
	void (*then)(struct live *live, struct live_job *job));
void record_retry(struct live *live, struct live_job *job);
/* Asks whether `vendor_id` is another job's: job->write.outcome says so when `then` is called, STORE_WRITTEN or STORE_VENDOR_ID_TAKEN. */
void record_find_vendor_id(
	struct live *live, struct live_job *job, const char *vendor_id, void (*then)(struct live *live, struct live_job *job));
void record_end(struct live *live, struct live_job *job, void (*then)(struct live *live, struct live_job *job));

/* money.c */
struct cost {
	int64_t micro_usd;  /* -1: not known */
	const char *source; /* whose figure: vendor, computed or operator */
};

struct cost money_cost(const json_t *result);
/* Settles job->money: what an end of this kind costs. */
void money_settle(struct live_job *job, enum task_status status, const struct cost *cost, const json_t *error);
struct budget_entry money_entry(const struct live_job *job);

/* completion.c: how a job ends: outputs are copied first, then the end is written. */
struct completion {
	enum task_status status;
	json_t *result;		 /* what the script returned; owned */
	struct provider *script; /* held; NULL: it is gone */
	struct gate *gate;
	const struct gate_view *view; /* held */
	json_t *provenance;
	struct artifact_copy copy;
	json_t *artifacts, *warnings;
	struct cost cost;
	char *text; /* the row's result */
};

/* Takes `result` over. */
void completion_begin(struct live *live, struct live_job *job, enum task_status status, json_t *result);
void completion_retry(struct live *live, struct live_job *job);
void completion_free(struct completion *completion);

/* history.c */
void history_note(struct live *live, const char *provider, int64_t took_ms);
void history_free(struct live *live);
