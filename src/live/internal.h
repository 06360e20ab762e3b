/* internal.h - what the files of this folder share.
 *
 * Thread: the engine's, unless a prototype says otherwise. Other threads come in by notes (job_request.c, vendor_webhook.c, order.c, switch.c).
 *
 * A job's life: made by an order or a restart, freed in completion_written() alone, which nobody calls: it is the step after the job's last write.
 * So whoever has a job may touch it after any function of this file but job_remove() and job_free().
 *
 * One thing is under way for a job at a time; `action` says which. What a function does to a job is said with one of four words:
 *   reads    nothing changes.
 *   changes  members change, nothing begins. Not the texts and the money while ACTION_WRITE: the store reads them then.
 *   steps    the job's next thing begins, or it is left to its timer or its queue. Only while ACTION_NONE; after it the caller is done with the job.
 *            What comes after a write is its `job_step`, called with ACTION_NONE again.
 *   looks    steps if nothing is under way, else does nothing: safe at any time; the caller is done with the job, too. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "artifact/artifact.h"
#include "live/live.h"
#include "registry/host_change.h"

/* ---- timers ---- */

struct timer {
	int64_t due_ns; /* monotonic; INT64_MAX: never */
	size_t place;	/* in the heap, from 1; 0: not in it */
	void (*fire)(struct timer *timer);
};

struct timers {
	struct timer **heap; /* [1..count], the earliest first */
	size_t count, capacity;
};

/* ---- one provider's queue ---- */

/* What is known of the places at the provider and of its rate; lane.c. */
struct lane {
	int open;	 /* places that jobs of all hosts have */
	int own;	 /* of them, those of this host's jobs */
	int starting;	 /* calls that will want one */
	int allowed;	 /* jobs that the rate lets out, */
	int64_t more_ns; /* when one more, */
	int64_t step_ns; /* and how long after that the next */
	int per_minute;	 /* the rate that it was told for; 0: nothing was told yet */
	int64_t told_ns;
	bool looking;	 /* the store is being asked */
	int64_t look_ns; /* not before */
	struct store_write look;
	struct engine_note note;
	struct engine *engine;
};

struct job_queue {
	struct live_job *first, **last;
};

#define QUEUE_KINDS (KIND_COUNT + 1) /* the last is for kinds that nobody knows */

struct provider_queue {
	struct timer timer; /* first: when it may send again */
	struct live *live;
	char *provider;
	struct job_queue ready[QUEUE_KINDS]; /* to be sent: of each kind, whose flag may hold it back */
	uint64_t readied;		     /* jobs that have stood there: numbers them */
	struct job_queue due;		     /* at the vendor, and in want of a call */
	struct lane lane;
	bool sending;		  /* provider_queue_send() is at work */
	int calls;		  /* of the script, under way */
	size_t call_bytes;	  /* of requests in them */
	int64_t blocked_ns;	  /* no submit before: the vendor said so */
	int refusals;		  /* of the rate, in a row, in which the vendor named no wait */
	json_t *claimed;	  /* the vendor's ids that jobs have, as the registry said; NULL: it was not asked yet */
	int64_t claimed_ns;	  /* when, */
	int64_t claimed_since_ms; /* and of jobs that came when */
	struct provider_queue *next;
};

/* ---- jobs ---- */

/* What is done to a job when something else is done. ACTION_NONE; steps. */
typedef void job_step(struct live_job *job);

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

/* Where the client's answer is no, nothing is done later: one atomic step decides. */
enum waiter_stage {
	WAITER_WAITS = 0,
	WAITER_GAVE_UP,
	WAITER_TAKEN, /* what was requested has begun */
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
	/* nobody of this host waits: who asked is told in the registry (asked.c) */
	struct live *live;
	int64_t ask;   /* its number; 0: a thread waits */
	int64_t asker; /* its run; 0: nobody waits, the ask goes */
};

struct vendor_webhook {
	json_t *json; /* { headers, body, json } */
	struct vendor_webhook *next;
};

struct live_job {
	struct timer timer; /* first: when it wants attention */
	struct live *owner;
	struct id id;
	char *kind, *provider;
	struct provider_queue *provider_queue;
	enum task_status status;
	double progress;
	int64_t created_ms;
	struct task_live live; /* its texts are the job's own, see job_set_text() */
	struct task_money money;
	const char *vendor_id;
	const char *payload;		     /* JSON, long texts cut: what poll gets */
	char *priced_model, *priced_drivers; /* whose price it tells when it is settled; NULL: nobody's */
	char *webhook_url;		     /* or NULL */

