/* artifact_folder.c - the names in the artifacts folder, what a failure of its disk means, and reading. Any thread, but for cleaning. */
#include "artifact/artifact_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

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

void artifact_folder_clean(const struct artifact_folder *folder)
{
	char *path = artifact_folder_path(folder, "tmp");
	DIR *listing = opendir(path);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(listing), entry->d_name, 0);
	if (listing != NULL)
		closedir(listing);
	free(path);
}

static bool is_digest(const char *sha256)
{
	return artifact_folder_is_sha256(sha256) && sha256[ARTIFACT_SHA256_TEXT - 1] == '\0';
}

bool artifact_folder_has(const struct artifact_folder *folder, const char *sha256)
{
	struct stat status;
	char *path;
	bool found;

	if (!is_digest(sha256))
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

	if (!is_digest(sha256))
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
