/* curl.c - finds libcurl's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CURL_TABLE_ITSELF
#include "net/curl.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/shared_library.h"

#define LIBRARY "libcurl.so.4"
#define SMALL_BYTES (128 * 1024) /* the rest is the copy of a form's part: that may fail */

struct curl_table curl_table;

static struct library library = LIBRARY_NOT_LOADED;

/* ---- memory for curl: what is small is always there (base/memory.h) ---- */

static void *curl_memory_get(size_t size)
{
	return size <= SMALL_BYTES ? memory_resize(NULL, size) : malloc(size);
}

static void *curl_memory_resize(void *block, size_t size)
{
	return size <= SMALL_BYTES ? memory_resize(block, size) : realloc(block, size);
}

static void *curl_memory_get_array(size_t count, size_t size)
{
	return size == 0 || count <= SMALL_BYTES / size ? memory_new_array(count, size) : calloc(count, size);
}

static bool curl_find_all(void)
{
	void *opened = library_open(LIBRARY);
	bool all = opened != NULL;

#define FIND(name) all = all && library_find(opened, #name, &curl_table.name##_);
	CURL_FUNCTIONS(FIND)
#undef FIND
	return all && curl_table.curl_global_init_mem_(CURL_GLOBAL_DEFAULT, curl_memory_get, free, curl_memory_resize,
			      memory_copy_text, curl_memory_get_array) == CURLE_OK;
}

bool curl_load(void)
{
	return library_load(&library, curl_find_all);
}
