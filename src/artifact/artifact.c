/* artifact.c - the thread that copies outputs: its queue, its turns, and its end.
 *
 * Owns the store, its loop, and every copy between put and done. Between copies the store does what it has to do besides: it sweeps. */
#include "artifact/artifact.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"

#define STACK_BYTES (256 * 1024)
#define NS_PER_MS INT64_C(1000000)
#define BUCKET_FOLDER "bucket" /* in data/ */
#define STOPPING_MS 50	       /* between two looks at whether all has ended, or the time is over */

/* Takes a copy only when there are few downloads of its provider before it, so that what waits costs no memory here, and others need not wait. */
static struct artifact_copy *take_copy(struct artifacts *artifacts, bool *stopping)
{
	const char *passed = ""; /* a provider that has enough: usually all that wait are of the same */
	struct artifact_copy **at, *copy = NULL;

	pthread_mutex_lock(&artifacts->lock);
	for (at = &artifacts->first; *at != NULL && copy == NULL;) {
		const char *provider = (*at)->provider->manifest.id;

		if (artifacts->giving_up || (strcmp(provider, passed) != 0 && artifact_downloads_waiting(&artifacts->downloads,
										      provider) < LIMIT_ARTIFACT_DOWNLOADS)) {
			copy = *at;
			*at = copy->next;
			if (*at == NULL)
				artifacts->last = at;
		} else {
			passed = provider;
			at = &(*at)->next;
		}
	}
	*stopping = artifacts->stopping;
	pthread_mutex_unlock(&artifacts->lock);
	return copy;
}

/* ---- the loop ---- */

/* Everything that can be done now; then it sleeps until there is more. */
static void take_turn_of_copies(struct artifacts *artifacts, bool *stopping)
{
	struct artifact_copy *copy;
	struct artifact_store *store = artifacts->store;
	int64_t until_ns, other_ns;

	artifact_asks_run(&artifacts->asks);
	for (int i = 0; i < LIMIT_ARTIFACT_BATCH && (copy = take_copy(artifacts, stopping)) != NULL; i++)
		artifact_work_begin(artifacts, copy);
	until_ns = artifact_downloads_run(artifacts);
	other_ns = store->doors->turn(store, atomic_load(&artifacts->keep_days), copy == NULL && !*stopping);
	until_ns = until_ns < other_ns ? until_ns : other_ns;
	other_ns = *stopping ? clock_monotonic_ns() + STOPPING_MS * NS_PER_MS : INT64_MAX;
	until_ns = until_ns < other_ns ? until_ns : other_ns;
	loop_run_once(artifacts->loop, copy != NULL || artifacts->whole_count > 0 ? 0 : until_ns);
	artifact_work_keep(artifacts);
}

/* What is left is told that it was interrupted. */
static void give_all_up(struct artifacts *artifacts)
{
	struct artifact_copy *copy;
	bool stopping;

	artifacts->giving_up = true;
	artifacts->store->doors->close(artifacts->store);
	transfers_abort(artifacts->loop);
	artifact_downloads_give_up(&artifacts->downloads);
	while ((copy = take_copy(artifacts, &stopping)) != NULL)
		artifact_work_begin(artifacts, copy);
	artifact_work_keep(artifacts);
}

static void *artifacts_main(void *argument)
{
	struct artifacts *artifacts = argument;
	bool stopping = false;
	int64_t deadline;

	artifacts->store->doors->begin(artifacts->store);
	while (!stopping)
		take_turn_of_copies(artifacts, &stopping);
	deadline = clock_monotonic_ns() + LIMIT_ARTIFACT_STOP_MS * NS_PER_MS;
	while (artifacts_backlog(artifacts) > 0 && clock_monotonic_ns() < deadline)
		take_turn_of_copies(artifacts, &stopping);
	give_all_up(artifacts);
	artifact_asks_run(&artifacts->asks);
	return NULL;
}

/* ---- doors ---- */

enum error_code artifacts_put(struct artifacts *artifacts, struct artifact_copy *copy)
{
	bool closed, was_empty = false;

