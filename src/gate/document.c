/* document.c - finds and reads the two JSON files of the home folder.
 *
 * Runs at start and on the loader thread. Refuses what is not a regular file (a FIFO would block the loader), what is too large,
 * what is not a JSON object, and a private file that others can read. Weakness: the JSON parser's own scratch memory is
 * not wiped, only the texts that this file allocates are. */
#include "gate/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

static enum error_code check_file(
	const struct document *document, const struct stat *status, bool is_private, struct error *error)
{
	if (!S_ISREG(status->st_mode))
		return error_set(error, ERROR_IO, document->name, "%s: is not a regular file", document->name);
	if (is_private && (status->st_mode & 077) != 0)
		return error_set(error, ERROR_INVALID, document->name,
			"%s: refused, because others than its owner have access to it (mode %04o): run `chmod 600 %s`",
			document->name, (unsigned)(status->st_mode & 07777), document->path);
	if (status->st_size > LIMIT_CONFIG_FILE_BYTES)
		return error_set(error, ERROR_LIMIT, document->name, "%s: is larger than %d bytes", document->name,
			LIMIT_CONFIG_FILE_BYTES);
	return ERROR_NONE;
}

/* Reads into memory that never moves, so that wiping it leaves no copy behind. */
static enum error_code document_fill(struct document *document, int fd, size_t size, struct error *error)
{
	ssize_t got;

	document->text = memory_new(size + 1); /* a megabyte at most */
	while (document->length < size) {
		got = read(fd, document->text + document->length, size - document->length);
		if (got == 0)
			break;
		if (got > 0)
			document->length += (size_t)got;
		else if (errno != EINTR)
			return error_set(error, ERROR_IO, document->name, "%s: cannot read: %s", document->name, strerror(errno));
	}
	document->text[document->length] = '\0';
	return ERROR_NONE;
}

static enum error_code read_open_file(struct document *document, int fd, bool is_private, struct error *error)
{
	struct stat status;
	enum error_code code;

	if (fstat(fd, &status) == -1)
		return error_set(error, ERROR_IO, document->name, "%s: cannot read: %s", document->name, strerror(errno));
	code = check_file(document, &status, is_private, error);
	return code != ERROR_NONE ? code : document_fill(document, fd, (size_t)status.st_size, error);
}

/* False: this one does not exist, try the next. */
static bool try_name(const char *home, const char *name, bool is_private, struct document *document, enum error_code *code,
	struct error *error)
{
	int fd, problem;

	document->path = file_join(home, name);
	fd = open(document->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	problem = errno;
	if (fd == -1 && (problem == ENOENT || problem == ENOTDIR)) {
		free(document->path);
		document->path = NULL;
		return false;
	}
	document->name = name;
	if (fd == -1) {
		*code = error_set(error, ERROR_IO, name, "%s: cannot open: %s", name, strerror(problem));
		return true;
	}
	*code = read_open_file(document, fd, is_private, error);
	close(fd);
	return true;
}

/* Of what was read, or of what stood in the way. */
static uint64_t make_digest(const struct document *document, enum error_code code, const struct error *problem)
{
	if (code != ERROR_NONE)
		return text_digest(problem->message, strlen(problem->message));
	if (document->text == NULL)
		return text_digest("", 0);
	return text_digest(document->name, strlen(document->name)) ^ text_digest(document->text, document->length);
}

enum error_code document_read(
	const char *home, const char *const names[2], bool is_private, struct document *document, struct error *error)
{
	struct error problem = { .code = ERROR_NONE };
	enum error_code code = ERROR_NONE;

	*document = (struct document){ .name = names[0] };
	if (!try_name(home, names[0], is_private, document, &code, &problem))
		try_name(home, names[1], is_private, document, &code, &problem);
	document->digest = make_digest(document, code, &problem);
	if (code != ERROR_NONE && error != NULL)
		*error = problem;
	return code;
}

/* Says where the text is malformed. The names in a private file stay unsaid. */
static void document_explain(const struct document *document, bool is_private, const struct error *problem, struct error *error)
{
	const char *path = is_private ? "" : problem->path;

	error_set(error, problem->code, path, "%s: %s%s%s", document->name, path, *path != '\0' ? ": " : "", problem->message);
	error->line = problem->line;
}

json_t *document_parse(const struct document *document, bool is_private, struct error *error)
{
	struct error problem = { .code = ERROR_NONE };
	json_t *value = json_read(document->text, document->length, &problem);

	if (value == NULL) {
		document_explain(document, is_private, &problem, error);
		return NULL;
	}
	if (!json_is_object(value)) {
		error_set(error, ERROR_INVALID, "", "%s: the file must hold one JSON object, { ... }", document->name);
		json_decref(value);
		return NULL;
	}
	return value;
}

void document_free(struct document *document)
{
	if (document->text != NULL)
		explicit_bzero(document->text, document->length);
	free(document->text);
	document->text = NULL;
	free(document->path);
	document->path = NULL;
}
