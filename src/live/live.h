/* live.h - what going live adds: jobs that are sent, polled, paid for and kept.
 *
 * Every live job that has not ended is in memory and belongs to the engine's thread; the registry has it too, written before each step that
 * cannot be taken back. Other threads come in by the functions below, which post to the engine and wait with a deadline where they say so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"
#include "engine/engine.h"
#include "gate/gate.h"
#include "script/provider_loader.h"
#include "registry/budget_sheet.h"
#include "registry/store.h"

struct live;
struct artifacts;
struct cluster;
struct observed_source;
struct webhooks_in;
struct event_hub;

struct live_options {
	struct engine *engine;
	struct task_store *store;
	struct cluster *cluster;
	struct event_hub *events; /* of the same store */
	struct gate *gate;
	struct provider_loader *loader;
	struct artifacts *artifacts;
	struct webhooks_in *webhooks_in;
	const struct model_source *models; /* for ctx.model and ctx.price */
	const char *data;		   /* folder in which earlier versions kept what is in the registry now */
	bool restored; /* a backup was put back: jobs that claim to be under way may be long over, so their outcome counts as unknown */
};

/* Reads the open jobs and goes on with them. After the parts named above are started, before HTTP is. They outlive it; live_close() it.
 * ERROR_IO, ERROR_BUSY: the registry cannot be read. */
enum error_code live_open(const struct live_options *options, struct live **live, struct error *error);

/* Gives the jobs that have not ended to the other hosts, if there are any, and waits for that: this host's run is over. After the engine has stopped, before the
 * store is closed. */
void live_give_away(struct live *live);

/* The host is about to stop: who waits for a job is sent away. Any thread. */
void live_leave(struct live *live);

/* After the engine and the store have stopped. */
void live_close(struct live *live);

/* ---- a new job ---- */

/* A member (true) of an order's request, beside what prepare gets: the client said "directory": "ignore". No script sees it, but by ctx. */
#define LIVE_IGNORES_DIRECTORY "providerd:ignore_directory"

struct live_order {
	const struct script_call *call; /* a submit that reached its preview */
	const struct gate_view *view;	/* whose limits count */
	const char *caller;		/* the API key's name, or NULL */
	const char *trace;		/* the client's traceparent, or NULL */
	const char *request;		/* JSON text: what prepare gets */
	const char *expected;		/* upstream_sha256 of the only request that may be sent, or NULL: any */
	int64_t max_cost;		/* micro-dollars; -1: not said */
};

/* Ties a job to `write`, which is to register it and to reserve its money: an insert whose id and `done` are set. Its task's live half (status, live, money)
 * and its limits are filled in, which are lent until `done` is called, and it is made durable. The job begins when the store has written it; where a
 * budget is short (STORE_SHORT), or the store could not, there is none. Then `done` is called as if nothing had come between. Engine thread.
 * ERROR_INVALID: the price is not known and max_cost was not said, or is too low; ERROR_BUSY: too many jobs are open; ERROR_MEMORY: the request is too large
 * for now. `write` is as it was then. */
enum error_code live_order(struct live *live, const struct live_order *order, struct store_write *write, struct error *error);

/* What live_order() would reserve (micro-dollars; -1: the price is not known), and whether it would, by the budgets of this sheet: errors as there, and
 * ERROR_LIMIT: a budget is short (budget_judge()). Nothing is reserved. Engine thread. */
enum error_code live_quote(struct live *live, const struct live_order *order, const struct budget_sheet *budgets,
	int64_t *reserved, struct error *error);

/* The ordered write was not given to the store, or was taken back from it: there is no job. Nothing, when none was ordered with it. Any thread. */
void live_drop(struct store_write *write);

/* ---- requests about a job; HTTP threads ---- */

/* How long somebody waits for an answer. */
struct live_patience {
	int timeout_ms;
	bool (*over)(void *context); /* called some times a second: true ends the waiting like the timeout */
	void *context;
};

/* Waits until the job has ended, at whatever host. True: it has (also when there is no such open job). False: not in time, or the host stops. */
bool live_wait(struct live *live, const struct id *id, const struct live_patience *patience);

