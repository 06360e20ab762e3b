/* file.c - reads whole files, makes folders. Any thread; blocks on the disk, so never called on a request's way. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

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
	return *text != NULL ? ERROR_NONE : error_memory(error);
}

enum error_code file_make_directories(const char *path, struct error *error)
{
	char *copy = strdup(path);
	int failed = 0;

	if (copy == NULL)
		return error_memory(error);
	for (char *at = copy + 1; !failed && *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		failed = mkdir(copy, 0755) == -1 && errno != EEXIST;
		*at = '/';
	}
	if (!failed)
		failed = mkdir(copy, 0755) == -1 && errno != EEXIST;
	free(copy);
	return failed ? error_set(error, ERROR_IO, path, "cannot make this folder: %s", strerror(errno)) : ERROR_NONE;
}

enum error_code file_make_parents(const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	enum error_code code;
	char *parent;

	if (slash == NULL || slash == path)
		return ERROR_NONE;
	parent = strndup(path, (size_t)(slash - path));
	if (parent == NULL)
		return error_memory(error);
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
	char *path;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&path, "%s/%s", directory, name) == -1 ? NULL : path;
}