	/* what it wants, and what was tried */
	enum action action;
	bool forgotten;	      /* it is another host's */
	int64_t adopted_ns;   /* when it became this run's, another's before; 0: it was born here */
	bool starting;	      /* counted as such in the queue's lane */
	bool placed;	      /* the same, as one of its own */
	int64_t block_ms;     /* its vendor wants to be left alone: for its next write */
	int64_t place_ns;     /* of unknown outcome: it gives its place back then */
	bool want_poll;	      /* now, whatever the timer says */
	int64_t nudged_ns;    /* when an unsigned webhook made it so last; 0: none did */
	int64_t nudge_due_ns; /* when one that came soon after counts; 0: there is none */
	bool want_cancel;
	int polls;	     /* since something changed */
	int tries;	     /* of what is being tried again: reconcile, cancel */
	int64_t canceled_ns; /* when cancel was tried last */
	int requests;	     /* of its calls, since the start */
	int free_requests;   /* of them, those that the script marks as free, though they are no GET */
	int cancel_requests; /* and those of cancel */
	int64_t rests_ns;    /* no further call before, but a cancel */
	json_t *answer;	     /* to its submit, until that is written */
	json_t *late;	     /* what another host learned of it after it was declared dead, until that is looked at */
	json_t *found;	     /* what reconcile found, while the registry looks whose it is */
	int misses;	     /* reconcile looked and did not find it */
	struct resolution *resolution;
	struct vendor_webhook *vendor_webhooks;
	struct waiter *waiters;
	struct completion *completion; /* from its end on: how it ends, while outputs are copied and the end is written */

	/* its writes */
	struct engine_note note; /* its row is written; later: its outputs are copied, its step is written */
	struct store_write write;
	struct task_live written;	      /* what `write` says */
	struct budget_limits limits;	      /* of the write of its row */
	struct store_observation observation; /* and what the job has cost */
	char *event_texts[STORE_EVENTS];
	bool unwritten;				    /* the write failed and is tried again */
	job_step *then;				    /* after `write` */
	void (*ordered)(struct store_write *write); /* of who ordered it: `done` of the write of its row */

	/* where it stands */
	struct job_queue *queue; /* one of `ready`, or `due`, of its provider's; or NULL */
	uint64_t ready_number;	 /* in `ready`: the lowest is the next */
	struct live_job *next_queued;
	struct live_job *next; /* in the table's chain */
};

#define JOB_CHAINS 4096

struct live {
	struct engine *engine;
	struct task_store *store;
	struct cluster *cluster;
	struct event_hub *events;
	struct elsewhere *elsewhere; /* NULL: no other host uses the registry */
	struct gate *gate;
	struct provider_loader *loader;
	struct artifacts *artifacts;
	struct webhooks_in *webhooks_in;
	const struct model_source *models;
	pthread_mutex_t switch_lock; /* who turns the switch takes turns; held across the disk, and taken by nobody else */
	int64_t switch_revision;     /* under that lock: of the newest that is known */
	_Atomic bool stopped;
	_Atomic bool leaving; /* nobody waits any more: the host stops */
	struct timers timers;
	struct timer gate_timer; /* when held-back jobs look again */
	struct provider_queue *provider_queues;
	struct live_job *chains[JOB_CHAINS];
	struct takeover *takeover;   /* NULL: nobody shares the registry */
	pthread_mutex_t asking_lock; /* guards `asking` */
	struct asking *asking;	     /* what threads of this host wait for */
	struct live_job *forgotten;  /* another host's by now; what is under way for each ends here */
	_Atomic size_t jobs;
	struct job_call *job_calls;	       /* all under way */
	_Atomic size_t counts[LIVE_ENDED + 1]; /* jobs by phase; read by any thread */
	pthread_mutex_t history_lock;	       /* guards `history` */
	struct history *history;
	pthread_mutex_t excess_lock; /* guards `excess` */
	struct excess *excess;
	struct observed *observed;
	uint64_t random;
	struct engine_note wake_note;
	_Atomic bool wake_posted;
};

/* job.c */

