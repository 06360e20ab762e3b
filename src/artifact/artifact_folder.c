/* artifact_folder.c - the names in the artifacts folder, what a failure of its disk means, and reading. Any thread, but for cleaning. */
#include "artifact/artifact_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define TEMPORARY_TRIES 100
#define DAY_SECONDS (24 * 3600)

char *artifact_folder_path(const struct artifact_folder *folder, const char *format, ...)
{
	char name[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof name, format, arguments);
	va_end(arguments);
	return file_join(folder->directory, name);
}

enum error_code artifact_folder_refuse(const struct artifact_folder *folder, const char *action, struct error *error)
{
	int number = errno;

	if (number == ENOSPC || number == EDQUOT)
		return error_set(error, ERROR_IO, folder->directory, "the disk of the artifacts folder is full: free some space");
	if (number == EFBIG)
		return error_set(
			error, ERROR_IO, folder->directory, "the file is larger than the system lets this process write");
	return error_set(error, ERROR_IO, folder->directory, "cannot %s in the artifacts folder: %s", action, strerror(number));
}

bool artifact_folder_is_sha256(const char *name)
{
	return strspn(name, "0123456789abcdef") == ARTIFACT_SHA256_TEXT - 1;
}

bool artifact_is_digest(const char *sha256)
{
	return sha256 != NULL && artifact_folder_is_sha256(sha256) && sha256[ARTIFACT_SHA256_TEXT - 1] == '\0';
}

/* ---- temporary files ---- */

/* Locked, and still there: between its making and its lock another host may have taken it for one that was left. */
static bool is_locked_in_place(int descriptor)
{
	struct stat status;

	if (flock(descriptor, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
		return false;
	return fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

static int make_temporary(const char *path)
{
	struct error error;
	int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (made == -1 && errno == ENOENT && file_make_parents(path, &error) == ERROR_NONE)
		made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	return made;
}

int artifact_folder_temporary(const struct artifact_folder *folder, char **path)
{
	uint64_t number;
	int made;

	for (int tries = 0; tries < TEMPORARY_TRIES; tries++) {
		if (getrandom(&number, sizeof number, 0) != sizeof number)
			return -1;
		*path = artifact_folder_path(folder, "tmp/%016llx", (unsigned long long)number);
		made = make_temporary(*path);
		if (made != -1 && is_locked_in_place(made))
			return made;
		if (made != -1)
			close(made);
		free(*path);
		*path = NULL;
		if (made == -1 && errno != EEXIST)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}

/* Nobody writes it. Where files cannot be locked: nobody has for a day. */
static bool is_left(int folder, const char *name)
{
	int opened = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	bool left;

	if (opened == -1)
		return false;
	left = flock(opened, LOCK_EX | LOCK_NB) == 0 ||
	       (errno != EWOULDBLOCK && fstat(opened, &status) == 0 && time(NULL) - status.st_mtim.tv_sec > DAY_SECONDS);
	close(opened);
	return left;
}

void artifact_folder_clean(const struct artifact_folder *folder)
{
	char *path = artifact_folder_path(folder, "tmp");
	DIR *listing = opendir(path);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (entry->d_name[0] != '.' && is_left(dirfd(listing), entry->d_name))
			unlinkat(dirfd(listing), entry->d_name, 0);
	if (listing != NULL)
		closedir(listing);
	free(path);
}

/* ---- files ---- */

bool artifact_folder_has(const struct artifact_folder *folder, const char *sha256)
{
	struct stat status;
	char *path;
	bool found;

	if (!artifact_is_digest(sha256))
		return false;
	path = artifact_folder_path(folder, "%.2s/%s", sha256, sha256);
	found = lstat(path, &status) == 0 && S_ISREG(status.st_mode);
	free(path);
	return found;
}

enum error_code artifact_folder_read(const struct artifact_folder *folder, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error)
{
	struct stat status;
	char *path;
	int opened;

	if (!artifact_is_digest(sha256))
		return error_set(error, ERROR_INVALID, "sha256", "that is not a digest");
	path = artifact_folder_path(folder, "%.2s/%s", sha256, sha256);
	opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (opened == -1 && errno == ENOENT)
		return error_set(error, ERROR_NOT_FOUND, NULL, "the file is no longer in the artifacts folder");
	if (opened == -1 || fstat(opened, &status) == -1 || !S_ISREG(status.st_mode)) {
		if (opened != -1)
			close(opened);
		return artifact_folder_refuse(folder, "read a file", error);
	}
	*descriptor = opened;
	*bytes = status.st_size;
	*modified_ms = (int64_t)status.st_mtim.tv_sec * 1000;
	return ERROR_NONE;
}