/* Polls the vendor now, waits for the outcome to be written. ERROR_NOT_FOUND: no such open job; ERROR_SCRIPT: the script could not say how it
 * stands; ERROR_CONFLICT: there is no script or function for it; ERROR_BUSY: not in time, or it was not sent yet. */
enum error_code live_refresh(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error);

/* Cancels: at once when nothing was sent, else at the vendor. ERROR_NOT_FOUND: no such open job; ERROR_CONFLICT: this vendor cannot cancel, the
 * job's outcome is unknown, or its paid request is under way; ERROR_BUSY: nothing was done in time; ERROR_PENDING: it is requested, but the vendor
 * has not said so within that time. */
enum error_code live_cancel(struct live *live, const struct id *id, const struct live_patience *patience, struct error *error);

/* What an operator knows of a job whose outcome is unknown. */
struct live_resolution {
	int status;	       /* enum task_status: done, error or canceled; -1: the vendor's id is given instead */
	int64_t cost;	       /* micro-dollars; with a status */
	const char *vendor_id; /* it is polled under this id from now on */
};

/* The job goes on, or ends, as the operator says. ERROR_NOT_FOUND: no such open job; ERROR_CONFLICT: its outcome is not unknown, or was said already,
 * or the id is another job's; ERROR_BUSY: nothing was done, and will not be; ERROR_PENDING: it is being written. */
enum error_code live_resolve(struct live *live, const struct id *id, const struct live_resolution *resolution,
	const struct live_patience *patience, struct error *error);

/* A vendor's webhook whose signature is good (`verified`), or of a vendor that signs nothing: then it is only a reason to poll. Returns at once,
 * before anybody looks for the job: one that has ended needs no news, and that is no error to the vendor. `headers` is a JSON object, copied.
 * Where hosts share the registry, one that is verified is written there for the job's owner first, and taken once by all of them: `delivery` is its own id, or
 * NULL. ERROR_BUSY: the host is stopping, or the registry cannot be written. */
enum error_code live_take_webhook(struct live *live, const struct id *id, const char *delivery, bool verified, json_t *headers,
	const char *body, size_t length, struct error *error);

/* ---- the switch ---- */

/* Stops everything that is not sent yet, or starts it again, on all hosts of the registry: once it has returned, no request that costs is let go. It
 * lasts over restarts and power losses, with an event of its own. ERROR_IO, ERROR_BUSY, ERROR_PENDING: the registry could not be written; nothing was
 * started, and a stop holds on this host all the same, but only until it ends. Blocks on the disk. */
enum error_code live_switch(struct live *live, bool stopped, struct error *error);
bool live_is_stopped(struct live *live); /* as this host knows it; any thread */

/* The same, looked up where other hosts may have turned it. Blocks on the disk there. */
bool live_look_at_switch(struct live *live);

/* The registry says so, with this change of its settings; an older one than is known is passed over. Any thread. */
void live_follow_switch(struct live *live, bool stopped, int64_t revision);

/* What the switches of this moment (stop, configuration, flag, the script's presence) say to whoever is about to send something to the provider:
 * why not, or NULL. Any thread. */
const char *live_held_back(struct live *live, const char *kind, const char *provider);

/* Configuration, secrets or scripts have changed: jobs that were held back look again. Any thread. */
void live_wake(struct live *live);

/* ---- figures ---- */

/* What settled jobs have cost, for the calls of scripts. Lives as long as `live`. Any thread. */
const struct observed_source *live_observed(struct live *live);

/* Jobs of a provider that cost more than was reserved for them, and by how much together, since the start. Any thread. */
struct live_excess {
	uint64_t jobs;
	int64_t micro_usd;
};

struct live_excess live_exceeded(struct live *live, const char *provider);

/* How long jobs of this provider and kind took that were done lately, submit to end, in milliseconds. Returns of how many; 0: not known. Any thread. */
int live_history(struct live *live, const char *provider, const char *kind, int64_t *p50_ms, int64_t *p90_ms);

/* Open jobs by phase. Any thread. */
struct live_counts {
	size_t queued, sending, sent, unknown;
};

struct live_counts live_counts(struct live *live);
