/* artifact_sweep.c - see artifact_sweep.h. Knows nothing of jobs: what its provenance files say keeps a file. */
#include "artifact/artifact_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define NAME_BYTES 128

/* One folder. */
struct sweeping {
	int64_t before_ms;
	char (*described)[ARTIFACT_SHA256_TEXT]; /* digests with provenance left, sorted before they are looked up */
	size_t count, capacity;
	int gone;
};

static bool is_older(int folder, const char *name, int64_t before_ms)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
	       (int64_t)status.st_mtim.tv_sec * 1000 < before_ms;
}

/* Calls `visit` for each entry whose name begins with a digest. False: it cannot be read, or not to its end. */
static bool list_folder(
	int folder, void (*visit)(struct sweeping *sweeping, int folder, const char *name), struct sweeping *sweeping)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = again != -1 ? fdopendir(again) : NULL;
	struct dirent *entry;
	bool whole;

	if (listing == NULL) {
		if (again != -1)
			close(again);
		return false;
	}
	while (errno = 0, (entry = readdir(listing)) != NULL)
		if (artifact_folder_is_sha256(entry->d_name))
			visit(sweeping, folder, entry->d_name);
	whole = errno == 0;
	closedir(listing);
	return whole;
}

static void note_described(struct sweeping *sweeping, const char *name)
{
	if (sweeping->count == sweeping->capacity) {
		sweeping->capacity = sweeping->capacity > 0 ? 2 * sweeping->capacity : 64;
		sweeping->described = memory_resize(sweeping->described, sweeping->capacity * sizeof *sweeping->described);
	}
	memcpy(sweeping->described[sweeping->count], name, ARTIFACT_SHA256_TEXT - 1);
	sweeping->described[sweeping->count++][ARTIFACT_SHA256_TEXT - 1] = '\0';
}

static void sweep_provenance(struct sweeping *sweeping, int folder, const char *name)
{
	if (name[ARTIFACT_SHA256_TEXT - 1] != '.')
		return;
	if (is_older(folder, name, sweeping->before_ms) && unlinkat(folder, name, 0) == 0)
		sweeping->gone++;
	else
		note_described(sweeping, name);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, ARTIFACT_SHA256_TEXT);
}

/* Takes it out of its place, and looks again: another host may have found it there meanwhile, and counts on it. Then it goes back. Locked, so that no other
 * host takes it for a temporary file that was left. */
static bool take_out(const struct sweeping *sweeping, int folder, const char *name)
{
	int opened = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char aside[NAME_BYTES];
	bool old = false;

	if (opened == -1)
		return false;
	snprintf(aside, sizeof aside, "../tmp/%s", name);
	flock(opened, LOCK_EX | LOCK_NB);
	if (renameat(folder, name, folder, aside) == 0 ||
		(mkdirat(folder, "../tmp", 0755) == 0 && renameat(folder, name, folder, aside) == 0)) {
		old = is_older(folder, aside, sweeping->before_ms);
		if (old || linkat(folder, aside, folder, name, 0) == 0 || errno == EEXIST)
			unlinkat(folder, aside, 0);
		else if (renameat(folder, aside, folder, name) != 0)
			log_message(LOG_ERROR, "artifact.sweep", "cannot put %s back: it is in tmp/", name);
	}
	close(opened);
	return old;
}

static void sweep_content(struct sweeping *sweeping, int folder, const char *name)
{
	if (name[ARTIFACT_SHA256_TEXT - 1] != '\0' || !is_older(folder, name, sweeping->before_ms))
		return;
	if (sweeping->count > 0 &&
		bsearch(name, sweeping->described, sweeping->count, sizeof *sweeping->described, compare_digests) != NULL)
		return;
	if (take_out(sweeping, folder, name))
		sweeping->gone++;
}

/* Returns how many files went. */
static int sweep_folder(const struct artifact_folder *folder, int number, int64_t before_ms)
{
	struct sweeping sweeping = { .before_ms = before_ms };
	char *path = artifact_folder_path(folder, "%02x", (unsigned)number);
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(path);
	if (descriptor == -1)
		return 0;
	if (list_folder(descriptor, sweep_provenance, &sweeping)) {
		if (sweeping.count > 0)
			qsort(sweeping.described, sweeping.count, sizeof *sweeping.described, compare_digests);
		list_folder(descriptor, sweep_content, &sweeping);
	}
	free(sweeping.described);
	close(descriptor);
	return sweeping.gone;
}

bool artifact_sweep_turn(struct artifact_sweep *sweep, const struct artifact_folder *folder, int keep_days)
{
	if (sweep->next == ARTIFACT_FOLDERS) {
		if (clock_monotonic_ns() < sweep->due_ns)
			return false;
		sweep->next = sweep->gone = 0;
	}
	sweep->gone += sweep_folder(folder, sweep->next++, clock_unix_ms() - keep_days * DAY_MS);
	if (sweep->next < ARTIFACT_FOLDERS)
		return true;
	sweep->due_ns = clock_monotonic_ns() + LIMIT_ARTIFACT_SWEEP_HOURS * 3600 * INT64_C(1000000000);
	if (sweep->gone > 0)
		log_message(LOG_INFO, "artifact.swept", "%d files older than %d days went", sweep->gone, keep_days);
	return false;
}
