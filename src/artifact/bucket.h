/* bucket.h - what the files of a bucket that keeps artifacts share (for this folder of src/ only). All of it is the artifacts thread's, but for what is said.
 *
 *   <prefix>/<2 hex>/<sha256>                     a file, by its content
 *   <prefix>/<2 hex>/<sha256>.<job>-<n>.json      where it came from, one for each job that made it
 *
 * On this machine there is a folder with the same names of what is not in the bucket yet, and a cache of what is. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact_store.h"
#include "artifact/bucket_cache.h"
#include "s3/s3_client.h"

#define BUCKET_NAME_BYTES 256

/* One file on its way there. The caller keeps it until `done`; all zero but what is said. */
struct bucket_upload {
	/* In. The texts are kept until `done`. */
	int content, provenance; /* descriptors */
	int64_t bytes;
	const char *sha256, *name, *type; /* `name`: of the provenance, "<job>-<n>" */
	void (*done)(struct bucket_upload *upload);
	void *context;

	/* Out. */
	struct error error;
	bool renewed; /* there was such a file, so old that a sweep may have had it in view: it is to be looked for again */

	/* Its own. */
	struct bucket *bucket;
	struct s3_call call;
	char upload_id[2048];
	struct buffer list; /* of the parts */
	int64_t part, part_bytes;
	struct bucket_upload *next;
};

/* Names to be deleted, one after the other. */
struct bucket_names {
	char (*names)[BUCKET_NAME_BYTES];
	size_t count, capacity, at;
	int64_t before_ms; /* content is looked at once more: it goes when it is older; 0: whatever its age */
	size_t gone;
	struct error error;
	struct bucket *bucket;
	struct s3_call call;
	void (*done)(struct bucket_names *names); /* all, or as far as the error */
	void *context;
};

struct bucket_sweep {
	bool under_way;
	int64_t due_ns; /* monotonic; 0: at once */
	int64_t before_ms;
	char token[2048]; /* of the next page */
	char digest[ARTIFACT_SHA256_TEXT];
	bool old_content, described; /* of this digest */
	size_t gone;
	struct s3_call call;
	struct bucket_names names;
};

/* What waits on this machine is brought there, one file at a time. */
struct bucket_waiting {
	bool busy;
	int64_t due_ns, pause_ms;
	char name[BUCKET_NAME_BYTES], sha256[ARTIFACT_SHA256_TEXT], type[128];
	struct bucket_upload upload;
};

struct bucket {
	struct artifact_store store; /* its folder: what is on its way, and what waits */
	struct gate *gate;
	struct artifact_asks *asks;
	struct s3_client *client;
	struct bucket_cache *cache;
	bool closing;
	struct bucket_upload *queued, **last_queued;
	int uploading;
	struct bucket_fetch *fetches; /* under way, and queued */
	int fetching;
	struct bucket_waiting waiting;
	struct bucket_sweep sweep;
	_Atomic int64_t waiting_files;
	_Atomic uint64_t uploads, upload_failures;
	_Atomic int keep_days;
	pthread_mutex_t lock; /* guards the following; any thread */
	char absent[LIMIT_BUCKET_ABSENT][ARTIFACT_SHA256_TEXT];
	size_t absent_next;
};

/* "ab/<sha256>", or with ".<rest>". */
void bucket_name(char name[BUCKET_NAME_BYTES], const char *sha256, const char *rest);

int64_t bucket_cache_most(struct bucket *bucket); /* any thread */

/* Files that are known to be gone. Any thread. */
void bucket_note_absent(struct bucket *bucket, const char *sha256, bool absent);
bool bucket_knows_absent(struct bucket *bucket, const char *sha256);

/* ---- bucket_upload.c ---- */

void bucket_upload_start(struct bucket *bucket, struct bucket_upload *upload);

/* ---- bucket_keep.c ---- */

void bucket_keep(struct artifact_store *store, struct artifact_file *const *files, size_t count);
void bucket_waiting_begin(struct bucket *bucket);   /* counts them */
int64_t bucket_waiting_turn(struct bucket *bucket); /* when there is more to do; INT64_MAX: nothing waits */
void bucket_waiting_put_off(struct bucket *bucket); /* the bucket has failed: not now */
void bucket_waiting_forget(struct bucket *bucket, const char *sha256, const char *job); /* those of a job, if there are any */
bool bucket_waiting_is_put_off(struct bucket *bucket);					/* and nothing is worth a try */

/* ---- bucket_read.c ---- */

enum error_code bucket_open(
	struct artifact_store *store, const char *sha256, struct artifact_reading *reading, struct error *error);
enum error_code bucket_open_whole(struct artifact_store *store, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error);

/* ---- bucket_sweep.c, bucket_removal.c ---- */

int64_t bucket_sweep_turn(struct bucket *bucket, int keep_days, bool idle);
void bucket_remove(struct artifact_store *store, struct artifact_removal *removal);

void bucket_names_add(struct bucket_names *names, const char *name);
void bucket_names_delete(struct bucket *bucket, struct bucket_names *names);
void bucket_names_free(struct bucket_names *names);