/* A job that nobody finds yet, and without a queue to wait in, which it gets on the engine's thread (provider_queue_of()). Any thread. */
struct live_job *job_new(struct live *live, const struct id *id, const char *kind, const char *provider);

/* Its waiters are sent away, its texts freed. Any thread while nobody else has the job; NULL is allowed. */
void job_free(struct live_job *job);

/* It is open from now on: found, and counted. Changes. */
void job_add(struct live_job *job);

/* The opposite, from every list; frees the job. */
void job_remove(struct live_job *job);

/* It is another host's: it is not found any more, and who waits for it is sent away. It is freed at once, or, while something is under way for it, by
 * job_forgotten(). Step; the job may be gone after it. */
void job_forget(struct live_job *job);

/* What was under way has ended. True: the job is another host's, and is freed. */
bool job_forgotten(struct live_job *job);

/* Or NULL. The job is as it stands: `action` says whether something is under way. */
struct live_job *job_find(struct live *live, const struct id *id);

/* The job whose `note` it is. */
struct live_job *job_of_note(struct engine_note *note);

/* Changes. */
void job_set_phase(struct live_job *job, enum live_phase phase);
void job_set_text(const char **text, const char *value);       /* one of the job's own texts: a copy of `value`, or NULL */
void job_set_reason(struct live_job *job, const char *reason); /* masked; NULL: none */
void job_drop_webhooks(struct live_job *job);

/* Has another open job of this provider that id at the vendor? Reads. */
bool job_is_anothers(const struct live_job *job, const char *vendor_id);

/* waiter.c */

/* With two holders: the thread that waits, and the job (or the request on its way to it). Any thread. */
struct waiter *waiter_make(enum waiting waiting);
struct waiter *waiter_hold(struct waiter *waiter);
void waiter_release(struct waiter *waiter);

/* HTTP thread. False: it was not notified in time, or the host stops. */
bool waiter_wait(struct live *live, struct waiter *waiter, const struct live_patience *patience);

/* Which of the two was first? What is requested begins (false: its client's answer was no); its client gives up (false: it has begun). Any thread. */
bool waiter_take(struct waiter *waiter);
bool waiter_give_up(struct waiter *waiter);

/* One for who asked at another host; with the job as its only holder. What is asked for has begun. */
struct waiter *waiter_make_of_ask(struct live *live, int64_t ask, int64_t asker, enum waiting waiting);

/* Lets go of all waiters: who waits here is told to ask again, who asked at another host is left to the job's next owner. */
void job_leave_waiters(struct live_job *job);

/* Lets go of it, too. `error` is copied, or NULL. */
void waiter_notify(struct waiter *waiter, enum error_code code, const struct error *error);

/* Notifies those that wait for this: all when it has ended; else not those that wait for the end. Changes its list of waiters alone, at any time. */
void job_notify(struct live_job *job, bool ended, enum error_code code, const struct error *error);

/* vendor_webhook.c, job_request.c: any thread; NULL is allowed. */
void vendor_webhook_free(struct vendor_webhook *webhook);
void resolution_free(struct resolution *resolution);

/* elsewhere.c: where other hosts use the registry too; else all but the last do nothing. What their jobs tell is noted from now on, until it is stopped: while
 * the engine runs. ERROR_IO. */
enum error_code elsewhere_open(struct live *live, struct error *error);
void elsewhere_stop(struct live *live);
void elsewhere_free(struct live *live);

/* Waits until a job that is not this host's has ended, at most until then (monotonic). True: it has, or there is none. HTTP thread. */
bool elsewhere_wait(struct live *live, const struct id *id, const struct live_patience *patience, int64_t until_ns);

/* timer.c: a timer belongs to who has it in a struct of his, and is cleared before that is freed. */
void timers_free(struct timers *timers);
void timer_set(struct live *live, struct timer *timer, int64_t due_ns);
void timer_clear(struct live *live, struct timer *timer);
int64_t timers_fire(void *live, int64_t now_ns); /* as engine_set_clock() wants it */

/* provider_queue.c */

/* The provider's queue, made if need be; it lives as long as `live`. */
struct provider_queue *provider_queue_of(struct live *live, const char *provider);
void provider_queues_free(struct live *live);

/* The vendor refused the rate: returns how often it had before, and counts it. It did not: forgets them. No submit before `seconds` are over: of this host
 * at once, of others when the job's next write is. */
