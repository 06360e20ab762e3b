/* incoming.h - a request for one provider, taken apart: who it is for, what the host reads, what the script gets. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/envelope.h"
#include "api/host.h"
#include "api/verdict_json.h"

struct callback;

enum verb { VERB_HEALTH = 0, VERB_SUBMIT, VERB_POLL, VERB_GENERATE, VERB_INPUTS, VERB_MODELS };

struct incoming {
	struct host *host;
	struct http_request *http;
	const char *kind; /* "gpu", "image", "video" */
	enum verb verb;
	const char *name; /* the provider's as typed; NULL: the body names it */
	struct provider_set *set;
	struct provider *provider;	/* borrowed from set */
	const struct provider_kind *as; /* as which kind; borrowed from provider */
	json_t *body;			/* an object; {} when there was none */
	const json_t *config;		/* the request's config or cfg, or NULL; borrowed from body */
	json_t *script_request;		/* submit, generate: what prepare gets, masked; an object */
	struct mask_index *also;	/* submit, generate, poll: the secrets that came with this request; or NULL */
	json_t *polled_id;		/* poll: the job's id that was given, masked; or NULL */
	struct verdict_json *verdict_json;
	struct callback *callback;	      /* submit, generate; or NULL */
	bool preview;			      /* submit, generate: only what it would do is asked for */
	bool wants_live;		      /* the request says "dry_run": false */
	bool ignores_directory;		      /* it says "directory": "ignore" */
	char expected[OUTGOING_DIGEST_BYTES]; /* submit, generate: expect_upstream_sha256, in lower case; "" : not said */
	int64_t max_cost;		      /* max_cost_usd in micro-dollars; -1: not said */
	enum liveness liveness;		      /* how the answer stands to the vendor, as far as the gate decides it */
};

/* Reads and checks everything, of one that has its first members (up to `name`). False: an answer was sent. */
bool incoming_open(struct incoming *incoming);

/* What is asked about is of this kind, not of the path's: it is answered so, if the provider still serves it. */
void incoming_take_kind(struct incoming *incoming, const char *kind);
void incoming_close(struct incoming *incoming);

/* Where in the body stands what the script gets: "job" or "payload" of a GPU job, else "", the body itself. */
const char *incoming_request_path(const struct incoming *incoming);

/* Adds the API key that a request came with, if any: it is as secret as the host's own. */
void incoming_add_key(struct mask_index *index, const struct http_request *http);

/* Sends a problem that carries the provider's envelope (errors on a known provider do). `path` as in http_problem. */
void incoming_problem(struct incoming *incoming, int status, const char *path, const char *detail);

/* The same with further members ("\"job_id\":\"...\","), or NULL. */
void incoming_problem_with(struct incoming *incoming, int status, const char *detail, const char *headers, const char *members);

/* 503, to be tried again after so many seconds. */
void incoming_retry(struct incoming *incoming, int64_t seconds, const char *detail);

/* The same: what the answer or the request would take has no room now. */
void incoming_no_memory(struct incoming *incoming);
