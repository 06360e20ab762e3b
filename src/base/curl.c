/* curl.c - finds libcurl's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CURL_TABLE_ITSELF
#include "base/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#define LIBRARY "libcurl.so.4"

struct curl_table curl_table;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool find(void *library, const char *name, void *place)
{
	void **function = place;

	*function = dlsym(library, name);
	return *function != NULL;
}

static void load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool all = library != NULL;

#define FIND(name) all = all && find(library, #name, &curl_table.name##_);
	CURL_FUNCTIONS(FIND)
#undef FIND
	loaded = all && curl_table.curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

bool curl_load(void)
{
	pthread_once(&once, load);
	return loaded;
}
