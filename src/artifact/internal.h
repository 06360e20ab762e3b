/* internal.h - what the files of the artifacts thread share (for this folder only). All of it belongs to that thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "net/loop.h"
#include "net/transfer.h"
#include "artifact/artifact.h"
#include "artifact/artifact_file.h"
#include "artifact/artifact_type.h"

struct artifact_work;

/* One output on its way. */
struct artifact_item {
	struct artifact_work *work;
	const json_t *output;
	int n;
	struct artifact_file file;
	char type[ARTIFACT_TYPE_BYTES]; /* as the vendor's server or the data URI said it; once kept: of the file */
	struct error error;		/* why it was not kept */
	bool failed;

	/* A download. */
	char host[LIMIT_ARTIFACT_HOST_BYTES]; /* of the URL, for its share */
	struct buffer url;		      /* as the vendor itself would write it */
	struct outgoing outgoing;
	struct transfer transfer;
	int tries;
	bool hopeless;	 /* another try would end the same way */
	int64_t rest_ms; /* before the next try */
	int64_t due_ns;	 /* of the next try */
	struct artifact_item *next;
};

/* One job's outputs. */
struct artifact_work {
	struct artifact_copy *copy;
	struct artifact_folder *folder;
	int64_t until_ns;			   /* for all of them */
	void (*ended)(struct artifact_item *item); /* a download ended: whole, failed, or to be tried again (rest_ms > 0) */
	int count, left;
	struct artifact_item items[];
};

/* artifact_fetch.c */

/* The secrets that must not be in its file: the host's, and the vendor's credentials whatever they look like. */
struct mask_known artifact_known(const struct artifact_item *item);

/* Checks the URL and makes the request. False: it is not fetched; see item->error. */
bool artifact_fetch_prepare(struct artifact_item *item);

/* Starts a try; item->work->ended() is called later, from loop_run_once(). */
void artifact_fetch_start(struct loop *loop, struct artifact_item *item);

void artifact_fetch_free(struct artifact_item *item);

/* artifact_record.c */

/* Writes the provenance of an item whose file is finished. On failure the item has failed: a file nobody can account for is not kept. */
void artifact_record_provenance(struct artifact_item *item);

/* Fills copy->artifacts and copy->warnings. */
void artifact_record_results(struct artifact_work *work);

/* Appends a URL without user name, query and fragment. */
void artifact_record_url(struct buffer *out, const char *url);
