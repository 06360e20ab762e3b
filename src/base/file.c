/* file.c - reads whole files, makes folders, and writes what must survive a power loss. Any thread; blocks on the disk, so never on a request's way. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

static enum error_code read_all(int fd, const char *path, struct buffer *buffer, struct error *error)
{
	char chunk[8192];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, ERROR_IO, path, "cannot read: %s", strerror(errno));
		buffer_append(buffer, chunk, (size_t)got);
		if (buffer->starved)
			return error_memory(error);
		if (buffer->failed)
			return error_set(error, ERROR_LIMIT, path, "larger than %zu bytes", buffer->maximum);
	}
	return ERROR_NONE;
}

enum error_code file_read(const char *path, size_t maximum, char **text, size_t *length, struct error *error)
{
	struct buffer buffer;
	enum error_code code;
	char *exact;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe must not hold us */

	if (fd == -1)
		return error_set(error, errno == ENOENT || errno == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO, path, "cannot open: %s",
			strerror(errno));
	buffer_init(&buffer, maximum);
	code = read_all(fd, path, &buffer, error);
	close(fd);
	if (code != ERROR_NONE) {
		buffer_free(&buffer);
		return code;
	}
	*length = buffer.length;
	*text = buffer_take(&buffer);
	if (*text == NULL)
		return error_memory(error);
	exact = realloc(*text, *length + 1); /* many are kept: scripts, and what they require */
	if (exact != NULL)
		*text = exact;
	return ERROR_NONE;
}

/* The folder that holds `path`. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL   ? memory_copy_text(".")
	       : slash == path ? memory_copy_text("/")
			       : memory_copy_bytes(path, (size_t)(slash - path));
}

bool file_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd != -1 && (fsync(fd) == 0 || errno == EINVAL); /* some file systems have no such thing */
	int failed = errno;

	if (fd != -1)
		close(fd);
	errno = failed;
	return synced;
}

/* One folder, with its name in the folder above on the disk. One whose name cannot be kept there is taken away again: else a later look would
 * find it, and leave it at that. */
static int make_folder(const char *path)
{
	char *parent;
	int failed = 0;

	if (mkdir(path, 0755) == -1)
		return errno == EEXIST ? 0 : errno;
	parent = parent_of(path);
	if (!file_sync_folder(parent))
		failed = errno;
	free(parent);
	if (failed != 0)
		rmdir(path);
	return failed;
}

enum error_code file_make_directories(const char *path, struct error *error)
{
	char *copy = memory_copy_text(path);
	int failed = 0;

	for (char *at = copy + 1; failed == 0 && *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		failed = make_folder(copy);
		*at = '/';
	}
	if (failed == 0)
		failed = make_folder(copy);
	free(copy);
	return failed != 0 ? error_set(error, ERROR_IO, path, "cannot make this folder: %s", strerror(failed)) : ERROR_NONE;
}

enum error_code file_make_parents(const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	enum error_code code;
	char *parent;

	if (slash == NULL || slash == path)
		return ERROR_NONE;
	parent = memory_copy_bytes(path, (size_t)(slash - path));
	code = file_make_directories(parent, error);
	free(parent);
	return code;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *file_join(const char *directory, const char *name)
{
	return name[0] == '/' ? memory_copy_text(name) : memory_format("%s/%s", directory, name);
}

size_t file_write_all(int fd, const void *bytes, size_t length)
{
	size_t written = 0;
	ssize_t wrote;

	while (written < length) {
		wrote = write(fd, (const char *)bytes + written, length - written);
		if (wrote > 0)
			written += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			break;
	}
	return written;
}

/* ---- what must survive ---- */

/* A name beside `path` that no reader looks for. */
static char *name_beside(const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash != NULL ? (size_t)(slash + 1 - path) : 0;

	return memory_format("%.*s.%s%s", (int)folder, path, path + folder, suffix);
}

static bool write_beside(const char *beside, const void *bytes, size_t length, mode_t mode)
{
	int fd;
	bool written;
	int failed;

	unlink(beside); /* of a run that was cut off, perhaps with another mode */
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	written = fd != -1 && file_write_all(fd, bytes, length) == length && fsync(fd) == 0;
	failed = errno;
	if (fd != -1 && close(fd) == -1 && written) {
		written = false;
		failed = errno;
	}
	errno = failed;
	return written;
}

/* Gives `path` to what is at `beside` until the folder is synced, and takes it back when it cannot be: what `path` held stands at `beside`
 * meanwhile. */
static bool put_in_place(const char *beside, const char *path, const char *folder)
{
	bool exchanged = renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
	int failed;

	/* nothing is there yet, or the file system cannot exchange */
	if (!exchanged && ((errno != ENOENT && errno != EINVAL && errno != ENOSYS) || rename(beside, path) == -1))
		return false;
	if (file_sync_folder(folder))
		return true;
	failed = errno;
	if (exchanged)
		renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE);
	else
		rename(path, beside);
	errno = failed;
	return false;
}

enum error_code file_write_durably(const char *path, const void *bytes, size_t length, mode_t mode, struct error *error)
{
	char *beside = name_beside(path, ".new"), *folder = parent_of(path);
	bool kept;
	int failed;

	kept = write_beside(beside, bytes, length, mode) && put_in_place(beside, path, folder);
	failed = errno;
	unlink(beside);
	free(beside);
	free(folder);
	return kept ? ERROR_NONE
		    : error_set(error, ERROR_IO, path, "cannot write this file so that it lasts: %s", strerror(failed));
}

enum error_code file_remove_durably(const char *path, struct error *error)
{
	char *beside = name_beside(path, ".old"), *folder = parent_of(path);
	bool moved, removed;
	int failed;

	moved = rename(path, beside) == 0;
	removed = (moved || errno == ENOENT) && file_sync_folder(folder);
	failed = errno;
	if (moved && !removed)
		rename(beside, path);
	else
		unlink(beside);
	free(beside);
	free(folder);
	return removed ? ERROR_NONE : error_set(error, ERROR_IO, path, "cannot remove this file for good: %s", strerror(failed));
}
