/* folder_store.c - a folder that keeps artifacts, of this host alone or of several that share it.
 *
 * Safe with several: names of temporary files are nobody else's and are locked for as long as they are written; content is renamed into its place, and the
 * sweep takes a file out of its place before it looks for the last time how old it is. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/artifact_store.h"
#include "artifact/artifact_sweep.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

struct folder_store {
	struct artifact_store store;
	struct artifact_sweep sweep;
};

/* ---- the artifacts thread ---- */

static void folder_begin(struct artifact_store *store)
{
	artifact_folder_clean(&store->folder);
}

/* Waits for the disk once for all of them. */
static void folder_keep(struct artifact_store *store, struct artifact_file *const *files, size_t count)
{
	(void)store;
	artifact_files_keep(files, count);
	for (size_t i = 0; i < count; i++)
		files[i]->told(files[i]);
}

static int64_t folder_turn(struct artifact_store *store, int keep_days, bool idle)
{
	struct folder_store *folder = (struct folder_store *)store;

	return idle && artifact_sweep_turn(&folder->sweep, &store->folder, keep_days) ? 0 : folder->sweep.due_ns;
}

static void folder_close(struct artifact_store *store)
{
	(void)store;
}

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

static void folder_remove(struct artifact_store *store, struct artifact_removal *removal)
{
	struct artifact_ask *ask = &removal->ask;

	for (size_t i = 0; i < removal->count && ask->code == ERROR_NONE; i++)
		if (!remove_file(&store->folder, removal->digests[i], removal->job))
			ask->code = artifact_folder_refuse(&store->folder, "remove a file", &ask->error);
	artifact_ask_end(ask);
}

/* ---- any thread ---- */

static bool folder_has(const struct artifact_store *store, const char *sha256)
{
	return artifact_folder_has(&store->folder, sha256);
}

static enum error_code folder_open_whole(struct artifact_store *store, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error)
{
	return artifact_folder_read(&store->folder, sha256, descriptor, bytes, modified_ms, error);
}

static enum error_code folder_open(
	struct artifact_store *store, const char *sha256, struct artifact_reading *reading, struct error *error)
{
	off_t bytes = 0;
	enum error_code code =
		artifact_folder_read(&store->folder, sha256, &reading->descriptor, &bytes, &reading->modified_ms, error);

	reading->bytes = bytes;
	return code;
}

static bool folder_link(
	struct artifact_store *store, const char *sha256, const char *type, const char *disposition, struct buffer *url)
{
	(void)store;
	(void)sha256;
	(void)type;
	(void)disposition;
	(void)url;
	return false;
}

static void folder_tell(struct artifact_store *store, struct artifacts_state *state)
{
	(void)store;
	(void)state;
}

static void folder_free(struct artifact_store *store)
{
	free(store->folder.directory);
	free(store);
}

static const struct artifact_doors folder_doors = {
	.begin = folder_begin,
	.keep = folder_keep,
	.turn = folder_turn,
	.remove = folder_remove,
	.close = folder_close,
	.has = folder_has,
	.open = folder_open,
	.open_whole = folder_open_whole,
	.link = folder_link,
	.tell = folder_tell,
	.free = folder_free,
};

struct artifact_store *folder_store_new(const char *directory)
{
	struct folder_store *folder = memory_new(sizeof *folder);

	folder->store.doors = &folder_doors;
	folder->store.folder.directory = memory_copy_text(directory);
	return &folder->store;
}
