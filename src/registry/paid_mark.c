/* paid_mark.c - reads and writes the file of the mark: DATABASE.paid, one number. At the start, and on the store thread. */
#include "registry/paid_mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define SUFFIX ".paid"
#define TEXT_BYTES 32

static char *path_of(const char *database)
{
	char *path;

	return asprintf(&path, "%s" SUFFIX, database) == -1 ? NULL : path;
}

static enum error_code parse(const char *path, const char *text, int64_t *number, struct error *error)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	if (errno == 0 && end != text && strcmp(end, "\n") == 0 && *number >= 0)
		return ERROR_NONE;
	return error_set(error, ERROR_INVALID, path, "this file has no number of paid requests in it");
}

enum error_code paid_mark_read(const char *database, int64_t *number, struct error *error)
{
	char *path = path_of(database), *text = NULL;
	enum error_code code;
	size_t length = 0;

	*number = 0;
	if (path == NULL)
		return error_memory(error);
	code = file_read(path, TEXT_BYTES, &text, &length, error);
	if (code == ERROR_LIMIT)
		code = error_set(error, ERROR_INVALID, path, "this file has no number of paid requests in it");
	else if (code == ERROR_NONE)
		code = parse(path, text, number, error);
	free(text);
	free(path);
	return code == ERROR_NOT_FOUND ? ERROR_NONE : code;
}

enum error_code paid_mark_write(const char *database, int64_t number, struct error *error)
{
	char *path = path_of(database), text[TEXT_BYTES];
	enum error_code code;

	if (path == NULL)
		return error_memory(error);
	snprintf(text, sizeof text, "%" PRId64 "\n", number);
	code = file_write_durably(path, text, strlen(text), 0640, error);
	free(path);
	return code;
}
