/* internal.h - what the files of this folder share. "Under the lock" means that of struct webhooks_out, held by the caller; "the thread" is the
 * webhooks' own (sender.c). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "net/loop.h"
#include "net/transfer.h"
#include "registry/event_filter.h"
#include "webhook_out/webhook_out.h"

/* What of the places for attempts a receiver takes from. */
enum receiver_share {
	SHARE_OF_ALL = 0,  /* it took the last one; or a registered webhook that is not slow */
	SHARE_OF_NEW,	   /* a callback_url's that has not */
	SHARE_OF_SLOW,	   /* and that hangs */
	SHARE_OF_OWN_SLOW, /* a registered webhook that hangs */
	RECEIVER_SHARES,
};

/* Whom deliveries go to: name and port of callback_urls, or one registered webhook. */
struct receiver {
	struct receiver *next;
	struct receiver *name; /* what its ports share; NULL: a registered webhook's, or a name itself */
	int uses;	       /* deliveries that hold it, and ports that share it */
	int waiting;	       /* of the deliveries, those that are not parked */
	int under_way;	       /* attempts */
	int64_t served;	       /* the turn that it had last */
	int64_t since_ns;      /* with some under way: when the first began, or one of them ended last; monotonic */
	bool anybodys;	       /* a callback_url's */
	bool proven;	       /* its last delivery was taken */
	bool slow;	       /* its last one failed, and took its time */
	char *text;	       /* by which it is found; NULL: a registered webhook's */
};

#define RECEIVER_AUTHORITY_BYTES 264

/* An event on its way to one webhook, until it is delivered or of no use any more. */
struct delivery {
	struct delivery *next; /* by event */
	struct receiver *receiver;
	int64_t event, sequence; /* of its job; 0: of none */
	int attempts;
	int64_t first_ms, due_ms; /* the first attempt, 0: none yet; the next one */
	bool stored;		  /* has a row, or is to get one: the place in the log may pass it */
	bool dirty;		  /* its row is to be written */
	bool behind;		  /* an earlier one of the same job is not done with */
	bool parked;		  /* given up, until a replay is asked for */
	bool under_way;		  /* an attempt is */
	int status;		  /* of the last attempt */
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];
};

/* One that was made, as it ended. */
struct past_attempt {
	int64_t event, at_ms, took_ms;			 /* from its beginning, which was then */
	int number;					 /* of the delivery's, from 1; a replay counts anew */
	int status;					 /* 0: no answer */
	char type[EVENT_TYPE_BYTES], job[ID_TEXT_BYTES]; /* or "" */
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];	 /* "": delivered */
};

struct webhook {
	struct webhook *next;
	int64_t number;
	char *url, *events, *secret, *earlier_secret, *caller;
	int64_t earlier_until_ms, created_ms;
	struct event_filter filter;
	int64_t cursor; /* as it is stored */
	int64_t read;	/* events up to here have a delivery, or did not pass */
	struct delivery *deliveries;
	int waiting, parked;  /* of them */
	int under_way;	      /* attempts */
	int64_t delivered;    /* since the start */
	int64_t delivered_ms; /* the last one; 0: none since the start */
	int status;	      /* of the last attempt */
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];
	struct past_attempts *past; /* NULL: none yet */
	bool removed;
	bool leaving;	 /* another host is to have it: nothing more begins, and when all is written it is given away */
	bool given;	 /* that is being written */
	bool news;	 /* more is known than is stored (webhook_news.c) */
	int64_t told_ns; /* when it was stored last, monotonic */
	bool changing;	 /* its secret is being stored: others wait, and the thread does not free it */
	struct receivers *receivers; /* of callback_urls; NULL: none yet */
	struct receiver receiver;    /* of all others */
};

struct webhooks_out {
	struct gate *gate;
	struct task_store *store;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;		   /* guards everything that is reached through `list`; the thread alone frees it */
	pthread_cond_t changed;		   /* with the lock: a webhook's `changing` ended */
	struct webhook *list;		   /* those of which this host is the owner */
	int count;			   /* without WEBHOOK_CALLBACKS; under the lock; where the registry is one host's alone */
	int under_way_of[RECEIVER_SHARES]; /* attempts; under the lock */
	int64_t turns;			   /* that receivers had; under the lock */
	_Atomic int64_t newest;		   /* event of the log */
	_Atomic bool stopping;
	_Atomic bool some; /* there is a webhook */
	struct loop *loop;
	int under_way; /* attempts; the thread's */
	struct save *save;
	bool shared; /* other hosts use the registry too. The rest of the struct is of no use else */
	struct webhooks_out_host among;
	_Atomic bool callbacks; /* somebody delivers callbacks: their webhook is in the registry */
	_Atomic bool expects;	/* that is being made so */
	_Atomic bool look;	/* something may have changed */
	int64_t host;		/* by this number it is the owner of what is in the list; the thread's, as all below */
	int64_t look_ns;	/* when to look again, monotonic */
	int64_t nobodys_ns;	/* since when some webhook has no owner; 0: all have one */
};

