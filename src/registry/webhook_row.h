/* webhook_row.h - what the registry keeps of outgoing webhooks: who is told of events, how far that has come, and what is tried again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct task_store;

/* The webhook of all callback_urls: its events are those of jobs that have a row in `callback`. */
#define WEBHOOK_CALLBACKS 0

/* Someone who is told. Texts are NUL-terminated. */
struct webhook_row {
	int64_t number; /* random, so that nobody guesses it; WEBHOOK_CALLBACKS: the one above */
	const char *url;
	const char *events; /* patterns of types, separated by commas */
	const char *secret;
	const char *earlier_secret; /* the one before, which signs too until earlier_until_ms; or NULL */
	int64_t earlier_until_ms;
	const char *caller; /* the name of the API key that made it, or NULL */
	int64_t created_ms;
	int64_t cursor; /* events up to here were delivered, or have a delivery_row; -1: as of the commit that stores this row */
};

/* An event that was not delivered at the first try, or that waits behind such a one of the same job. */
struct delivery_row {
	int64_t webhook;
	int64_t event;	  /* its number */
	int64_t sequence; /* of its job; 0: an event of the host */
	int attempts;
	int64_t first_ms; /* the first attempt; 0: none yet */
	int64_t due_ms;	  /* the next one */
	bool parked;	  /* given up, until somebody asks for a replay */
	int status;	  /* of the last answer; 0: there was none */
	const char *problem;
};

/* Who is told of one job. */
struct callback_row {
	int64_t sequence;
	const char *url;
	const char *secret;
};

enum webhook_op {
	WEBHOOK_PUT = 0,   /* a new webhook; WEBHOOK_CALLBACKS only if it is not there */
	WEBHOOK_SECRETS,   /* secret, earlier_secret, earlier_until_ms */
	WEBHOOK_CURSOR,	   /* cursor */
	WEBHOOK_REMOVE,	   /* with its deliveries */
	WEBHOOK_DELIVERY,  /* a delivery, new or changed */
	WEBHOOK_DELIVERED, /* it is done with */
	WEBHOOK_CALLBACK,  /* a new callback */
};

/* One change, part of a store_write. */
struct webhook_change {
	enum webhook_op op;
	struct webhook_row webhook;
	struct delivery_row delivery;
	struct callback_row callback;
};

/* Everything that is stored, for the start: webhooks first, then deliveries by webhook and event. Reads on the caller's thread; texts are valid
 * during the call. */
struct webhook_visitor {
	void (*webhook)(void *context, const struct webhook_row *row);
	void (*delivery)(void *context, const struct delivery_row *row);
	void *context;
};
enum error_code task_store_webhooks(struct task_store *store, const struct webhook_visitor *visitor, struct error *error);

/* Who is told of a job. ERROR_NOT_FOUND: nobody. Any thread. */
enum error_code task_store_callback(struct task_store *store, int64_t sequence,
	void (*visit)(void *context, const struct callback_row *row), void *context, struct error *error);
