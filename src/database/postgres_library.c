/* postgres_library.c - finds libpq's functions by name. The table is filled once and never changed; the library stays loaded. */
#define POSTGRES_TABLE_ITSELF
#include "database/postgres_library.h"

#include "base/shared_library.h"

#define LIBRARY "libpq.so.5"

struct postgres_table postgres_table;

static struct library library = LIBRARY_NOT_LOADED;

static bool find_all(void)
{
	void *opened = library_open(LIBRARY);
	bool all = opened != NULL;

#define FIND(name) all = all && library_find(opened, #name, &postgres_table.name##_);
	POSTGRES_FUNCTIONS(FIND)
#undef FIND
	return all;
}

bool postgres_load(void)
{
	return library_load(&library, find_all);
}
