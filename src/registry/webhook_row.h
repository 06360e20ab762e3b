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
	/* Where several hosts share the registry; else 0, 0 and NULL. */
	int64_t owner;	  /* the host that delivers, and alone writes where it has come to; 0: none yet */
	int64_t heir;	  /* the host that asks for it, for it has fewer than its share; 0: none does */
	const char *news; /* JSON: what else the owner knows of its deliveries (webhook_news.c) */
};

/* Who delivers a webhook. */
struct webhook_owner {
	int64_t number;
	int64_t owner, heir; /* as above */
	bool living;	     /* the owner is a host that runs */
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
	/* where several hosts share the registry: */
	WEBHOOK_ROTATE, /* secret, earlier_until_ms; the earlier secret is the one that was in force until then */
	WEBHOOK_REPLAY, /* parked deliveries wait again: that of delivery.event, or (0) all */
	WEBHOOK_NEWS,	/* news */
	WEBHOOK_ADOPT,	/* `host` becomes the owner, if there is no living one */
	WEBHOOK_ASK,	/* `host` becomes the heir, if `owner` is the owner and there is no living heir */
	WEBHOOK_LEAVE,	/* the heir becomes the owner, or nobody */
};

/* One change, part of a store_write. */
struct webhook_change {
	enum webhook_op op;
	int64_t host; /* who makes it; what an owner writes is written only while this is the owner. 0: the registry is one host's alone */
	struct webhook_row webhook;
	struct delivery_row delivery;
	struct callback_row callback;
};

/* Everything that is stored: webhooks first, then deliveries by webhook and event. Reads on the caller's thread; texts are valid
 * during the call. */
struct webhook_visitor {
	void (*webhook)(void *context, const struct webhook_row *row);
	void (*delivery)(void *context, const struct delivery_row *row); /* or NULL */
	void *context;
};
enum error_code task_store_webhooks(struct task_store *store, const struct webhook_visitor *visitor, struct error *error);

/* Who delivers what, and how many hosts run. Nothing where the registry is one host's alone. Errors as task_store_list(). Any thread. */
enum error_code task_store_webhook_owners(struct task_store *store,
	void (*visit)(void *context, const struct webhook_owner *owner), void *context, int *hosts, struct error *error);

/* Who is told of a job. ERROR_NOT_FOUND: nobody. Any thread. */
enum error_code task_store_callback(struct task_store *store, int64_t sequence,
	void (*visit)(void *context, const struct callback_row *row), void *context, struct error *error);
