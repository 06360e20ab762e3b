/* curl.c - finds libcurl's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CURL_TABLE_ITSELF
#include "base/curl.h"

#include <pthread.h>
#include <stddef.h>

#include "base/library.h"

#define LIBRARY "libcurl.so.4"

struct curl_table curl_table;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *library = library_open(LIBRARY);
	bool all = library != NULL;

#define FIND(name) all = all && library_find(library, #name, &curl_table.name##_);
	CURL_FUNCTIONS(FIND)
#undef FIND
	loaded = all && curl_table.curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

bool curl_load(void)
{
	pthread_once(&once, load);
	return loaded;
}
