/* bucket_store.c - a bucket that keeps artifacts: its beginning, its turns and its end, and what any thread may ask of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/bucket.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"

#define WAITING_FOLDER "waiting"
#define CACHE_FOLDER "cache"

void bucket_name(char name[BUCKET_NAME_BYTES], const char *sha256, const char *rest)
{
	snprintf(name, BUCKET_NAME_BYTES, "%.2s/%s%s%s", sha256, sha256, rest != NULL ? "." : "", rest != NULL ? rest : "");
}

int64_t bucket_cache_most(struct bucket *bucket)
{
	const struct gate_view *view = gate_acquire(bucket->gate);
	int64_t most = view->config->artifacts.cache_bytes;

	gate_release(bucket->gate, view);
	return most;
}

/* ---- files that are gone ---- */

static char *find_absent(struct bucket *bucket, const char *sha256)
{
	for (size_t i = 0; i < LIMIT_BUCKET_ABSENT; i++)
		if (strcmp(bucket->absent[i], sha256) == 0)
			return bucket->absent[i];
	return NULL;
}

void bucket_note_absent(struct bucket *bucket, const char *sha256, bool absent)
{
	char *known;

	pthread_mutex_lock(&bucket->lock);
	known = find_absent(bucket, sha256);
	if (absent && known == NULL)
		memcpy(bucket->absent[bucket->absent_next++ % LIMIT_BUCKET_ABSENT], sha256, ARTIFACT_SHA256_TEXT);
	else if (!absent && known != NULL)
		*known = '\0';
	pthread_mutex_unlock(&bucket->lock);
}

bool bucket_knows_absent(struct bucket *bucket, const char *sha256)
{
	bool known;

	pthread_mutex_lock(&bucket->lock);
	known = find_absent(bucket, sha256) != NULL;
	pthread_mutex_unlock(&bucket->lock);
	return known;
}

/* ---- the artifacts thread ---- */

static void bucket_begin(struct artifact_store *store)
{
	struct bucket *bucket = (struct bucket *)store;

	artifact_folder_clean(&store->folder);
	bucket_cache_begin(bucket->cache);
	bucket_waiting_begin(bucket);
}

static int64_t bucket_turn(struct artifact_store *store, int keep_days, bool idle)
{
	struct bucket *bucket = (struct bucket *)store;
	int64_t due_ns, other_ns;

	atomic_store(&bucket->keep_days, keep_days);
	due_ns = bucket_waiting_turn(bucket);
	other_ns = bucket_sweep_turn(bucket, keep_days, idle);
	due_ns = other_ns < due_ns ? other_ns : due_ns;
	other_ns = s3_client_turn(bucket->client);
	return other_ns < due_ns ? other_ns : due_ns;
}

static void bucket_close(struct artifact_store *store)
{
	struct bucket *bucket = (struct bucket *)store;

	bucket->closing = true;
	s3_client_close(bucket->client);
}

/* ---- any thread ---- */

static bool bucket_has(const struct artifact_store *store, const char *sha256)
{
	struct bucket *bucket = (struct bucket *)(uintptr_t)store;

	return !bucket_knows_absent(bucket, sha256) || artifact_folder_has(&store->folder, sha256);
}

/* "response-content-type=image%2Fpng&response-content-disposition=...": so the bucket says of a file what the host would say. */
static bool bucket_link(
	struct artifact_store *store, const char *sha256, const char *type, const char *disposition, struct buffer *url)
{
	struct bucket *bucket = (struct bucket *)store;
	char name[BUCKET_NAME_BYTES];
	struct buffer query;
	bool linked;

	if (artifact_folder_has(&store->folder, sha256) || bucket_knows_absent(bucket, sha256))
		return false;
	bucket_name(name, sha256, NULL);
	buffer_init(&query, LIMIT_S3_REQUEST_BYTES);
	buffer_text(&query, "response-cache-control=private%2C%20max-age%3D300&response-content-disposition=");
	s3_encode(disposition, false, &query);
	buffer_text(&query, "&response-content-type=");
	s3_encode(type, false, &query);
	linked = !query.failed && s3_client_link(bucket->client, name, query.data, url);
	buffer_free(&query);
	return linked;
}

static void bucket_tell(struct artifact_store *store, struct artifacts_state *state)
{
	struct bucket *bucket = (struct bucket *)store;
	const struct s3_figures *figures = s3_client_figures(bucket->client);

	state->bucket = true;
	s3_client_problem(bucket->client, state->problem, sizeof state->problem);
	state->waiting = atomic_load(&bucket->waiting_files);
	state->cached_bytes = bucket_cache_bytes(bucket->cache);
	state->uploads = atomic_load(&bucket->uploads);
	state->upload_failures = atomic_load(&bucket->upload_failures);
	state->requests = atomic_load(&figures->requests);
	state->failures = atomic_load(&figures->failures);
	state->bytes_sent = atomic_load(&figures->bytes_sent);
	state->bytes_received = atomic_load(&figures->bytes_received);
}

static void bucket_free(struct artifact_store *store)
{
	struct bucket *bucket = (struct bucket *)store;

	s3_call_clear(&bucket->sweep.call);
	bucket_names_free(&bucket->sweep.names);
	s3_client_free(bucket->client);
	bucket_cache_free(bucket->cache);
	pthread_mutex_destroy(&bucket->lock);
	free(store->folder.directory);
	free(bucket);
}

static const struct artifact_doors bucket_doors = {
	.begin = bucket_begin,
	.keep = bucket_keep,
	.turn = bucket_turn,
	.remove = bucket_remove,
	.close = bucket_close,
	.has = bucket_has,
	.open = bucket_open,
	.open_whole = bucket_open_whole,
	.link = bucket_link,
	.tell = bucket_tell,
	.free = bucket_free,
};

struct artifact_store *bucket_store_new(const char *directory, struct gate *gate, struct loop *loop, struct artifact_asks *asks)
{
	const struct gate_view *view = gate_acquire(gate);
	struct bucket *bucket = memory_new(sizeof *bucket);
	char *cache = file_join(directory, CACHE_FOLDER);

	bucket->store.doors = &bucket_doors;
	bucket->store.folder.directory = file_join(directory, WAITING_FOLDER);
	bucket->gate = gate;
	bucket->asks = asks;
	bucket->last_queued = &bucket->queued;
	bucket->cache = bucket_cache_new(cache);
	bucket->client = s3_client_new(s3_place_new(&view->config->artifacts, view->environment), gate, loop);
	pthread_mutex_init(&bucket->lock, NULL);
	free(cache);
	gate_release(gate, view);
	return &bucket->store;
}
