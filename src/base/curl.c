/* curl.c - finds libcurl's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CURL_TABLE_ITSELF
#include "base/curl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/library.h"

#define LIBRARY "libcurl.so.4"

struct curl_table curl_table;

static _Atomic bool loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void load(void)
{
	void *library = library_open(LIBRARY);
	bool all = library != NULL;

#define FIND(name) all = all && library_find(library, #name, &curl_table.name##_);
	CURL_FUNCTIONS(FIND)
#undef FIND
	all = all && curl_table.curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	atomic_store_explicit(&loaded, all, memory_order_release);
}

/* A library that was not found is looked for again: it may have been memory that was not there. */
bool curl_load(void)
{
	if (atomic_load_explicit(&loaded, memory_order_acquire))
		return true;
	pthread_mutex_lock(&lock);
	if (!loaded)
		load();
	pthread_mutex_unlock(&lock);
	return loaded;
}
