/* host_change.h - what a host does in the registry for the sake of the other hosts: takes jobs over that are nobody's, gives its own away, and asks the owner of a
 * job for something. A write of kind STORE_HOST; all of it is done by whoever holds the writers' lock and was not declared dead. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/store.h"

enum host_change_kind {
	HOST_ADOPTS =
		0,   /* open jobs of nobody, or of hosts that are dead, become this run's: at most `limit`, the oldest first */
	HOST_OWNS,   /* which open jobs are this run's: `jobs` */
	HOST_LEAVES, /* open jobs of this run become nobody's, and it is over */
	HOST_ASKS, /* `ask` is put, unless the job needs it not: STORE_UNCHANGED then; STORE_FAILED, ERROR_NOT_FOUND: it is not open */
	HOST_TAKES,	/* what jobs of this run are asked for, and was not taken by it yet: `asks` */
	HOST_ANSWERS,	/* `ask` is answered with its code and answer; one that nobody waits for goes */
	HOST_FETCHES,	/* what this run asked and was answered: `asks`, which go */
	HOST_WITHDRAWS, /* `ask` goes; STORE_UNCHANGED: it was taken before, and may have been done */
};

/* What the owner of a job is asked for. Stored by number: append only. */
enum ask_wish {
	ASK_REFRESH = 0,
	ASK_CANCEL,
	ASK_RESOLVE, /* body: { status, cost, vendor_id } */
	ASK_WEBHOOK, /* body: { headers, body }: a vendor's, whose signature is good */
	ASK_NUDGE,   /* a webhook that nobody signed */
	ASK_LATE,    /* body: what a run learned of its job after it was declared dead */
};

struct job_ask {
	int64_t number; /* unique over all hosts: an id's sequence */
	struct id job;
	enum ask_wish wish;
	int64_t asker; /* the run that waits for an answer; 0: nobody does */
	char *body;    /* JSON, or NULL */
	enum error_code code;
	char *answer; /* why, where the code is an error; or NULL */
};

struct host_change {
	enum host_change_kind kind;
	int limit;
	struct job_ask ask;
	const unsigned char *digest; /* HOST_ASKS, 32 bytes: a second one of this job with the same digest is not put; or NULL */
	/* out; freed by host_change_clear() */
	int64_t run;   /* whose they are by now */
	int64_t *jobs; /* HOST_ADOPTS, HOST_OWNS: their sequences */
	size_t job_count;
	struct job_ask *asks;
	size_t ask_count;
	bool own; /* HOST_ASKS: the job is this run's, and of a webhook nothing was put but its digest */
};

void host_change_clear(struct host_change *change);

/* Makes the change and waits for it; what it points to is copied. What came of it (`jobs`, `asks`, `own`) is in `change` if ERROR_NONE. Errors as
 * awaited_write_run(). Not the store's thread, nor one that must not wait. */
enum error_code host_change_run(
	struct task_store *store, struct host_change *change, enum store_outcome *outcome, struct error *error);