/* ---- webhook_out.c ---- */

/* Puts a webhook into the list. Under the lock, or before the thread starts. */
void webhook_link(struct webhooks_out *webhooks, struct webhook *webhook);

/* ---- webhook_load.c ---- */

/* Reads the rows of webhooks whose owner is `webhooks->host` and puts those into the list that are not in it; of the others it takes over what other hosts
 * have changed. The thread, while nothing is being written, or before it starts. Errors as task_store_webhooks(). */
enum error_code webhooks_load(struct webhooks_out *webhooks, struct error *error);

/* ---- webhook_owner.c ---- */

/* Looks whose the webhooks are when it is time to, takes and gives. Returns when to be called again. The thread, without the lock. `enabled`: it would
 * deliver. */
int64_t webhook_owner_run(struct webhooks_out *webhooks, int64_t now_ms, bool enabled);

/* May what is in the list be sent, as far as this host knows? The thread. */
bool webhook_owner_may_send(const struct webhooks_out *webhooks);

/* ---- webhook_rows.c: where the registry is shared, what is stored, with the state of those that others deliver. HTTP threads ---- */

struct webhook_rows {
	struct webhook *first, **last;
};

/* Errors as task_store_webhooks(). `deliveries`: with those. webhook_rows_free() it, also after an error. */
enum error_code webhook_rows_read(struct webhooks_out *webhooks, bool deliveries, struct webhook_rows *rows, struct error *error);
void webhook_rows_free(struct webhook_rows *rows);

/* ---- webhook_news.c: what the owner tells the other hosts, for their answers ---- */

/* Appends a JSON object. Under the lock. */
void webhook_news_write(const struct webhook *webhook, struct buffer *out);

/* Reads one; NULL or what cannot be read changes nothing. */
void webhook_news_read(struct webhook *webhook, const char *news);

/* ---- webhook.c ---- */

/* NULL with ERROR_INVALID: its patterns are none. The caller's, until it is in the list. */
struct webhook *webhook_new(const struct webhook_row *row, struct error *error);

/* With its deliveries and receivers. One that is in the list is freed by the thread alone, once it is removed and nothing of it is under way. */
void webhook_free(struct webhook *webhook);

/* Under the lock: the one with this id or URL (and, unless NULL, these patterns), or with this number; NULL when it was removed. Valid until the
 * lock is let go: who has done so goes on by the number, for a URL may be that of several. */
struct webhook *webhook_find(struct webhook *list, const char *id, const char *events);
struct webhook *webhook_of_number(struct webhooks_out *webhooks, int64_t number);

/* Takes the lock, or asks the registry. Its number, for who removes or changes it; ERROR_NOT_FOUND, also for WEBHOOK_CALLBACKS. */
enum error_code webhook_find_number(
	struct webhooks_out *webhooks, const char *id, const char *events, int64_t *number, struct error *error);

/* ERROR_NOT_FOUND, in words. */
enum error_code webhook_refuse_unknown(struct error *error);

void webhook_write_id(int64_t number, char id[WEBHOOK_ID_BYTES]);
void webhook_wipe(char *secret); /* and frees it; NULL is fine */
int64_t webhook_random(void);	 /* above 0 */

/* ---- webhook_change.c ---- */

/* Writes one change and waits until it is on the disk. ERROR_BUSY: nothing was changed; ERROR_PENDING: it may be all the same; ERROR_NOT_FOUND: what was to be
 * removed is gone. Copies what `change`
 * points at. Without the lock; HTTP threads. */
enum error_code webhook_change_store(struct task_store *store, const struct webhook_change *change, struct error *error);

/* ---- receiver.c: under the lock, but for the first ---- */

/* "name:port" of the callback_url of a job, or "". False: the registry cannot be read now. Blocks on it. Without the lock. */
bool receiver_of_job(struct task_store *store, int64_t sequence, char authority[RECEIVER_AUTHORITY_BYTES]);

/* The receiver of a webhook's next delivery, held until receiver_release(); `authority` counts for WEBHOOK_CALLBACKS. */
struct receiver *receiver_hold(struct webhook *webhook, const char *authority);

