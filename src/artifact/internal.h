/* internal.h - what the files of the artifacts thread share (for this folder of src/ only). All of it is that thread's, but for what struct
 * artifacts says. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "artifact/artifact_ask.h"
#include "artifact/artifact_file.h"
#include "artifact/artifact_store.h"
#include "artifact/artifact_type.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "net/loop.h"
#include "net/transfer.h"

struct artifact_work;

/* One output on its way. */
struct artifact_item {
	struct artifact_work *work;
	const json_t *output;
	int n;
	struct artifact_file file;
	char type[ARTIFACT_TYPE_BYTES]; /* as the vendor's server or the data URI said it; once kept: of the file */
	bool failed;
	struct error error; /* why it was not kept */

	/* A download. */
	char host[LIMIT_ARTIFACT_HOST_BYTES]; /* of the URL, for its share */
	struct buffer url;		      /* as the vendor itself would write it */
	struct outgoing outgoing;
	struct transfer transfer;
	int tries;
	bool hopeless;	 /* another try would end the same way */
	int64_t rest_ms; /* before the next try; 0: there is none */
	int64_t due_ns;	 /* of the next try */
	struct artifact_item *next;
};

/* One job's outputs. Ends itself with its last item. */
struct artifact_work {
	struct artifact_copy *copy;
	struct artifacts *artifacts;
	int64_t until_ns; /* for all of them */
	int count, left;
	struct artifact_item items[];
};

/* Those that wait, run or rest between two tries. */
struct artifact_downloads {
	struct artifact_item *ready, **last_ready;		 /* may start */
	struct artifact_item *running[LIMIT_ARTIFACT_DOWNLOADS]; /* for their shares; NULL: free */
	struct artifact_item *resting;
};

struct artifacts {
	pthread_t thread;
	struct loop *loop;
	struct artifact_store *store;
	_Atomic size_t open; /* copies between put and done */
	_Atomic int keep_days;
	pthread_mutex_t lock;
	struct artifact_copy *first, **last; /* that wait; under the lock */
	bool stopping;			     /* under the lock */
	struct artifact_asks asks;

	/* The thread's own. */
	struct artifact_downloads downloads;
	struct artifact_item *whole[LIMIT_ARTIFACT_BATCH]; /* files, to be kept together */
	size_t whole_count;
	bool giving_up; /* the host has no more time */
};

/* ---- artifact_work.c: each of these may end the item's work, and free both ---- */

/* Takes a copy out of the queue's hands and begins all that it asks for. */
void artifact_work_begin(struct artifacts *artifacts, struct artifact_copy *copy);

/* Hands the files that have become whole since to the store, all of them together. */
void artifact_work_keep(struct artifacts *artifacts);

/* The file is whole: it will be kept with the next ones. */
void artifact_item_finish(struct artifact_item *item);

/* It was kept, or has failed as item->error says. */
void artifact_item_end(struct artifact_item *item);

/* There was no time to bring it. */
void artifact_item_give_up(struct artifact_item *item);

/* Seconds for all outputs of a job. */
int64_t artifact_job_seconds(void);

/* The secrets that must not be in its file: the host's, and the vendor's credentials whatever they look like. */
struct mask_known artifact_known(const struct artifact_item *item);

/* ---- artifact_downloads.c ---- */

void artifact_downloads_init(struct artifact_downloads *downloads);
void artifact_downloads_add(struct artifact_downloads *downloads, struct artifact_item *item);

/* How many of a provider's may start and have not. */
int artifact_downloads_waiting(const struct artifact_downloads *downloads, const char *provider);

/* Starts those whose turn it is, and ends those whose job has had its time. Returns when the next
 * resting one is due (monotonic nanoseconds), or INT64_MAX. */
int64_t artifact_downloads_run(struct artifacts *artifacts);

/* A try has ended: the item is finished, ended, given up, or rests. */
void artifact_downloads_ended(struct artifact_item *item);

/* Gives up all that wait or rest. */
void artifact_downloads_give_up(struct artifact_downloads *downloads);

/* ---- artifact_fetch.c ---- */

/* Checks the URL and makes the request. False: it is not fetched; see item->error. */
bool artifact_fetch_prepare(struct artifact_item *item);

/* Starts a try; artifact_downloads_ended() is called later, from loop_run_once(). */
void artifact_fetch_start(struct loop *loop, struct artifact_item *item);

void artifact_fetch_free(struct artifact_item *item);

/* ---- artifact_inline.c ---- */

/* Writes the file of an output that came inside the answer. False: see item->error. Blocks on the disk. */
bool artifact_inline_write(struct artifact_item *item);

/* ---- artifact_record.c ---- */

/* Writes the provenance of an item whose file is finished. On failure the item has failed: a file nobody can account for is not kept. */
void artifact_record_provenance(struct artifact_item *item);

/* Fills in what the copy's taker gets. */
void artifact_record_results(struct artifact_work *work);