int provider_queue_refused(struct provider_queue *queue);
void provider_queue_taken(struct provider_queue *queue);
void provider_queue_block(struct live_job *job, double seconds);

/* The job stands in the queue, to be sent; it leaves it, whatever it waited for there. Changes. */
void provider_queue_wait(struct live_job *job);
void provider_queue_return(struct live_job *job); /* where it stood before it was to be sent */
void provider_queue_leave(struct live_job *job);

/* Calls the function that the job wants now: at once if there is room, else in its turn. Steps. */
void provider_queue_call(struct live_job *job);

/* Ends a queued job that is to be canceled, or is overdue: it does not wait for its turn. True: it steps. */
bool provider_queue_leaves_unsent(struct live_job *job);

/* Sends what may be sent; writes why nothing may. Looks at all jobs of the queue. */
void provider_queue_send(struct provider_queue *queue);
void provider_queues_send(struct live *live);

/* A call has ended: others may have its place. Looks at all jobs of the queue. */
void provider_queue_calls_changed(struct provider_queue *queue);

/* claim.c */

/* Are the vendor's ids that jobs of its provider have known well enough for this one? If not, the registry is asked, and the job is looked at again then.
 * Reads; steps. */
bool claim_is_known(const struct live_job *job);
void claim_ask(struct live_job *job);

/* Those that are not its own: a new list. Reads. */
json_t *claim_ids(const struct live_job *job);

/* A job has this one (NULL: none). Changes. */
void claim_note(struct provider_queue *queue, const char *vendor_id);

/* Jobs that came since then may have an id that looks like this one's. Reads. */
int64_t claim_since_ms(const struct live_job *job);

/* lane.c: changes, but for lane_opens(), which may ask the store, and has the queue looked at again then. */

/* When the queue may send its first job; 0: now; INT64_MAX: when one of its jobs has ended, or the store has answered. */
int64_t lane_opens(
	struct provider_queue *queue, const struct live_job *job, const struct config_live_provider *own, int64_t now_ns);

/* The store has said how the lane stands. Nothing is sent before `until_ns`. */
void lane_told(struct provider_queue *queue, const struct store_place *place);
void lane_block(struct provider_queue *queue, int64_t until_ns);

/* The job's call begins that will want a place; it has what it wanted, or wants none any more. */
void lane_start(struct live_job *job);
void lane_started(struct live_job *job);

/* It has a place, and the store has said so with how the lane stands; it takes one; it has none any more. */
void lane_has(struct live_job *job);
void lane_take(struct live_job *job);
void lane_leave(struct live_job *job);

/* switch.c */

/* How the switch stands in the registry; at first, as the file of earlier versions in the folder `data` says. Errors as task_store_set(). At the start. */
enum error_code switch_open(struct live *live, const char *data, struct error *error);

/* live_held_back() for who has a view. `own`: the provider's part of its configuration. Any thread. */
const char *switch_held_back(struct live *live, const struct gate_view *view, const char *kind, const char *provider_id,
	const struct config_live_provider **own);
void switch_gate_due(struct timer *timer); /* live->gate_timer came */

/* schedule.c */

/* When a pause of so many seconds is over, in ns of the monotonic clock. */
int64_t schedule_after(double seconds);

/* Attention after about so long; when a request comes. Changes. */
void schedule_in(struct live_job *job, double seconds);
void schedule_never(struct live_job *job);

/* Finds what the job wants now. Looks. */
void schedule_job(struct live_job *job);

/* The same, after who waits for a step of it is notified: the usual `job_step`. */
void schedule_next(struct live_job *job);
void schedule_due(struct timer *timer); /* a job's timer came */

/* Which function. Reads. */
enum action schedule_wanted(const struct live_job *job);

/* pause.c: seconds. Reads. */
#define PAUSE_FIRST_POLL_SECONDS 1.0
#define PAUSE_MOST_SECONDS 86400.0 /* that a script or a vendor may want */

/* From 0 to 1. */
double pause_jitter(struct live *live);

/* Grows from poll to poll, from what the script or the vendor wants in `result` (or NULL), and is never shorter than that. */
double pause_before_poll(const struct live_job *job, const json_t *result);
double pause_before_reconcile(const struct live_job *job);

/* Doubles with every try: from `first`, and never shorter than that, when the vendor named no wait; from a second, when nothing came through. */
double pause_after_refusal(struct live *live, double first, int tries, double most);
double pause_before_retry(struct live *live, int tries, double most);

