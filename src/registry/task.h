/* task.h - one row of the registry, and its words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/limits.h"

enum task_status {
	TASK_QUEUED = 0,
	TASK_RUNNING,
	TASK_DONE,
	TASK_ERROR,
	TASK_CANCELED,
	TASK_UNKNOWN, /* the outcome of a paid submit is not known; maybe billed */
};

#define TASK_STATUSES 6

const char *task_status_name(enum task_status status);
bool task_status_parse(const char *text, enum task_status *status);

/* How far a live job has come: what may be done with it after a restart. Stored by number: append only. */
enum live_phase {
	LIVE_QUEUED = 0, /* nothing was sent */
	LIVE_SENDING,	 /* the paid request may be out; its outcome is not known to the registry */
	LIVE_SENT,	 /* the vendor has it: it is polled */
	LIVE_UNKNOWN,	 /* the outcome is not known: it is looked for, or left to the operator */
	LIVE_ENDED,
};

/* By which door a live job came, where that has a budget of its own. Stored by number: append only. */
enum job_door {
	DOOR_API = 0,
	DOOR_MCP,
};

/* What a live job has beside its task. Texts may be NULL. */
struct task_live {
	enum live_phase phase;
	const char *caller;   /* the name of the API key it came with */
	const char *request;  /* JSON: what prepare gets; kept until the vendor has the job */
	const char *state;    /* JSON: what the script wants to remember */
	const char *reason;   /* a word to the user about how it stands */
	const char *expected; /* which request alone may be sent (outgoing_digest()), or NULL: any; written once, with the job */
	const char *trace;    /* the traceparent that it came with; written once, with the job */
	int attempts;	      /* submits that were tried */
	int paid;	      /* requests that may cost and that the vendor has taken, or may have */
	int paid_most;	      /* of those: what its script declared and was reserved when it came; written once, with the job */
	int64_t submitted_ms; /* when the paid request went out; 0: not yet */
	int64_t deadline_ms;  /* from then on it is no longer waited for */
	int64_t stop_ms;      /* the host ends the job at the vendor then; 0: never */
	bool cancel_asked;
	int64_t owner; /* the run of a host that the job belongs to (cluster.h); for writing only */
	bool slotted;  /* it has one of the places at its provider */
};

/* A live job's money, in micro-dollars: a row of the ledger. */
struct task_money {
	int64_t day;	    /* of the reservation, UTC, in days since 1970: budgets count it then */
	int64_t reserved;   /* the most that the job was expected to cost */
	int64_t expected;   /* -1: not known */
	int64_t spent;	    /* -1: not settled yet */
	enum job_door door; /* whose budget counts it too */
	const char *basis; /* whose figure `spent` is: vendor, computed, estimate, reserved, none, operator; NULL until settled */
};

/* A task as it is stored. Texts are NUL-terminated, JSON texts are complete values; NULL means absent. Who owns them is said where
 * the struct is passed. */
struct task {
	struct id id;
	const char *kind; /* "gpu", "image", "video" */
	const char *provider;
	enum task_status status;
	bool dry_run;
	double progress; /* 0..1 */
	int64_t created_ms;
	int64_t updated_ms;
	const char *caller;    /* the name of the API key that it came with, or NULL */
	const char *vendor_id; /* the vendor's own job id; dry run: mock-<provider>-1 */
	const char *request_id;
	const char *payload;   /* JSON: the normalised request, masked */
	const char *estimates; /* JSON */
	const char *result;    /* JSON: { artifacts, cost, error, warnings }, or NULL */
	const char *asked;     /* JSON: what its client asked for in its own words, if they are not the REST API's; or NULL */
	int64_t removed_ms;    /* its outputs were taken away then; 0: they were not. For reading only */
	const char *upstream;  /* JSON: of a live job, its request as it was previewed when it was registered; for writing only */
	const char *upstream_sha256;	/* of that (outgoing_digest()), or NULL; for writing only */
	const struct task_live *live;	/* NULL: a dry run */
	const struct task_money *money; /* NULL: a dry run */
};

#define EVENT_TYPE_BYTES (LIMIT_EVENT_TYPE_BYTES + 1)

/* The type of an event: "public.image.submit" of a task's kind and a verb; the verb alone when there is no kind (the host's own events). */
void task_event_type(char type[EVENT_TYPE_BYTES], const char *kind, const char *verb);