/* Afterwards it may be forgotten at the next receiver_hold(). */
void receiver_release(struct webhook *webhook, struct receiver *receiver);

void receivers_free(struct webhook *webhook);
bool receiver_is_slow(const struct receiver *receiver);
bool receiver_may_start(const struct webhooks_out *webhooks, const struct receiver *receiver);

/* An attempt begins; what share it takes from, for receiver_end(). */
enum receiver_share receiver_begin(struct webhooks_out *webhooks, struct receiver *receiver);

/* Seconds for an answer to the attempt that has just begun. */
int receiver_patience(const struct webhooks_out *webhooks, enum receiver_share share);

/* The attempt that began then (monotonic) has ended. */
void receiver_end(
	struct webhooks_out *webhooks, struct receiver *receiver, enum receiver_share share, int64_t began_ns, bool delivered);

/* ---- delivery_queue.c: under the lock ---- */

/* A new delivery, which is the queue's. Takes over the hold on its receiver. */
struct delivery *delivery_queue_add(struct webhook *webhook, int64_t event, int64_t sequence, struct receiver *receiver);

/* The delivery of this event, or NULL. */
struct delivery *delivery_queue_find(const struct webhook *webhook, int64_t event);

/* One whose attempt may begin now, of the receiver whose turn is longest ago. NULL: none; *due_ms becomes earlier when one is due before it. */
struct delivery *delivery_queue_next(
	const struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms);

/* Delivered, or of no use any more: its row goes, and it is freed. */
void delivery_queue_done(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery);

/* An attempt failed: it is tried again later, or (`for_good`, or after a day) parked. It may be freed: parking drops the oldest that are too many. */
void delivery_queue_failed(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery, int64_t now_ms,
	bool for_good, const char *problem);

/* Given up, and kept with its row for a replay. It may be freed, see above. */
void delivery_queue_park(struct webhooks_out *webhooks, struct webhook *webhook, struct delivery *delivery);

/* Parked ones are tried again: that of this event, or (0) all. Returns how many. */
int delivery_queue_replay(struct webhook *webhook, int64_t event);

/* Fresh ones of slow receivers get rows, so that they take no room. True: some did. */
bool delivery_queue_set_aside(struct webhook *webhook);

/* All get rows, so that the place in the log is behind what was delivered: who goes on from there delivers nothing of it again. */
void delivery_queue_store_all(struct webhook *webhook);

/* May more of the log be read? */
bool delivery_queue_has_room(const struct webhook *webhook);

/* The place in the log up to which the registry need not be looked at again. */
int64_t delivery_queue_cursor(const struct webhook *webhook);

void delivery_queue_free(struct webhook *webhook);

/* ---- past_attempts.c: under the lock ---- */

void past_attempts_add(struct webhook *webhook, const struct past_attempt *attempt);
void past_attempts_free(struct webhook *webhook);

/* Appends a JSON array, the newest first. */
void past_attempts_write(const struct webhook *webhook, struct buffer *out);

/* The same for webhook_news.c, the oldest first. */
void past_attempts_save(const struct webhook *webhook, struct buffer *out);

/* ---- save.c ---- */

struct save *save_new(struct webhooks_out *webhooks);
void save_free(struct save *save); /* NULL is fine */

/* The row of a delivery is to go. Under the lock. */
void save_delivered(struct save *save, const struct webhook *webhook, int64_t event);

/* Hands what is due to the store; returns when to look again (INT64_MAX: when it has written). Takes the lock. The thread. */
int64_t save_run(struct save *save, int64_t now_ms, bool at_once);

/* Is no write under way? The thread. */
bool save_is_idle(struct save *save);

/* Is all stored that was handed to the store? The thread. */
bool save_is_settled(struct save *save);

/* Forgets which rows are to go: they are another host's. Under the lock. */
void save_forget(struct save *save);

/* ---- attempt.c: one POST; the thread, without the lock ---- */

/* Takes the next delivery that is due: attempt_begin() is to follow. NULL: there is none, *due_ms says when to look again. */
struct attempt *attempt_take(struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms);

/* Sends it, or ends it at once. It frees itself at its end, here or within loop_run_once(). */
void attempt_begin(struct attempt *attempt, const struct config *config);

/* ---- sender.c ---- */

/* Starts the thread. ERROR_IO; what was opened is the caller's to close. */
enum error_code sender_start(struct webhooks_out *webhooks, struct error *error);

/* Ends it. Does nothing when it was not started. */
void sender_stop(struct webhooks_out *webhooks);
