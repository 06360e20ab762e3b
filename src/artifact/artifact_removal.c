/* artifact_removal.c - takes the files of a job away before their days are over.
 *
 * The artifacts thread does it, between two turns: so no file is taken away while the same content is being kept for another job. Who asks waits on its
 * own thread; the last of both frees the removal. */
#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "artifact/internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/memory.h"

struct artifact_removal {
	struct artifact_removal *next;
	sem_t done;
	_Atomic int holders;
	_Atomic bool ended; /* for ThreadSanitizer, which does not know sem_clockwait() */
	enum error_code code;
	struct error error;
	char job[ID_TEXT_BYTES];
	size_t count;
	char digests[][ARTIFACT_SHA256_TEXT];
};

static void file_removal_release(struct artifact_removal *removal)
{
	if (atomic_fetch_sub_explicit(&removal->holders, 1, memory_order_acq_rel) != 1)
		return;
	sem_destroy(&removal->done);
	free(removal);
}

/* ---- the artifacts thread ---- */

/* "<digest>.<job>-<n>.json" of this job, or of another? */
static bool is_provenance(const char *name, const char *digest, const char *job, bool *own)
{
	size_t length = strlen(job);

	if (strncmp(name, digest, ARTIFACT_SHA256_TEXT - 1) != 0 || name[ARTIFACT_SHA256_TEXT - 1] != '.')
		return false;
	name += ARTIFACT_SHA256_TEXT;
	*own = strncmp(name, job, length) == 0 && name[length] == '-';
	return true;
}

/* Removes what says that the job made it. False, with errno: it cannot be done. */
static bool remove_provenance(DIR *listing, const char *digest, const char *job, bool *others)
{
	struct dirent *entry;
	bool own;

	while (errno = 0, (entry = readdir(listing)) != NULL) {
		if (!is_provenance(entry->d_name, digest, job, &own))
			continue;
		if (!own)
			*others = true;
		else if (unlinkat(dirfd(listing), entry->d_name, 0) != 0 && errno != ENOENT)
			return false;
	}
	return errno == 0;
}

/* The content goes with the last that it came from. Both are gone for good once the folder is on the disk. */
static bool remove_file(const struct artifact_folder *folder, const char *digest, const char *job)
{
	char *path = artifact_folder_path(folder, "%.2s", digest);
	DIR *listing = opendir(path);
	bool others = false, removed;

	if (listing == NULL) {
		removed = errno == ENOENT;
	} else {
		removed = remove_provenance(listing, digest, job, &others) &&
			  (others || unlinkat(dirfd(listing), digest, 0) == 0 || errno == ENOENT) && file_sync_folder(path);
		closedir(listing);
	}
	free(path);
	return removed;
}

static void removal_run(const struct artifact_folder *folder, struct artifact_removal *removal)
{
	for (size_t i = 0; i < removal->count && removal->code == ERROR_NONE; i++)
		if (!remove_file(folder, removal->digests[i], removal->job))
			removal->code = artifact_folder_refuse(folder, "remove a file", &removal->error);
	atomic_store(&removal->ended, true);
	sem_post(&removal->done);
	file_removal_release(removal);
}

static struct artifact_removal *take_removal(struct artifacts *artifacts)
{
	struct artifact_removal *removal;

	pthread_mutex_lock(&artifacts->lock);
	removal = artifacts->removals;
	if (removal != NULL)
		artifacts->removals = removal->next;
	pthread_mutex_unlock(&artifacts->lock);
	return removal;
}

void artifact_removals_run(struct artifacts *artifacts)
{
	struct artifact_removal *removal;

	while ((removal = take_removal(artifacts)) != NULL)
		removal_run(&artifacts->folder, removal);
}

/* ---- who asks ---- */

/* False: the thread has it already. */
static bool take_back(struct artifacts *artifacts, const struct artifact_removal *removal)
{
	struct artifact_removal **at;
	bool found;

	pthread_mutex_lock(&artifacts->lock);
	for (at = &artifacts->removals; *at != NULL && *at != removal;)
		at = &(*at)->next;
	found = *at != NULL;
	if (found)
		*at = removal->next;
	pthread_mutex_unlock(&artifacts->lock);
	return found;
}

static bool file_removal_wait(struct artifact_removal *removal)
{
	int64_t until = clock_monotonic_ns() + LIMIT_ARTIFACT_REMOVE_MS * INT64_C(1000000);
	struct timespec time = { .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
	int code;

	do
		code = sem_clockwait(&removal->done, CLOCK_MONOTONIC, &time);
	while (code != 0 && errno == EINTR);
	return code == 0 && atomic_load(&removal->ended);
}

static struct artifact_removal *removal_new(const char *job, const char *const *digests, size_t count)
{
	struct artifact_removal *removal = memory_new(sizeof *removal + count * sizeof *removal->digests);

	sem_init(&removal->done, 0, 0);
	atomic_init(&removal->holders, 2);
	snprintf(removal->job, sizeof removal->job, "%s", job);
	for (size_t i = 0; i < count; i++)
		if (artifact_folder_is_sha256(digests[i]) && digests[i][ARTIFACT_SHA256_TEXT - 1] == '\0')
			memcpy(removal->digests[removal->count++], digests[i], ARTIFACT_SHA256_TEXT);
	return removal;
}

enum error_code artifacts_remove(
	struct artifacts *artifacts, const char *job, const char *const *digests, size_t count, struct error *error)
{
	struct artifact_removal *removal = removal_new(job, digests, count);
	enum error_code code;

	pthread_mutex_lock(&artifacts->lock);
	removal->next = artifacts->removals;
	artifacts->removals = removal;
	pthread_mutex_unlock(&artifacts->lock);
	loop_wake(artifacts->loop);
	if (file_removal_wait(removal)) {
		code = removal->code;
		*error = removal->error;
	} else {
		if (take_back(artifacts, removal))
			file_removal_release(removal); /* for the thread, which will not see it */
		code = error_set(error, ERROR_BUSY, NULL, "the artifacts folder takes long: try again later");
	}
	file_removal_release(removal);
	return code;
}
