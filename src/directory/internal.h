/* internal.h - what the files of the directory share. For this folder only.
 *
 * A shelf is one provider's part. Its working copy belongs to the directory's thread; what others read is published as a snapshot under the one lock,
 * which is never held across the disk, Lua or the network. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "directory/directory.h"
#include "directory/model_shape.h"

struct directory_file;

enum part { PART_LIST = 0, PART_SEARCH, PART_MODEL, PART_PRICE, PARTS };

/* Somebody wants to know. */
struct ask {
	enum part part;
	char *key;	/* model id, or words; NULL: PART_LIST */
	int64_t age_ms; /* what is younger will do; 0: whatever its age, and whatever was said of waiting */
	bool awaited;	/* a thread waits for it */
	struct ask *next;
};

/* The pages of a list that were read so far. */
struct crawl {
	struct model_shape *found;
	size_t count, room;
	uint64_t cursors[LIMIT_DIRECTORY_PAGES]; /* digests */
	int pages;
	int tries;    /* of the next page, that failed */
	char *cursor; /* the next page's; NULL: the first */
	char *etag;
	bool incomplete; /* the script says that it does not show all, or the pages did not end */
};

struct directory_call;

/* What was searched for lately is not asked for again. */
struct search {
	uint64_t digest;
	int64_t at_ns;
};

struct shelf {
	char id[32];
	struct directory *directory;

	/* Any thread. */
	_Atomic bool on;
	_Atomic bool has[PARTS];       /* functions for them */
	_Atomic int64_t age_ms[PARTS]; /* beyond it, it is read anew */
	_Atomic int64_t pace_ms;
	_Atomic uint64_t requests, failures_total;

	/* Under the lock. */
	struct directory_snapshot *snapshot; /* held; NULL: nothing was read */
	struct ask *asks;
	int ask_count;
	_Atomic bool asks_list; /* it was asked for the list */

	/* The thread's. */
	bool loaded;
	bool changed;			 /* since it was published */
	struct directory_model **models; /* sorted by id; held */
	size_t count, room;
	int64_t as_of_ms, checked_ms, next_try_ms, failing_since_ms;
	int failures;
	char *failure, *etag;
	bool complete;
	struct crawl *crawl;		   /* under way, or NULL */
	struct search searched[16];	   /* the last ones */
	struct directory_call *running[2]; /* the crawl's (or search's), and one for models and prices */
	_Atomic int64_t free_ns;	   /* monotonic: the pace lets nothing leave before; others only read it */
};

/* One call of a script. */
struct directory_call {
	struct engine_call call; /* first: callbacks find the rest by it */
	struct shelf *shelf;
	enum part part;
	char **keys;		      /* ids, or words; NULL-terminated */
	const struct gate_view *view; /* held */
	int64_t started_ms;
	/* engine thread, until it is finished */
	int requests;
	int status;	  /* of the last answer; 0: none */
	int64_t retry_ms; /* that the vendor asks us to wait; 0: it does not */
	bool held;	  /* the switches kept one of its requests */
	struct directory_call *next;
};

struct directory {
	struct engine *engine;
	struct gate *gate;
	struct provider_loader *loader;
	struct task_store *store;
	char *path;
	struct model_source source;

	pthread_mutex_t lock;
	pthread_cond_t work; /* for the thread */
	pthread_cond_t news; /* for those who wait for a model */
	struct shelf *shelves[LIMIT_PROVIDERS];
	_Atomic size_t shelf_count; /* a shelf is complete before the count that shows it; none is ever taken away */
	struct directory_call *finished;
	bool thread_there, thread_ended, woken;
	_Atomic bool stopping;
	pthread_t thread;

	/* The thread's. */
	struct directory_file *file;
	int calls;
};

/* ---- directory.c ---- */

/* NULL: there is none of this provider, or it is off. Any thread. */
struct shelf *directory_shelf(struct directory *directory, const char *provider);

/* ---- ask.c ---- */

/* What is younger than `age_ms` will do; 0: whatever its age. Any thread. False: too much waits already. */
bool directory_ask(struct shelf *shelf, enum part part, const char *key, int64_t age_ms, bool awaited);

/* The next ask of this part, taken out of the queue; NULL: there is none. The caller frees it with ask_free(). */
struct ask *directory_take_ask(struct shelf *shelf, enum part part);
void ask_free(struct ask *ask);

