/* studio_table.h - the files of the page as they are at one look: an immutable table from name to bytes. For this folder only.
 *
 * A name is a path below the folder, as in "index.html" and "ui/pages/make/form.js": letters, digits, '.', '_' and '-', no part that begins
 * with a dot. Only files of the types that a page is made of are taken; what is called otherwise is none of them. A table is counted by holders. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/file_problem.h"

#define STUDIO_INDEX "index.html"
#define STUDIO_ETAG_BYTES 72

struct studio_table;

struct studio_file {
	char *name;
	const char *type; /* "text/javascript; charset=utf-8" */
	char *bytes;
	size_t length;
};

/* Reads the folder, LIMIT_STUDIO_... of it at most. What could not be taken, the whole folder among it, is told by studio_table_problem(). One
 * holder; NULL: the process has no memory or no descriptor left. Blocks on the disk. */
struct studio_table *studio_table_read(const char *folder);

struct studio_table *studio_table_hold(struct studio_table *table);
void studio_table_release(struct studio_table *table); /* NULL: does nothing */

/* Did two looks find the same files, and the same problems? */
bool studio_table_same(const struct studio_table *a, const struct studio_table *b);

/* The file of this name, or NULL. Valid while the table is held. */
const struct studio_file *studio_table_find(const struct studio_table *table, const char *name);

/* Writes the file's tag with its quotes: the SHA-256 of its bytes, made when the first is asked for. "": there is no libcrypto. Any thread. */
void studio_table_etag(struct studio_table *table, const struct studio_file *file, char etag[STUDIO_ETAG_BYTES]);

size_t studio_table_count(const struct studio_table *table);

/* What is wrong with the folder, one after the other; NULL after the last. Valid while the table is held. */
struct file_problem *studio_table_problem(const struct studio_table *table, size_t index);
