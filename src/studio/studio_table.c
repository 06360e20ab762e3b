/* studio_table.c - reads the page's folder whole. Built by the loader thread, immutable afterwards but for the tags, which the first HTTP
 * thread that wants one makes: loaded at each start, libcrypto would cost a host that nobody looks at 4 MB.
 *
 * Nothing that lies outside the folder is read: a link must lead to a file in it. */
#include "studio/studio_table.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

struct studio_table {
	_Atomic int holders;
	struct studio_file files[LIMIT_STUDIO_FILES]; /* by name */
	size_t count;
	struct file_problem *problems[LIMIT_STUDIO_PROBLEMS];
	size_t problem_count;
	pthread_mutex_t lock;
	bool tagged; /* under lock */
	unsigned char digests[LIMIT_STUDIO_FILES][SHA256_DIGEST_LENGTH];
};

struct studio_table *studio_table_hold(struct studio_table *table)
{
	atomic_fetch_add(&table->holders, 1);
	return table;
}

void studio_table_release(struct studio_table *table)
{
	if (table == NULL || atomic_fetch_sub(&table->holders, 1) != 1)
		return;
	for (size_t i = 0; i < table->count; i++) {
		free(table->files[i].name);
		free(table->files[i].bytes);
	}
	for (size_t i = 0; i < table->problem_count; i++)
		file_problem_release(table->problems[i]);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

size_t studio_table_count(const struct studio_table *table)
{
	return table->count;
}

struct file_problem *studio_table_problem(const struct studio_table *table, size_t index)
{
	return index < table->problem_count ? table->problems[index] : NULL;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct studio_file *)a)->name, ((const struct studio_file *)b)->name);
}

const struct studio_file *studio_table_find(const struct studio_table *table, const char *name)
{
	const struct studio_file wanted = { .name = (char *)name };

	return bsearch(&wanted, table->files, table->count, sizeof *table->files, compare_files);
}

bool studio_table_same(const struct studio_table *a, const struct studio_table *b)
{
	if (a->count != b->count || a->problem_count != b->problem_count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->files[i].name, b->files[i].name) != 0 || a->files[i].length != b->files[i].length ||
			memcmp(a->files[i].bytes, b->files[i].bytes, a->files[i].length) != 0)
			return false;
	for (size_t i = 0; i < a->problem_count; i++)
		if (strcmp(a->problems[i]->text, b->problems[i]->text) != 0)
			return false;
	return true;
}

static void make_tags(struct studio_table *table)
{
	pthread_mutex_lock(&table->lock);
	for (size_t i = 0; i < table->count && !table->tagged; i++)
		crypto_sha256(table->files[i].bytes, table->files[i].length, table->digests[i]);
	table->tagged = true;
	pthread_mutex_unlock(&table->lock);
}

void studio_table_etag(struct studio_table *table, const struct studio_file *file, char etag[STUDIO_ETAG_BYTES])
{
	char *end = etag;

	if (crypto_load()) {
		make_tags(table);
		*end++ = '"';
		end = text_write_hex(end, table->digests[file - table->files], SHA256_DIGEST_LENGTH);
		*end++ = '"';
	}
	*end = '\0';
}

/* ---- reading ---- */

/* One look at the folder. */
struct reading {
	struct studio_table *table;
	char *root;   /* without links in it */
	bool full;    /* there are more files than it takes */
	bool starved; /* the process had no memory or no descriptor left: the table is not whole */
};

static bool is_starved(int number)
{
	return number == ENOMEM || number == EMFILE || number == ENFILE;
}

/* `name` is that of a file or folder in studio/, or "": of studio/ itself. */
__attribute__((format(printf, 3, 4))) static void note_page_problem(
	struct studio_table *table, const char *name, const char *format, ...)
{
	char file[LIMIT_STUDIO_NAME_BYTES + sizeof "studio/"], message[512], text[sizeof file + sizeof message + 2];
	va_list arguments;

	if (table->problem_count == LIMIT_STUDIO_PROBLEMS)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	snprintf(file, sizeof file, "studio/%s", name);
	snprintf(text, sizeof text, "%s: %s", file, message);
	table->problems[table->problem_count++] = file_problem_new(text, file, 0, message);
}

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".json", "application/json" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return NULL;
}

static int is_studio_name(const struct dirent *entry)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *name = entry->d_name;

	return name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

