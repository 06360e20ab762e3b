/* internal.h - what the files of this room share. For this folder only.
 *
 *   webhook_out.c      the list of webhooks: loading, registering, removing
 *   webhook_json.c      what clients see of it
 *   receiver.c      how many may be under way to one receiver
 *   delivery_queue.c     one webhook's deliveries: in which order, and what becomes of one
 *   save.c      what must outlive the process, in batches
 *   sender.c    the thread
 *   attempt.c   one request */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "net/loop.h"
#include "net/transfer.h"
#include "registry/event_filter.h"
#include "webhook_out/webhook_out.h"

/* A receiver; see receiver.c. */
/* What of the places for deliveries a receiver takes from. */
enum receiver_share {
	SHARE_OF_ALL = 0,  /* it took the last one; or a registered webhook that is not slow */
	SHARE_OF_NEW,	   /* a callback_url's that has not */
	SHARE_OF_SLOW,	   /* and that hangs */
	SHARE_OF_OWN_SLOW, /* a registered webhook that hangs */
	RECEIVER_SHARES,
};

struct receiver {
	struct receiver *next;
	struct receiver *name; /* what its ports share, or NULL */
	int uses;	       /* deliveries that it is held by */
	int waiting;	       /* of them, those that are not parked */
	int under_way;
	int64_t served;	  /* the turn that it had last */
	int64_t since_ms; /* with some under way: when the first began, or one of them ended last */
	bool anybodys;	  /* a callback_url's */
	bool proven;	  /* its last delivery was taken */
	bool slow;	  /* its last one failed, and took its time */
	char *text;	  /* of the table's */
};

#define RECEIVER_AUTHORITY_BYTES 264

/* An event on its way to one webhook. */
struct delivery {
	struct delivery *next; /* by event */
	struct receiver *receiver;
	int64_t event, sequence;
	int attempts;
	int64_t first_ms, due_ms;
	bool stored; /* has a row */
	bool dirty;  /* its row is to be written */
	bool behind; /* an earlier one of the same job is not done with */
	bool parked;
	bool under_way;
	int status;
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];
};

struct webhook {
	struct webhook *next;
	int64_t number;
	char *url, *events, *secret, *earlier_secret, *caller;
	int64_t earlier_until_ms, created_ms;
	struct event_filter filter;
	int64_t cursor; /* as it is stored */
	int64_t read;	/* events up to here are in the list, or did not pass */
	struct delivery *first;
	int waiting, parked, under_way; /* of the list */
	int64_t delivered;		/* since the start */
	int64_t delivered_ms;		/* the last one; 0: none since the start */
	int status;			/* of the last attempt */
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];
	bool removed;
	bool changing;		     /* its secret is being stored: others wait */
	struct receivers *receivers; /* of callback_urls; NULL: none yet */
	struct receiver receiver;    /* of all others */
};

struct webhooks_out {
	struct gate *gate;
	struct task_store *store;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards everything that is reached through `list`; the thread alone frees it */
	struct webhook *list;
	int count; /* without WEBHOOK_CALLBACKS */
	_Atomic int64_t newest;
	_Atomic bool stopping;
	_Atomic bool some; /* there is a webhook */
	struct loop *loop; /* the thread's */
	struct save *save;
	int under_way;
	pthread_cond_t changed;		   /* with the lock: a webhook's `changing` ended */
	int under_way_of[RECEIVER_SHARES]; /* under the lock, as is what follows */
	int64_t turns;			   /* that receivers had */
};

/* receiver.c: under the lock. */
void receiver_read(const char *url, char authority[RECEIVER_AUTHORITY_BYTES]); /* "name:port" of a URL. Without the lock */
struct receiver *receiver_hold(
	struct webhook *webhook, const char *authority); /* never NULL: without memory it is the webhook's own */
void receiver_release(struct webhook *webhook, struct receiver *receiver);
void receivers_free(struct webhook *webhook);
bool receiver_is_slow(const struct receiver *receiver, int64_t now_ms);
bool receiver_may_start(const struct webhooks_out *webhooks, const struct receiver *receiver, int64_t now_ms);
enum receiver_share receiver_begin(
	struct webhooks_out *webhooks, struct receiver *receiver, int64_t now_ms); /* returns its share, for receiver_end() */
int receiver_patience(
	const struct webhooks_out *webhooks, enum receiver_share share); /* seconds for an answer to what has just begun */
void receiver_end(struct webhooks_out *webhooks, struct receiver *receiver, enum receiver_share share, int64_t took_ms,
	bool delivered, int64_t now_ms);

/* delivery_queue.c: under the lock. */
struct delivery *delivery_queue_add(struct webhook *webhook, int64_t event, int64_t sequence,
	struct receiver *receiver); /* takes the host over; NULL: no memory */
/* One that may start now, of the receiver whose turn is longest ago; else when to look again. */
struct delivery *delivery_queue_next(
	const struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms);
bool delivery_queue_set_aside(struct webhook *webhook,
	int64_t now_ms); /* fresh ones of slow receivers get rows, so that they take no room; true: some did */
void delivery_queue_done(struct webhook *webhook, struct delivery *delivery); /* delivered, or of no use any more: freed */
void delivery_queue_failed(struct webhook *webhook, struct delivery *delivery, int64_t now_ms, bool for_good);
void delivery_queue_park(struct webhook *webhook, struct delivery *delivery);
int delivery_queue_replay(struct webhook *webhook, int64_t event);
int64_t delivery_queue_cursor(const struct webhook *webhook);
bool delivery_queue_has_room(const struct webhook *webhook);
struct delivery *delivery_queue_find(const struct webhook *webhook, int64_t event);
void delivery_queue_free(struct webhook *webhook);

/* save.c */
struct save *save_new(struct webhooks_out *webhooks);
void save_free(struct save *save);
void save_delivered(struct save *save, const struct webhook *webhook, int64_t event); /* a row is to go. Under the lock */
int64_t save_run(
	struct save *save, int64_t now_ms, bool at_once); /* writes what is due; when to look again. The webhooks' thread */
bool save_is_idle(struct save *save);

/* Writes changes and waits for the outcome, with a deadline. HTTP threads. */
enum error_code save_now(struct task_store *store, const struct webhook_change *change, struct error *error);

/* attempt.c */
void attempt_drop_oldest(struct webhooks_out *webhooks, struct webhook *webhook,
	const struct receiver *receiver); /* more are parked than are kept. Under the lock */

/* webhook_out.c */
int64_t webhook_random(void);  /* above 0 */
void webhook_wipe(char *text); /* and frees it; NULL is fine */
void webhook_free(struct webhook *webhook);
struct webhook *webhook_find(struct webhooks_out *webhooks, const char *id, const char *events); /* under the lock */
void webhook_write_id(int64_t number, char id[WEBHOOK_ID_BYTES]);
void webhook_wake(struct webhooks_out *webhooks);

/* sender.c */
enum error_code sender_start(struct webhooks_out *webhooks, struct error *error);
void sender_stop(struct webhooks_out *webhooks);

/* attempt.c: takes the next delivery of a webhook that is due, and sends it; NULL: there is none, *due_ms says when to look again. */
struct attempt *attempt_take(struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms);
void attempt_begin(struct attempt *attempt, const struct config *config);
