/* artifact.h - copies what a live job made, at once, before the vendor's URLs expire.
 *
 * A thread of its own with an epoll loop: the engine's must not block on the disk. Every output is streamed into a file, and kept by its content with a
 * provenance file beside it, in a folder or in a bucket (artifact/artifact_store.h). What cannot be kept is a warning, never an error of the job. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/gate.h"
#include "script/provider.h"

struct artifacts;

/* The outputs of one job. The poster keeps it alive until `done` was called. */
struct artifact_copy {
	/* In; borrowed until `done`. */
	struct provider *provider;    /* its manifest says which hosts may be fetched from */
	const struct gate_view *view; /* live.upstream, base_url and artifacts.max_bytes in force */
	const json_t *outputs;	      /* array, as the script returned it (docs/provider-scripts.md, "artifacts") */
	/* Object, written beside each file with what is known of the file added. `job_id` is needed; usual besides: provider, kind, model,
	 * payload (masked), vendor_id, cost, created_at, done_at. */
	json_t *provenance;

	/* Out; the taker's to json_decref(). */
	json_t *artifacts; /* array; see docs/api.md, "Artifacts": { n, url, content_type, bytes, sha256, ... } or { n, error, ... } */
	json_t *warnings; /* array of text, one for each output that was not kept: why, and what can still be done */
	int kept, lost;	  /* how many of `artifacts` */
	bool interrupted; /* the host stopped meanwhile: put the same outputs again after the next start; what was kept is found again */
	void (*done)(struct artifact_copy *copy); /* on the artifacts thread; must not block */
	void *context;
	struct artifact_copy *next; /* the artifacts' */
};

/* Starts the thread, which first removes what a former run left half-written. Where files are kept says the configuration in force (artifacts.dir): a
 * folder, relative to `home`, or a bucket; then `data` holds what is on its way. A folder is made when the first file is kept: an unwritable one is a
 * warning then. Files that no job refers to any more go registry.keep_days after the last job that made them. */
enum error_code artifacts_start(
	const char *home, const char *data, struct gate *gate, struct artifacts **artifacts, struct error *error);

/* Gives copies under way LIMIT_ARTIFACT_STOP_MS to end, then calls `done` for the rest, interrupted. NULL is allowed. */
void artifacts_stop(struct artifacts *artifacts);

/* From the configuration in force. Any thread. */
void artifacts_set_keep_days(struct artifacts *artifacts, int keep_days);

/* Queues a copy. ERROR_BUSY when stopping or when LIMIT_ARTIFACT_QUEUE copies wait (then `done` is not called). Any thread; never blocks. */
enum error_code artifacts_put(struct artifacts *artifacts, struct artifact_copy *copy);

/* Copies that wait or are under way. Any thread. */
size_t artifacts_backlog(struct artifacts *artifacts);

/* Takes away what was kept of a job, by its id and the digests of its files: each file, unless another job made the same, and that this one did. What is
 * gone already is no error. ERROR_BUSY: not in time (some may be gone, or go yet); ERROR_IO. HTTP thread; blocks on the disk. */
enum error_code artifacts_remove(
	struct artifacts *artifacts, const char *job, const char *const *digests, size_t count, struct error *error);

/* Is there a kept file of this digest (64 hex digits)? Of a bucket: as far as this host knows. Any thread; asks the disk. */
bool artifacts_have(const struct artifacts *artifacts, const char *sha256);

/* Opens a kept file for reading by its digest (64 hex digits). ERROR_NOT_FOUND when it is gone, ERROR_INVALID when that is no digest,
 * ERROR_IO, ERROR_BUSY. HTTP thread; blocks on the disk briefly, and on a bucket for as long as it takes to fetch all of it. */
enum error_code artifacts_open(struct artifacts *artifacts, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error);

/* A kept file, to be read piece by piece: of a large one in a bucket no more is fetched than is read. */
struct artifact_reading {
	int64_t bytes, modified_ms;
	int descriptor; /* of the whole file; -1: `read` it */
	/* As pread(). May wait for the bucket. -1: it cannot be read on, and errno says nothing. */
	ssize_t (*read)(void *reading, void *to, size_t size, int64_t at);

	/* The store's own. */
	void *store;
	char sha256[65];
	int block_descriptor;
	int64_t block;
};

/* As artifacts_open(). */
enum error_code artifacts_read(
	struct artifacts *artifacts, const char *sha256, struct artifact_reading *reading, struct error *error);
void artifact_reading_close(struct artifact_reading *reading);

/* Appends a URL that shows the file to whoever has it, for LIMIT_S3_URL_SECONDS, with this media type and this Content-Disposition: it goes to who asked, and
 * into no log. False: there is none, and the file is to be read here. Any thread; asks the disk. */
bool artifacts_link(
	struct artifacts *artifacts, const char *sha256, const char *type, const char *disposition, struct buffer *url);

/* Where the file of this digest is, as an absolute path; free() it. NULL: there is none on this machine. Any thread; asks the disk. */
char *artifacts_path(const struct artifacts *artifacts, const char *sha256);

/* How a bucket does. All zero of a folder. */
struct artifacts_state {
	bool bucket;
	char problem[480]; /* "": it does what it is asked */
	int64_t waiting;   /* files that this host keeps for it */
	int64_t cached_bytes;
	uint64_t uploads, upload_failures, requests, failures, bytes_sent, bytes_received;
};
void artifacts_tell(struct artifacts *artifacts, struct artifacts_state *state); /* any thread */