/* restore.c */

/* Makes the registry's open jobs, and lets each step. `restored` as in live_options. ERROR_IO, ERROR_BUSY: as the store's lists. */
enum error_code restore_jobs(struct live *live, bool restored, struct error *error);

/* A row as a job of this run, without a queue; any thread. Then it is open; engine thread. */
struct live_job *restore_row(struct live *live, const struct task *task, int64_t run);
void restore_adopted(struct live_job *job);

/* takeover.c: jobs that come from other hosts, and that go to them */

/* Makes at most so many open jobs that are nobody's this run's: which run that is, and their sequences, to be free()d. Not the engine's thread, but at the start. */
enum error_code takeover_adopt(
	struct live *live, int limit, int64_t *run, int64_t **sequences, size_t *count, struct error *error);

/* Starts the thread of it, where the registry is shared. ERROR_IO: there is none to be had. Then: hears of the other hosts from now on. */
enum error_code takeover_open(struct live *live, struct error *error);
void takeover_begin(struct live *live);
void takeover_free(struct live *live);

/* asking.c: what this host asks the owner of a job for. */

/* HTTP thread. As the functions of live.h that ask for something; takes `body` over. */
enum error_code asking_run(struct live *live, const struct id *id, enum ask_wish wish, char *body,
	const struct live_patience *patience, struct error *error);

/* Puts it, unless the job is this run's (*own), or there was one of this job with this digest (32 bytes; or NULL) before. HTTP thread; takes `body` over.
 * ERROR_NOT_FOUND: the job is not open. */
enum error_code asking_put(struct live *live, const struct id *id, enum ask_wish wish, char *body, const unsigned char *digest,
	bool *own, struct error *error);

/* The same without waiting, tried again until it is done; engine thread. */
void asking_tell(struct live *live, const struct id *id, enum ask_wish wish, char *body);
void asking_answered(struct live *live); /* takeover's thread: some are */

/* asked.c: what other hosts ask of this one's jobs. */
void asked_take(struct live *live); /* takeover's thread: there is something */
void asked_answer(
	struct live *live, int64_t ask, int64_t asker, enum error_code code, const struct error *error); /* any thread */

/* job_request.c, vendor_webhook.c: the same as for who asked here; engine thread. */
void job_request_asked(struct live *live, const struct job_ask *ask);
void vendor_webhook_asked(struct live *live, const struct job_ask *ask);

/* late.c: what a host knows of a job that is another's by now. Engine thread. */
void late_keep(struct live_job *job, const json_t *result);		   /* the answer to a submit, until late_forget() */
void late_forget(struct live_job *job);					   /* it is written */
void late_tell(struct live_job *job);					   /* what was kept goes to the job's owner */
void late_tell_call(struct live_job *job, const struct engine_call *call); /* the same of a submit that has just ended */
void late_asked(struct live *live, const struct job_ask *ask);		   /* another host tells */
void late_step(struct live_job *job); /* job->late, of a job whose outcome is unknown, is looked at. Step */

/* job_call.c */

/* Runs the script's function for the job; then outcome_of_call(). If it cannot be run, outcome_not_run() at once. Steps. */
void job_call_start(struct live_job *job, enum action action);

/* After the engine has stopped; before the jobs go. */
void job_calls_free(struct live *live);

/* result.c: what a script's function returned (an object, or NULL). Any thread; texts are the result's. */

/* A number from 0 to `most`, else `otherwise`. */
double result_number(const json_t *result, const char *name, double most, double otherwise);
bool result_has(const json_t *result, const char *status);
enum task_status result_status(const json_t *result); /* TASK_RUNNING when it says none that is known */
bool result_is_end(const json_t *result);
const char *result_reason(const json_t *result, const char *otherwise);
bool result_is_put_off(const json_t *result); /* of a submit: the vendor says "not now", and took nothing */
bool result_leaves_open(
	const json_t *result, bool paid); /* of a submit: whether the vendor took the job; `paid`: a paid request is out */

/* outcome.c */

/* A call has ended: `action` was under way. Steps. */
void outcome_of_call(struct live_job *job, enum action action, const struct engine_call *call);

/* There was no function to run, and `why`. Steps, or leaves it to the timer. */
void outcome_not_run(struct live_job *job, enum action action, const char *why);