/* ---- known.c ---- */

void model_source_open(struct directory *directory);

/* ---- model.c: models and snapshots ---- */

struct directory_model *model_new(const char *id);
struct directory_model *model_hold(struct directory_model *model);
void model_release(struct directory_model *model);
size_t model_bytes(const struct directory_model *model);

/* The model's place in the shelf's working copy; or where it belongs, and false. */
bool shelf_place(const struct shelf *shelf, const char *id, size_t *place);
struct directory_model *shelf_find(const struct shelf *shelf, const char *id);

/* The model of this id to be changed: a new one, or a copy when a snapshot has it. NULL: the shelf is full. */
struct directory_model *shelf_edit(struct shelf *shelf, const char *id);
void shelf_remove(struct shelf *shelf, size_t place);
void shelf_empty(struct shelf *shelf);

/* Gives up what is beyond the limits: the oldest descriptions, ids that are none, what is gone for long. */
void shelf_trim(struct shelf *shelf);

/* As directory_find(), also one that is known only for not being known. */
const struct directory_model *snapshot_find(const struct directory_snapshot *snapshot, const char *id);

/* Makes what is in the working copy readable for all. */
void shelf_publish(struct shelf *shelf);

/* Takes `text` (or NULL) over in place of *place. */
void text_replace(char **place, char *text);

/* Takes a shape's texts over: it is empty afterwards. A text that it has is of this time. */
void model_take_shape(struct directory_model *model, struct model_shape *shape, int64_t now_ms);

/* ---- directory_file.c: the database; the thread ---- */

struct directory_file *directory_file_open(const char *path);
void directory_file_close(struct directory_file *file);

struct directory_row {
	const char *provider;
	enum part part;
	const char *key;
	const char *body; /* or NULL */
	int64_t as_of_ms, checked_ms, next_try_ms;
	const char *etag, *failure; /* or NULL */
};

void directory_file_begin(struct directory_file *file);
void directory_file_commit(struct directory_file *file);
void directory_file_put(struct directory_file *file, struct gate *gate, const struct directory_row *row);
void directory_file_remove(struct directory_file *file, const char *provider, enum part part, const char *key);
void directory_file_each(struct directory_file *file, const char *provider, enum part part,
	void (*take)(void *context, const struct directory_row *row), void *context);

/* ---- keep.c: a shelf to the file and back; the thread ---- */

void shelf_load(struct shelf *shelf);
void shelf_keep_list(struct shelf *shelf);
void shelf_keep_model(struct shelf *shelf, const struct directory_model *model);
void shelf_keep_price(struct shelf *shelf, const struct directory_model *model);

/* ---- directory_call.c: calls of scripts ---- */

/* Posts a call with `request` (taken over); `keys` too. False: it could not be. The thread. */
bool directory_call_post(struct shelf *shelf, enum part part, char **keys, json_t *request);
void directory_call_free(struct directory_call *call);

/* ---- due.c: what is asked when; the thread ---- */

/* Begins what is due. Returns when the next thing is (monotonic). */
int64_t schedule_run(struct directory *directory);

void crawl_free(struct crawl *crawl);

/* How long to wait after so many failures in a row, with jitter; what the vendor asks for comes first. */
int64_t schedule_backoff_ms(int failures, int64_t retry_ms);

/* ---- take.c, take_list.c: what came back; the thread ---- */

void take_call(struct directory_call *call);

/* A schema that cannot be used does not take the place of one that can. */
void take_keep_inputs(struct shelf *shelf, struct directory_model *model, struct model_shape *shape, int64_t retry_ms);

/* Tell of what is new in a model's text, and of its price, if there was one before. Return whether there is. */
bool take_compare_inputs(struct shelf *shelf, const char *id, const char *before, const char *after);
bool take_compare_prices(struct shelf *shelf, const char *id, const char *before, const char *after);

void take_page(struct directory_call *call, const json_t *result);
bool take_try_page_again(struct shelf *shelf, int64_t retry_ms);
void take_failed_list(struct shelf *shelf, const char *why, int64_t retry_ms);

/* ---- tell.c: events and the log; the thread ---- */

void tell_changed(struct shelf *shelf, const char *model, const char *what, const json_t *narrowed);
void tell_refreshed(const struct shelf *shelf, enum part part, const char *key, size_t models);
void tell_failed(const struct shelf *shelf, enum part part, const char *key, const char *why);
