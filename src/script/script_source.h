/* script_source.h - the texts of all provider scripts as they are at one look, to tell what changes from look to look. For this folder only. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script_source {
	char *name;    /* "image_fal.lua" */
	char *problem; /* why it could not be read, or NULL */
	char *text;    /* NULL when it could not be read, or was forgotten */
	size_t length;
	uint64_t digest; /* of the text, or of the problem */
};

struct script_sources {
	struct script_source *items; /* by name */
	size_t count;
	bool starved; /* the process had no memory or no descriptor left: the list is not whole */
};

/* Reads all scripts of the directory; a missing one has none. script_sources_free() the result. Blocks on the disk. */
struct script_sources script_sources_read(const char *directory);
void script_sources_free(struct script_sources *sources);

/* Opens a directory to list it. NULL: it is not there, or may not be read; or it is, and *starved is set. */
DIR *script_listing(const char *directory, bool *starved);

/* Frees the texts; the digests stay, so changes are still told. */
void script_sources_forget_texts(struct script_sources *sources);

/* The script of this name, or NULL. Borrowed from the list. */
const struct script_source *script_sources_find(const struct script_sources *sources, const char *name);

/* Whether two looks found the same text, or the same names with the same texts. NULL is not the same as anything. */
bool script_source_same(const struct script_source *a, const struct script_source *b);
bool script_sources_same(const struct script_sources *a, const struct script_sources *b);