/* Nothing was sent, or the vendor took nothing: it stands in its queue again after a pause. Steps. */
void outcome_hold(struct live_job *job, const char *reason, double seconds);

/* An end that the host itself makes. Steps, for the last time. */
void outcome_end(struct live_job *job, enum task_status status, const char *code, const char *message, bool billed);

/* The vendor has the job: it has ended, or goes on with this status. `result` is borrowed. Step. */
void outcome_take(struct live_job *job, json_t *result);
void outcome_go_on(struct live_job *job, const json_t *result, enum task_status status);

/* Why a script gave no result: its refusals, or its error; written into `text`. Was it want of memory? */
#define OUTCOME_FAILURE_BYTES 400
const char *outcome_failure(const struct script_call *script, char text[OUTCOME_FAILURE_BYTES]);
bool outcome_was_starved(const struct script_call *script);

/* outcome_submit.c: of a submit. `result`, borrowed, or NULL: the script gave none. Steps. */
void outcome_of_submit(struct live_job *job, const struct engine_call *call, json_t *result);

/* outcome_unknown.c: nobody knows whether the vendor has the job; what the script's reconcile said; what an operator says (job->resolution, which is
 * gone after it). Step. */
void outcome_unknown(struct live_job *job, const char *reason);
void outcome_of_reconcile(struct live_job *job, json_t *result);
void outcome_leave_place(struct live_job *job); /* it was looked for long enough: its place is another's */
void outcome_resolve(struct live_job *job);

/* record.c: writes the job; all step, with ACTION_WRITE until `then` is called. What cannot be written is tried again until it can. */

/* As it stands; `verb` is the event's, or NULL for none. `durable`: synced to disk. */
void record_job(struct live_job *job, bool durable, const char *verb, job_step *then);
void record_end(struct live_job *job, job_step *then);

/* `vendor_id`, borrowed, becomes the job's in the registry, unless it is another's: job->write.outcome says so then, STORE_WRITTEN or
 * STORE_VENDOR_ID_TAKEN. */
void record_claim(struct live_job *job, const char *vendor_id, job_step *then);

/* The provider's queue gets the list of the vendor's ids that jobs have. */
void record_list_claimed(struct live_job *job, job_step *then);

/* A write that failed is not tried again: the job is another host's. */
void record_drop(struct live_job *job);

/* The job's timer came: a write that failed is tried again. */
void record_retry(struct live_job *job);

/* money.c */
struct cost {
	int64_t micro_usd;  /* -1: not known */
	const char *source; /* whose figure: vendor, computed or operator */
};

struct cost money_cost(const json_t *result); /* what a result says; any thread */

/* Settles job->money: what an end of this kind costs. Changes. */
void money_settle(struct live_job *job, enum task_status status, const struct cost *cost, const json_t *error);

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
	bool told; /* among the warnings, that it cost more than was reserved */
	struct cost cost;
	char *text; /* the row's result */
};

/* The job ends so; takes `result` over. Steps, for the last time. */
void completion_begin(struct live_job *job, enum task_status status, json_t *result);

/* Copies what is to be copied, then writes the end; called again by the job's timer when there was no room for one of them. Looks. */
void completion_go_on(struct live_job *job);
void completion_free(struct completion *completion); /* any thread; NULL is allowed */

/* history.c: any thread, but the second. */
void history_note(struct live *live, const char *provider, const char *kind, int64_t took_ms);
void history_free(struct live *live);

/* excess.c: any thread. A job cost so much more than was reserved. */
void excess_note(struct live *live, const char *provider, int64_t micro_usd);
void excess_free(struct live *live);

/* observed.c: what jobs have cost. */
enum error_code observed_open(
	struct live *live, struct error *error); /* reads what the registry has; errors as task_store_observed() */
void observed_free(struct observed *observed);	 /* NULL is allowed */

/* Says whose price the job will tell, by its estimates (JSON, or NULL), else its payload. Changes. */
void observed_name_job(struct live_job *job, const char *estimates);

/* Does its settlement tell what such a job costs? Reads. */
bool observed_counts(const struct live_job *job);

/* What it tells; texts are the job's. Reads. */
struct store_observation observed_of_job(const struct live_job *job, int64_t at_ms);

/* It is written. */
void observed_note(struct live *live, const struct store_observation *seen);
