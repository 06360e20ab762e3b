/* inner_call.h - the REST API, asked by another door of this host as part of the request that it is answering.
 *
 * Who asks is the request's own client: its key and role, its address, its patience. So what a door does is what the client might have done by REST: the same
 * gate, budgets, idempotency, masking and log. HTTP threads. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/host.h"
#include "registry/store.h"

/* Who is told what becomes of a submit, also when the answer does not say it, or comes before it is known. */
struct submit_watcher {
	void *context;
	/* Before anything is registered, with the id that the job would have; may be called more than once: as often as `settled` will be. On the caller's
	 * thread. */
	void (*begun)(void *context, const struct id *job);
	/* The live job is registered, or there is none and will be none; also after the answer. Any thread. */
	void (*settled)(void *context, const struct id *job, bool registered);
};

struct inner_call {
	const char *method; /* "POST" */
	const char *path;   /* "/api/providers/image/fal/submit"; decoded */
	const char *query;  /* "limit=10", or NULL */
	json_t *body; /* an object, or NULL. Borrowed; nobody changes it from now on: the engine may keep it beyond the answer */
	const char *idempotency_key; /* or NULL: the client's own header is not looked at */
	int wait_seconds;	     /* as Prefer: wait=N; 0: it does not wait */
	const char *asked;	/* JSON: what the client asked for in its own words, kept with the job that it makes; or NULL */
	struct store_ties ties; /* what else is written with a live job that it registers */
	bool live_only; /* of a submit that asks to be live: where it cannot be, the answer says what is missing, like a preview's, and no dry run is registered */
	bool brief; /* the answer's payload and upstream have long texts cut: pictures that went in do not come back. The key's answer is kept like that too */
	struct submit_watcher watcher; /* or all zero */
};

struct inner_answer {
	int status;
	json_t *body;	 /* or NULL: it is empty, no JSON, or had no room (then status is 503) */
	bool replayed;	 /* Idempotent-Replayed */
	int retry_after; /* seconds, or -1 */
};

/* There is always an answer; a problem has the members of RFC 9457, with the field's path in errors[0].path. inner_answer_free() it. */
void inner_call_run(struct host *host, struct http_request *request, const struct inner_call *call, struct inner_answer *answer);
void inner_answer_free(struct inner_answer *answer);

/* What is asked by this request, or NULL: it is the client's own. */
const struct inner_call *inner_call_of(const struct http_request *request);
