/* directory.h - what vendors publish about their models: read by scripts' functions, kept in data/directory.db, served from memory.
 *
 * Off as shipped (directory.enabled), and then there is no thread, no file and no connection. On, a thread of its own decides what is read when, has the
 * engine call a script's `models`, `describe` and `prices`, checks what they return and publishes it. Old answers are served while new ones are fetched
 * behind; a failure keeps the old with its age and cause.
 *
 * Reading is for any thread: a snapshot of one provider is immutable and counted; to take it is a pointer under a lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"
#include "engine/engine.h"
#include "gate/gate.h"
#include "registry/store.h"
#include "script/model_source.h"
#include "script/provider_loader.h"

struct directory;

struct directory_options {
	struct engine *engine;
	struct gate *gate;
	struct provider_loader *loader;
	struct task_store *store; /* for events */
	const char *data;	  /* the folder; copied */
};

/* Makes it; starts its thread and opens its file only when it is switched on. After the parts named above; they outlive it. */
enum error_code directory_open(const struct directory_options *options, struct directory **directory, struct error *error);

/* Configuration or scripts have changed: what was switched off stops at once, what was switched on begins. Loader thread. */
void directory_reload(struct directory *directory);

/* Before the engine stops: who waits is sent away, nothing new is asked. Any thread. */
void directory_leave(struct directory *directory);

/* After the engine has stopped: ends the thread, closes the file, frees it. NULL: does nothing. */
void directory_close(struct directory *directory);

/* For ctx.model and ctx.price of a call (script_call.models). Lives as long as the directory. */
const struct model_source *directory_source(struct directory *directory);

/* Is it switched on, by configuration, for this provider (its id), and does its script have functions for it? Any thread. */
bool directory_is_on(struct directory *directory, const char *provider);

/* ---- what is known of a provider's models ---- */

/* One model. Texts are JSON but for id, kind, status and folded; immutable, and borrowed from the snapshot. */
struct directory_model {
	_Atomic int holders;
	char *id;
	const char *kind;   /* image, video, audio, text, 3d, json, other */
	const char *status; /* active, deprecated, staging, offline, gone */
	char *brief; /* an object: id, name, kind, task, status, version, description, updated_at, source; NULL: it is in no list and was never described */
	char *folded;  /* id, name, task and description in lower case, for searches */
	char *text;    /* an object: all of it, with inputs, without price and as_of; NULL: it was not described yet */
	char *price;   /* an object; NULL: none */
	char *etag;    /* of `text`, or NULL */
	char *failure; /* why it could not be described lately, or NULL */
	char *price_failure;
	size_t bytes;		      /* that it takes */
	bool has_inputs;	      /* `text` has a schema */
	bool listed;		      /* the vendor's list has it, or had it lately */
	int misses;		      /* complete crawls in a row that did not find it */
	int failures, price_failures; /* in a row */
	int64_t gone_ms;	      /* since when it is gone, or 0 */
	/* Unix milliseconds, 0: never. */
	int64_t text_ms, text_checked_ms; /* when the vendor last said that `text` is so; when it was last asked, well or badly */
	int64_t price_ms, price_checked_ms;	/* the same of the price, and of there being none */
	int64_t seen_ms;			/* when a crawl began that found it */
	int64_t next_try_ms, price_next_try_ms; /* not before */
	int64_t missing_until_ms;		/* "no such model", said lately */
};

struct directory_snapshot {
	_Atomic int holders;
	char provider[32];
	struct directory_model **models; /* sorted by id; those without a brief are no answer to anybody */
	size_t count;
	size_t shown; /* those with a brief */
	size_t described;
	size_t bytes;		  /* of all texts */
	bool complete;		  /* the last crawl saw all of the vendor's list */
	int64_t as_of_ms;	  /* of the list; 0: it was never read */
	int64_t checked_ms;	  /* when it was last asked for */
	char *failure;		  /* why the list could not be read lately, or NULL */
	int64_t failing_since_ms; /* 0: it is not */
};

/* The newest snapshot of a provider; NULL: off, or nothing was read yet. Give it back with directory_release() (NULL: does nothing). Any thread. */
struct directory_snapshot *directory_acquire(struct directory *directory, const char *provider);
void directory_release(struct directory_snapshot *snapshot);

/* The model of this very id that has a brief; NULL: there is none. Borrowed from the snapshot. */
const struct directory_model *directory_find(const struct directory_snapshot *snapshot, const char *id);

/* Up to `room` ids that are near to this one, for "did you mean"; borrowed. Returns how many. */
size_t directory_nearest(const struct directory_snapshot *snapshot, const char *id, const char **ids, size_t room);

struct directory_query {
	const char *text;   /* words that id, name, task or description have, in any letter case; NULL or "": all */
	const char *kind;   /* NULL: any */
	const char *status; /* NULL: any but gone */
	size_t limit;	    /* at most LIMIT_PAGE_MAX */
	size_t skip;	    /* so many of the found ones come before this page: a cursor is this number */
};

/* Fills `found` (room for query->limit) with what fits, best first: the id itself, ids that begin so, ids, names, the rest; by id within each. *next is
 * the skip of the next page, 0 when there is none; *total is how many fit in all. Returns how many were filled in. */
size_t directory_search(const struct directory_snapshot *snapshot, const struct directory_query *query,
	const struct directory_model **found, size_t *next, size_t *total);

/* Appends a model as an object: `brief` with price and ages, or (whole) all that is known, with inputs and price. `words` are what is said of its price where
 * the vendor told none, or NULL. */
void directory_write_model(const struct directory_model *model, bool whole, const char *words, struct buffer *out);

/* The `state` alone, of those below. Any thread. */
const char *directory_state(struct directory *directory, const char *provider);

/* Appends the object "directory" that every answer carries: { state, as_of, age_seconds, failure, complete, models }. `state` is "off", "empty" (on, nothing
 * read yet), "fresh", "old" (beyond its age, being read anew) or "failing". `provider`: its id. Any thread. */
void directory_write_state(struct directory *directory, const char *provider, struct buffer *out);

/* ---- asking ---- */

/* Reads the list (model NULL) or one model with its price anew, behind, whatever their age. ERROR_CONFLICT: it is off for this provider, or its script
 * has no function for it; ERROR_INVALID: no id could be so; ERROR_BUSY: too much waits. Any thread; returns at once. */
enum error_code directory_refresh(struct directory *directory, const char *provider, const char *model, struct error *error);

/* For a search that the vendor answers, where its list cannot be had as a whole: asks behind for what it finds; its models join the snapshot. Any
 * thread; returns at once. */
void directory_ask_search(struct directory *directory, const char *provider, const char *text);

/* Asks for a model that was never seen and waits for the answer, at most so long. True: it is known now, or known not to be. `over` is asked some times
 * a second, true ends the waiting. HTTP threads. */
bool directory_await_model(struct directory *directory, const char *provider, const char *id, int timeout_ms,
	bool (*over)(void *context), void *context);

/* ---- figures ---- */

struct directory_figures {
	char provider[32];
	bool on;
	size_t models, described, bytes;
	uint64_t requests, failures; /* since the start */
	int64_t as_of_ms, failing_since_ms;
};

/* Up to `room` of them; returns how many. Any thread. */
size_t directory_figures(struct directory *directory, struct directory_figures *figures, size_t room);

/* The next problem for /readyz: a provider whose list or models have failed for 3 days. `index` counts from 0. False: there is no such one. */
bool directory_problem(struct directory *directory, size_t index, char *text, size_t size);
