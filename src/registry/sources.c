/* sources.c - the table of kinds and providers, as it is in the database. Any thread reads, without locks: an entry is complete before the count that
 * shows it. A new pair is committed before anything names it (writes.c). */
#include "registry/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "database/database.h"

static enum error_code add_source(struct sources *sources, const char *kind, const char *provider, struct error *error)
{
	int count = sources_count(sources);
	struct source *entry = &sources->entries[count];

	if (count == LIMIT_STORE_SOURCES)
		return error_set(
			error, ERROR_LIMIT, "", "the registry knows %d providers already, its maximum", LIMIT_STORE_SOURCES);
	entry->kind = memory_copy_text(kind);
	entry->provider = memory_copy_text(provider);
	atomic_store_explicit(&sources->count, count + 1, memory_order_release);
	return ERROR_NONE;
}

static enum error_code load_rows(struct sources *sources, struct statement *rows, struct database *db, struct error *error)
{
	const char *kind, *provider;
	int code;

	while ((code = statement_step(rows)) == DATABASE_ROW) {
		kind = statement_text(rows, 1);
		provider = statement_text(rows, 2);
		if (kind == NULL || provider == NULL || statement_integer(rows, 0) != sources_count(sources) + 1)
			return error_set(
				error, ERROR_IO, "registry.url", "the registry is damaged: its table of providers has a gap");
		if (add_source(sources, kind, provider, error) != ERROR_NONE)
			return ERROR_LIMIT;
	}
	return code == DATABASE_DONE ? ERROR_NONE : database_error(db, "read the registry's providers", error);
}

enum error_code sources_load(struct sources *sources, struct database *db, struct error *error)
{
	static const struct sql text = SQL("SELECT number, kind, provider FROM source WHERE number > ? ORDER BY number");
	struct statement *rows = NULL;
	enum error_code code = database_prepare(db, &text, &rows, 1, error);

	pthread_mutex_lock(&sources->lock);
	if (code == ERROR_NONE) {
		statement_bind_integer(rows, 1, sources_count(sources));
		code = load_rows(sources, rows, db, error);
		statement_reset(rows);
	}
	pthread_mutex_unlock(&sources->lock);
	database_finalize(&rows, 1);
	return code;
}

void sources_init(struct sources *sources)
{
	pthread_mutex_init(&sources->lock, NULL);
}

void sources_free(struct sources *sources)
{
	int count = sources_count(sources);

	for (int i = 0; i < count; i++) {
		free(sources->entries[i].kind);
		free(sources->entries[i].provider);
	}
	atomic_store(&sources->count, 0);
	pthread_mutex_destroy(&sources->lock);
}

int sources_number(const struct sources *sources, const char *kind, const char *provider)
{
	int count = sources_count(sources);

	for (int i = 0; i < count; i++)
		if (strcmp(sources->entries[i].kind, kind) == 0 && strcmp(sources->entries[i].provider, provider) == 0)
			return i + 1;
	return 0;
}

const struct source *sources_get(const struct sources *sources, int number)
{
	return number >= 1 && number <= sources_count(sources) ? &sources->entries[number - 1] : NULL;
}

int sources_count(const struct sources *sources)
{
	return atomic_load_explicit(&sources->count, memory_order_acquire);
}

bool source_passes(const struct source *source, const struct source_filter *filter)
{
	if (filter->kind != NULL && strcmp(source->kind, filter->kind) != 0)
		return false;
	for (size_t i = 0; i < filter->provider_count; i++)
		if (strcmp(source->provider, filter->providers[i]) == 0)
			return true;
	return filter->provider_count == 0;
}
