/* artifact.c - the thread that copies outputs: its queue, its turns, and its end.
 *
 * Owns the folder, its loop, and every copy between put and done. Between copies it sweeps the folder, a 256th at a turn. */
#include "artifact/artifact.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/internal.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#define STACK_BYTES (256 * 1024)
#define NS_PER_MS INT64_C(1000000)
#define STOPPING_MS 50 /* between two looks at whether all has ended, or the time is over */

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
	int64_t until_ns, other_ns;
	bool more;

	artifact_removals_run(artifacts);
	for (int i = 0; i < LIMIT_ARTIFACT_BATCH && (copy = take_copy(artifacts, stopping)) != NULL; i++)
		artifact_work_begin(artifacts, copy);
	until_ns = artifact_downloads_run(artifacts);
	more = copy != NULL ||
	       (!*stopping && artifact_sweep_turn(&artifacts->sweep, &artifacts->folder, atomic_load(&artifacts->keep_days)));
	other_ns = *stopping ? clock_monotonic_ns() + STOPPING_MS * NS_PER_MS : artifacts->sweep.due_ns;
	until_ns = until_ns < other_ns ? until_ns : other_ns;
	loop_run_once(artifacts->loop, more || artifacts->whole_count > 0 ? 0 : until_ns);
	artifact_work_keep(artifacts);
}

/* What is left is told that it was interrupted. */
static void give_all_up(struct artifacts *artifacts)
{
	struct artifact_copy *copy;
	bool stopping;

	artifacts->giving_up = true;
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

	artifact_folder_clean(&artifacts->folder);
	while (!stopping)
		take_turn_of_copies(artifacts, &stopping);
	deadline = clock_monotonic_ns() + LIMIT_ARTIFACT_STOP_MS * NS_PER_MS;
	while (artifacts_backlog(artifacts) > 0 && clock_monotonic_ns() < deadline)
		take_turn_of_copies(artifacts, &stopping);
	give_all_up(artifacts);
	artifact_removals_run(artifacts);
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
	return artifact_folder_has(&artifacts->folder, sha256);
}

enum error_code artifacts_open(
	struct artifacts *artifacts, const char *sha256, int *descriptor, off_t *bytes, int64_t *modified_ms, struct error *error)
{
	return artifact_folder_read(&artifacts->folder, sha256, descriptor, bytes, modified_ms, error);
}

char *artifacts_path(const struct artifacts *artifacts, const char *sha256)
{
	char *path, *absolute;

	if (!artifact_folder_has(&artifacts->folder, sha256))
		return NULL;
	path = artifact_folder_path(&artifacts->folder, "%.2s/%s", sha256, sha256);
	absolute = realpath(path, NULL);
	free(path);
	return absolute;
}

static void artifacts_free(struct artifacts *artifacts)
{
	loop_free(artifacts->loop);
	pthread_mutex_destroy(&artifacts->lock);
	free(artifacts->folder.directory);
	free(artifacts);
}

enum error_code artifacts_start(const char *directory, int keep_days, struct artifacts **artifacts, struct error *error)
{
	struct artifacts *made = memory_new(sizeof *made);
	enum error_code code;

	pthread_mutex_init(&made->lock, NULL);
	made->last = &made->first;
	artifact_downloads_init(&made->downloads);
	artifacts_set_keep_days(made, keep_days);
	made->folder.directory = memory_copy_text(directory);
	code = loop_new(NULL, &made->loop, error);
	if (code == ERROR_NONE)
		code = thread_start(&made->thread, "artifacts", STACK_BYTES, artifacts_main, made, error);
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