static void take_file(struct reading *reading, const char *name, const char *path)
{
	struct studio_table *table = reading->table;
	struct studio_file file = { .type = type_of(name) };
	struct error error;
	enum error_code code;

	if (file.type == NULL)
		return;
	if (table->count == LIMIT_STUDIO_FILES) {
		reading->full = true;
		return;
	}
	code = file_read(path, LIMIT_STUDIO_FILE_BYTES, &file.bytes, &file.length, &error);
	reading->starved |= code == ERROR_MEMORY;
	if (code != ERROR_NONE && code != ERROR_MEMORY && code != ERROR_NOT_FOUND)
		note_page_problem(table, name, "%s: it is not served", error.message);
	if (code != ERROR_NONE)
		return;
	file.name = memory_copy_text(name);
	table->files[table->count++] = file;
}

/* Does the link lead to a file in the folder? */
static bool stays_inside(struct reading *reading, const char *path, const struct stat *target)
{
	size_t length = strlen(reading->root);
	char *resolved = realpath(path, NULL);
	bool inside = resolved != NULL && S_ISREG(target->st_mode) && strncmp(resolved, reading->root, length) == 0 &&
		      resolved[length] == '/';

	reading->starved |= resolved == NULL && is_starved(errno);
	free(resolved);
	return inside;
}

static void read_page_folder(struct reading *reading, const char *name, int depth);

static void take_page_entry(struct reading *reading, const char *name, int depth)
{
	char *path = file_join(reading->root, name);
	struct stat entry, target;

	if (lstat(path, &entry) == 0) {
		if (stat(path, &target) != 0)
			target = entry;
		if (S_ISLNK(entry.st_mode) && !stays_inside(reading, path, &target))
			note_page_problem(reading->table, name, "a link must lead to a file in studio/: it is not served");
		else if (S_ISDIR(entry.st_mode))
			read_page_folder(reading, name, depth + 1);
		else if (S_ISREG(target.st_mode))
			take_file(reading, name, path);
	}
	free(path);
}

/* `name` is "" or a folder below the root. In the order of names, so that each look takes the same of too many. */
static void read_page_folder(struct reading *reading, const char *name, int depth)
{
	char *path = file_join(reading->root, name), below[LIMIT_STUDIO_NAME_BYTES + 1];
	struct dirent **entries = NULL;
	int count = depth <= LIMIT_STUDIO_DEPTH ? scandir(path, &entries, is_studio_name, alphasort) : 0, length;

	free(path);
	if (depth > LIMIT_STUDIO_DEPTH)
		note_page_problem(reading->table, name, "folders lie at most %d deep: it is not served", LIMIT_STUDIO_DEPTH);
	if (count == -1 && is_starved(errno))
		reading->starved = true;
	else if (count == -1 && errno != ENOENT)
		note_page_problem(reading->table, name, "cannot be read: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		length = snprintf(below, sizeof below, "%s%s%s", name, *name != '\0' ? "/" : "", entries[i]->d_name);
		if ((size_t)length < sizeof below)
			take_page_entry(reading, below, depth);
		else
			note_page_problem(
				reading->table, below, "a name has at most %d bytes: it is not served", LIMIT_STUDIO_NAME_BYTES);
		free(entries[i]);
	}
	free(entries);
}

static void read_root(struct reading *reading, const char *folder)
{
	struct studio_table *table = reading->table;

	reading->root = realpath(folder, NULL);
	if (reading->root == NULL && is_starved(errno)) {
		reading->starved = true;
		return;
	}
	if (reading->root == NULL) {
		note_page_problem(table, "", "cannot be found (%s): there is no page", strerror(errno));
		return;
	}
	read_page_folder(reading, "", 0);
	qsort(table->files, table->count, sizeof *table->files, compare_files);
	if (reading->full)
		note_page_problem(table, "", "there are more than %d files: the others are not served", LIMIT_STUDIO_FILES);
	if (studio_table_find(table, STUDIO_INDEX) == NULL)
		note_page_problem(table, STUDIO_INDEX, "is missing: there is no page");
}

struct studio_table *studio_table_read(const char *folder)
{
	struct reading reading = { .table = memory_new(sizeof *reading.table) };

	atomic_store(&reading.table->holders, 1);
	pthread_mutex_init(&reading.table->lock, NULL);
	read_root(&reading, folder);
	free(reading.root);
	if (!reading.starved)
		return reading.table;
	studio_table_release(reading.table);
	return NULL;
}
