/* submission.h - what a submit or generate comes to: its answer, and its row in the registry. */
#pragma once

#include "api/idempotency_key.h"
#include "api/inner_call.h"
#include "api/provider_call.h"
#include "registry/awaited_write.h"

/* It lives until its HTTP thread and the store are done with it. */
struct submission {
	struct awaited_write stored; /* first: its row */
	struct provider_call *call;
	bool kept;			   /* the row was, without waiting (task_store_keep()) */
	bool left;			   /* the store was late: the client was told that it may be registered */
	struct verdict_json *verdict_json; /* held */
	enum liveness liveness;
	char job_id[ID_TEXT_BYTES];
	char request_id[LIMIT_REQUEST_ID_BYTES + 1];
	char idempotency_key[SCOPED_KEY_BYTES];
	char *webhook_url;			   /* what a preview shows of the job's; or NULL */
	struct callback *callback;		   /* who is told of the job; or NULL */
	char *asked;				   /* JSON: what its client asked for in its own words; or NULL */
	char caller[LIMIT_API_KEY_NAME_BYTES + 1]; /* the API key's name, or "" */
	int64_t max_cost;			   /* micro-dollars; -1: not said */
	struct buffer live_request;		   /* asked to be live: what prepare gets, as text */
	struct buffer upstream;			   /* of a live job: its request, as the row keeps it */
	bool may_look;				   /* it waits for a model that nobody has looked for yet */
	bool looks;				   /* it has to: there is nothing to write, and it is run again */
	char expected[OUTGOING_DIGEST_BYTES];	   /* the upstream_sha256 of the only request that will do, or "" */
	bool preview;				   /* it is only shown what it would come to */
	bool wants_live;			   /* it says "dry_run": false, whatever the gate says */
	bool live_only;				   /* what cannot be live is shown as a preview, and not registered */
	bool brief;				   /* long texts of payload and upstream are cut in the answer */
	struct budget_sheet *budgets; /* of a preview that asks to be live: what is left; NULL: it could not be read */
	int64_t would_reserve;	      /* of a preview that asks to be live: micro-dollars; -1: not known */
	struct error refused;	      /* why there is nothing to write; code ERROR_NONE: there is */
	void (*forget)(struct submission *submission);
	struct submit_watcher watcher; /* the door's that asked, or all zero */
};

/* With its call: a dry run first, whatever becomes of it, since the preview is what will be sent. `forget` is called at the end of its life, on any
 * thread, and may be NULL. HTTP thread. */
struct submission *submission_new(struct incoming *incoming, void (*forget)(struct submission *submission));
void submission_release(struct submission *submission);

/* Is its row in the registry? At the end of its life, or when its wait is over. */
bool submission_is_registered(const struct submission *submission);

/* The name of the API key that it came with, or NULL. */
const char *submission_caller(const struct submission *submission);

/* A credential that is optional counts for a request that names it. When the script has run. */
void submission_count_optional(struct submission *submission);

/* Is the request the one that was expected, or was none? Else `refused` says so (ERROR_CONFLICT). */
bool submission_is_expected(struct submission *submission);

/* 409: it is another request. */
void submission_send_unexpected(const struct submission *submission, struct incoming *incoming);

/* What would be ordered. Borrows from the submission. */
struct live_order submission_order(const struct submission *submission);

/* Composes answer and row of a call that has run: of a live job when its order has filled in the row's live half (live_order()), else of a dry run.
 * False: a text is too large, or there is no room for it; `refused` says so. CPU only, and nothing else is changed. */
bool submission_compose(struct submission *submission);

/* Composes the answer alone, as that of a submit which was never registered: without ids and status. The same otherwise. */
bool submission_compose_preview(struct submission *submission);
