/* orphan_hold.h - who holds which job: the live creates of this host whose connections are open, and what is on its way to the registry of others.
 *
 * The registry knows every job and what it was made for; only the host that runs knows whose connection is still there. A list under one lock, as long as there
 * are HTTP threads, and some that wait for the store. For the files of this folder only. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/host.h"
#include "openai/orphan.h"
#include "registry/job_wish.h"

/* In this order. */
enum hold_stage {
	HOLD_LOOKING = 0, /* it looks for a job to take over */
	HOLD_MAKING,	  /* its own job is being made */
	HOLD_WAITING,	  /* it has a job, of which nothing was told yet */
	HOLD_ANSWERING,	  /* its answer is on its way */
	HOLD_UNSURE,	  /* its client was sent away, and the registry has not said yet whether there is a job */
	HOLD_OVER, /* it was told, or its client has left: kept for those who look, and may have read the registry before */
};

/* What its client says of it. */
enum attempt {
	ATTEMPT_UNSAID = 0, /* nothing: it may be any */
	ATTEMPT_FIRST,	    /* the official SDKs count: 0, */
	ATTEMPT_REPEAT,	    /* or more */
};

struct orphan_hold {
	struct orphan_hold *next;
	struct orphans *orphans;
	unsigned char fingerprint[32];
	bool listed;	/* else it came with an Idempotency-Key, and nobody else is to see it */
	int64_t number; /* in the order of their coming */
	enum hold_stage stage;
	enum attempt attempt;
	int socket;	  /* its client's, before HOLD_UNSURE */
	int submits;	  /* of them that have begun and are not settled */
	bool registered;  /* `job` is */
	bool names_job;	  /* `job` is its own, or will be if it is registered */
	bool has_job;	  /* it waits for `job`, or answered from it */
	bool taken_over;  /* which another request made, */
	bool caught_up;	  /* a repeat that came before this first attempt */
	bool answered;	  /* HOLD_OVER: its client has the answer */
	bool lost;	  /* HOLD_OVER: it was said that a client has it, and is not so */
	bool forgotten;	  /* HOLD_OVER: the job is known to be free */
	bool being_noted; /* HOLD_OVER: the store is writing that */
	struct id job;
	struct store_write write; /* for that */
};

struct orphans {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct orphan_hold *first; /* the newest first */
	int64_t count;
	int waiters;	   /* for `changed` */
	int64_t offset_ms; /* of its clock from the monotonic one: a wall clock that is set while the host runs changes nothing */
};

/* The time that wishes are kept by. */
int64_t orphans_now_ms(const struct orphans *orphans);

/* A new one, which looks; listed unless there is no fingerprint. */
struct orphan_hold *hold_new(struct orphans *orphans, const unsigned char *fingerprint, enum attempt attempt, int socket);

/* Its next stage. It is freed when it is over, as soon as nobody looks for its fingerprint and the store has noted it. */
void hold_go_on(struct orphan_hold *hold, enum hold_stage stage);
void hold_set_stage(struct orphan_hold *hold, enum hold_stage stage); /* the same under the lock */

/* It is over: the registry is told what is to be known of its job, if there is one. */
void hold_end(struct orphan_hold *hold, struct task_store *store, bool answered, bool forgotten);

/* Its client, or another, was said to have the answer of `job`, and has it not: the next equal request is to get it, also while the store writes that down. */
void hold_add_lost(struct orphans *orphans, struct task_store *store, const unsigned char fingerprint[32], const struct id *job);

/* Waits until something has changed, at most until then (monotonic). Under the lock. */
void orphans_await(struct orphans *orphans, int64_t until_ns);

/* ---- orphan_choice.c ---- */

enum choice {
	CHOICE_NONE, /* it may make a job of its own */
	CHOICE_JOB,  /* `job` is taken over */
	CHOICE_WAIT, /* what becomes of another request has to be known first */
};

struct chosen {
	struct id job;
	bool caught_up; /* of a repeat that had overtaken this attempt */
};

/* What the registry knows of the fingerprint, sorted by choice_rows_sort(). */
struct choice_rows {
	struct wish_row *rows;
	size_t count;
};

void choice_rows_sort(struct choice_rows *known);

/* Which job the request takes over. Under the lock. */
enum choice orphan_choose(
	struct orphans *orphans, const struct orphan_hold *hold, const struct choice_rows *known, struct chosen *chosen);
