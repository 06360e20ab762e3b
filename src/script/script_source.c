/* script_source.c - reads provider scripts. The loader's thread; keeps nothing, and judges no text. */
#include "script/script_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

void script_sources_free(struct script_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].name);
		free(sources->items[i].problem);
		free(sources->items[i].text);
	}
	free(sources->items);
	*sources = (struct script_sources){ 0 };
}

void script_sources_forget_texts(struct script_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].text);
		sources->items[i].text = NULL;
	}
}

static int compare_sources(const void *a, const void *b)
{
	return strcmp(((const struct script_source *)a)->name, ((const struct script_source *)b)->name);
}

static bool is_script(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* The text, or why there is none. One that is not there (any more) is left out. */
static void read_source(const char *directory, const char *name, struct script_sources *sources)
{
	struct script_source source = { 0 };
	struct error error;
	char *path = file_join(directory, name);
	enum error_code code = file_read(path, LIMIT_SCRIPT_FILE_BYTES, &source.text, &source.length, &error);

	free(path);
	sources->starved |= code == ERROR_MEMORY;
	if (code == ERROR_MEMORY || code == ERROR_NOT_FOUND)
		return;
	if (code == ERROR_NONE) {
		source.digest = text_digest(source.text, source.length);
	} else {
		source.problem = memory_copy_text(error.message);
		source.digest = text_digest(source.problem, strlen(source.problem));
	}
	source.name = memory_copy_text(name);
	sources->items = memory_resize(sources->items, (sources->count + 1) * sizeof *sources->items);
	sources->items[sources->count++] = source;
}

DIR *script_listing(const char *directory, bool *starved)
{
	DIR *listing = opendir(directory);

	*starved |= listing == NULL && (errno == ENOMEM || errno == EMFILE || errno == ENFILE);
	return listing;
}

struct script_sources script_sources_read(const char *directory)
{
	struct script_sources sources = { 0 };
	struct dirent *entry;
	DIR *listing = script_listing(directory, &sources.starved);

	while (listing != NULL && (entry = readdir(listing)) != NULL && sources.count < LIMIT_PROVIDERS)
		if (is_script(entry->d_name))
			read_source(directory, entry->d_name, &sources);
	if (listing != NULL)
		closedir(listing);
	if (sources.count > 1)
		qsort(sources.items, sources.count, sizeof *sources.items, compare_sources);
	return sources;
}

const struct script_source *script_sources_find(const struct script_sources *sources, const char *name)
{
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->items[i].name, name) == 0)
			return &sources->items[i];
	return NULL;
}

bool script_source_same(const struct script_source *a, const struct script_source *b)
{
	return a != NULL && b != NULL && a->length == b->length && a->digest == b->digest;
}

bool script_sources_same(const struct script_sources *a, const struct script_sources *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].name, b->items[i].name) != 0 || !script_source_same(&a->items[i], &b->items[i]))
			return false;
	return true;
}
