/* quote.h - quotes: requests whose price was asked, each kept whole so that it can be made later, at most once.
 *
 * A quote is its client's key against paying twice: it gets its job in the commit that registers the job and reserves its money, and never another one.
 * What a person must approve first is approved in it. One without a job goes after its time, one with a job goes with the job. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/task.h"

struct task_store;
struct store_event;

/* Amounts are micro-dollars, -1: none, or not known; times are 0 for never. Texts are NUL-terminated. */
struct quote {
	struct id id;
	const char *caller; /* the name of the API key that asked, or NULL */
	const char *kind, *provider;
	const char *request; /* JSON: the body of the submit; NULL once there is a job */
	const char *sha256;  /* of the request that the vendor would get (outgoing_digest()), or NULL: there would be none */
	int64_t created_ms, expires_ms;
	int64_t expected; /* what it is likely to cost */
	int64_t most;	  /* what a live job would reserve */
	int64_t asked_ms; /* when a person was first asked to approve, */
	int64_t asked;	  /* and the most that was to be paid */
	int64_t approved_ms, approved;
	const char *approved_by; /* the name of the API key, or NULL; who approved or refused last */
	int64_t refused_ms;	 /* a person said no */
	int64_t question;	 /* the number of the question that its client's user has not answered; 0: none */
	bool has_job;
	struct id job;
};

/* One write about a quote, part of a store_write (STORE_QUOTE). Only those of a quote without a job, and of the whole id, change anything. */
enum quote_op {
	QUOTE_ADD = 0, /* a new one; the oldest without a job of its caller go if they are too many */
	QUOTE_ASK, /* `amount` has to be approved. STORE_WRITTEN: it is the first time; STORE_UNCHANGED: asked before, or its caller has asked so much
			 * that waits (LIMIT_APPROVALS_OF_CALLER): it does not */
	QUOTE_APPROVE,	/* up to `amount`, if no more was asked for; valid until `expires_ms` at least */
	QUOTE_REFUSE,	/* and what was approved is no longer */
	QUOTE_QUESTION, /* the question of number `question` is put to the client's user, in place of an earlier one */
	QUOTE_YES,	/* it was answered, once: `amount` is approved. STORE_UNCHANGED: it is not the one that waits */
	QUOTE_NO,
};

struct quote_change {
	enum quote_op op;
	const struct quote *quote; /* QUOTE_ADD: all of it but its request; else its id */
	char *request;		   /* QUOTE_ADD: its request, malloc()ed; taken in any case */
	int64_t at_ms;
	int64_t amount;
	const char *by; /* the name of the API key, or NULL */
	int64_t expires_ms;
	int64_t question;
};

/* What ties a new job to its quote: part of store_ties. The commit writes both or neither. */
struct quote_tie {
	bool tied;
	struct id quote;
	int64_t approve_above; /* of a live job: what reserves more needs an approval of so much */
	int64_t reserves;      /* exactly this, else the price is not the quoted one */
	int64_t since_ms;      /* a job of the same request and caller, made at or after, stands in its way, */
	int64_t again_of;      /* unless the newest of them has this id_sequence() */
};

/* Writes a change and waits until it is durable; `event` (or NULL) is written with it. *changed: it was STORE_WRITTEN. ERROR_BUSY: the registry did not get
 * to it, nothing was changed; ERROR_PENDING: it may be written yet; ERROR_IO. HTTP threads. */
enum error_code task_store_change_quote(struct task_store *store, const struct quote_change *change,
	const struct store_event *event, bool *changed, struct error *error);

/* Calls `visit` with the quote; its texts are valid during the call. ERROR_NOT_FOUND: there is none with the whole id; else as task_store_get(). */
enum error_code task_store_quote(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct quote *quote), void *context, struct error *error);

/* The newest quotes without a job that somebody was asked about and that are valid at `now_ms`, newest first, at most `limit`. */
enum error_code task_store_asked_quotes(struct task_store *store, int64_t now_ms, int limit,
	void (*visit)(void *context, const struct quote *quote), void *context, struct error *error);

/* The newest live jobs, at most `limit`, newest first, that would send the request of this digest for this caller (or NULL), were made at `since_ms` or
 * later, and have cost something or may. */
enum error_code task_store_same_requests(struct task_store *store, const char *sha256, const char *caller, int64_t since_ms,
	int limit, void (*visit)(void *context, const struct task *task), void *context, struct error *error);
