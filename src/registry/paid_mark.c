/* paid_mark.c - reads and writes the file of the mark: DATABASE.paid, one number. At the start, and on the store thread. */
#include "registry/paid_mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define SUFFIX ".paid"
#define TEXT_BYTES 32

/* The name of the file beside the database; free() it. */
static char *mark_path(const char *database)
{
	size_t length = strlen(database);
	char *path = memory_new(length + sizeof SUFFIX);

	memcpy(path, database, length);
	memcpy(path + length, SUFFIX, sizeof SUFFIX);
	return path;
}

static enum error_code parse_mark(const char *path, const char *text, int64_t *number, struct error *error)
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
	char *path = mark_path(database), *text = NULL;
	enum error_code code;
	size_t length = 0;

	*number = 0;
	code = file_read(path, TEXT_BYTES, &text, &length, error);
	if (code == ERROR_LIMIT)
		code = error_set(error, ERROR_INVALID, path, "this file has no number of paid requests in it");
	else if (code == ERROR_NONE)
		code = parse_mark(path, text, number, error);
	free(text);
	free(path);
	return code == ERROR_NOT_FOUND ? ERROR_NONE : code;
}

enum error_code paid_mark_write(const char *database, int64_t number, struct error *error)
{
	char *path = mark_path(database), text[TEXT_BYTES];
	enum error_code code;

	snprintf(text, sizeof text, "%" PRId64 "\n", number);
	code = file_write_durably(path, text, strlen(text), 0640, error);
	free(path);
	return code;
}
