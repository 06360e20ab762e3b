/* curl.c - finds libcurl's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CURL_TABLE_ITSELF
#include "net/curl.h"

#include <stddef.h>

#include "base/shared_library.h"

#define LIBRARY "libcurl.so.4"

struct curl_table curl_table;

static struct library library = LIBRARY_NOT_LOADED;

static bool load(void)
{
	void *opened = library_open(LIBRARY);
	bool all = opened != NULL;

#define FIND(name) all = all && library_find(opened, #name, &curl_table.name##_);
	CURL_FUNCTIONS(FIND)
#undef FIND
	return all && curl_table.curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

bool curl_load(void)
{
	return library_load(&library, load);
}