	if (atomic_fetch_add_explicit(&artifacts->open, 1, memory_order_relaxed) >= LIMIT_ARTIFACT_QUEUE) {
		atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	copy->next = NULL;
	pthread_mutex_lock(&artifacts->lock);
	closed = artifacts->stopping;
	if (!closed) {
		was_empty = artifacts->first == NULL;
		*artifacts->last = copy;
		artifacts->last = &copy->next;
	}
	pthread_mutex_unlock(&artifacts->lock);
	if (closed) {
		atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	if (was_empty)
		loop_wake(artifacts->loop);
	return ERROR_NONE;
}

size_t artifacts_backlog(struct artifacts *artifacts)
{
	return atomic_load_explicit(&artifacts->open, memory_order_relaxed);
}

void artifacts_set_keep_days(struct artifacts *artifacts, int keep_days)
{
	atomic_store(&artifacts->keep_days, keep_days < 1 ? 1 : keep_days);
}

bool artifacts_have(const struct artifacts *artifacts, const char *sha256)
{
	return artifact_is_digest(sha256) && artifacts->store->doors->has(artifacts->store, sha256);
}

static enum error_code refuse_digest(struct error *error)
{
	return error_set(error, ERROR_INVALID, "sha256", "that is not a digest");
}

enum error_code artifacts_open(
	struct artifacts *artifacts, const char *sha256, int *descriptor, off_t *bytes, int64_t *modified_ms, struct error *error)
{
	struct artifact_store *store = artifacts->store;

	return artifact_is_digest(sha256) ? store->doors->open_whole(store, sha256, descriptor, bytes, modified_ms, error)
					  : refuse_digest(error);
}

enum error_code artifacts_read(
	struct artifacts *artifacts, const char *sha256, struct artifact_reading *reading, struct error *error)
{
	*reading = (struct artifact_reading){ .descriptor = -1, .store = artifacts->store, .block_descriptor = -1 };
	return artifact_is_digest(sha256) ? artifacts->store->doors->open(artifacts->store, sha256, reading, error)
					  : refuse_digest(error);
}

void artifact_reading_close(struct artifact_reading *reading)
{
	if (reading->descriptor != -1)
		close(reading->descriptor);
	if (reading->block_descriptor != -1)
		close(reading->block_descriptor);
	reading->descriptor = reading->block_descriptor = -1;
}

bool artifacts_link(
	struct artifacts *artifacts, const char *sha256, const char *type, const char *disposition, struct buffer *url)
{
	return artifact_is_digest(sha256) && artifacts->store->doors->link(artifacts->store, sha256, type, disposition, url);
}

char *artifacts_path(const struct artifacts *artifacts, const char *sha256)
{
	char *path, *absolute;

	if (!artifact_folder_has(&artifacts->store->folder, sha256))
		return NULL;
	path = artifact_folder_path(&artifacts->store->folder, "%.2s/%s", sha256, sha256);
	absolute = realpath(path, NULL);
	free(path);
	return absolute;
}

void artifacts_tell(struct artifacts *artifacts, struct artifacts_state *state)
{
	*state = (struct artifacts_state){ .bucket = false };
	artifacts->store->doors->tell(artifacts->store, state);
}

/* ---- beginning and end ---- */

static void artifacts_free(struct artifacts *artifacts)
{
	if (artifacts->store != NULL)
		artifacts->store->doors->free(artifacts->store);
	loop_free(artifacts->loop);
	artifact_asks_free(&artifacts->asks);
	pthread_mutex_destroy(&artifacts->lock);
	free(artifacts);
}

/* Where artifacts.dir says: once, at start. */
static struct artifact_store *open_artifact_store(
	struct artifacts *artifacts, const char *home, const char *data, struct gate *gate)
{
	const struct gate_view *view = gate_acquire(gate);
	bool bucket = config_keeps_in_bucket(view->config);
	char *directory = bucket ? file_join(data, BUCKET_FOLDER) : file_join(home, view->config->artifacts.dir);
	struct artifact_store *store =
		bucket ? bucket_store_new(directory, gate, artifacts->loop, &artifacts->asks) : folder_store_new(directory);

	artifacts_set_keep_days(artifacts, view->config->registry_keep_days);
	free(directory);
	gate_release(gate, view);
	return store;
}

enum error_code artifacts_start(
	const char *home, const char *data, struct gate *gate, struct artifacts **artifacts, struct error *error)
{
	struct artifacts *made = memory_new(sizeof *made);
	enum error_code code;

	pthread_mutex_init(&made->lock, NULL);
	artifact_asks_init(&made->asks);
	made->last = &made->first;
	artifact_downloads_init(&made->downloads);
	code = loop_new(NULL, &made->loop, error);
	if (code == ERROR_NONE) {
		made->asks.loop = made->loop;
		made->store = open_artifact_store(made, home, data, gate);
		code = thread_start(&made->thread, "artifacts", STACK_BYTES, artifacts_main, made, error);
	}
	if (code != ERROR_NONE) {
		artifacts_free(made);
		return code;
	}
	*artifacts = made;
	return ERROR_NONE;
}

void artifacts_stop(struct artifacts *artifacts)
{
	if (artifacts == NULL)
		return;
	pthread_mutex_lock(&artifacts->lock);
	artifacts->stopping = true;
	pthread_mutex_unlock(&artifacts->lock);
	loop_wake(artifacts->loop);
	pthread_join(artifacts->thread, NULL);
	artifacts_free(artifacts);
}
