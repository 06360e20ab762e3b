/* crypto.c - finds libcrypto's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CRYPTO_TABLE_ITSELF
#include "base/crypto.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/library.h"

#define LIBRARY "libcrypto.so.3"

struct crypto_table crypto_table;

static _Atomic bool loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void load(void)
{
	void *library = library_open(LIBRARY);
	bool all = library != NULL;

#define FIND(name) all = all && library_find(library, #name, &crypto_table.name##_);
	CRYPTO_FUNCTIONS(FIND)
#undef FIND
	atomic_store_explicit(&loaded, all, memory_order_release);
}

/* A library that was not found is looked for again: it may have been memory that was not there. */
bool crypto_load(void)
{
	if (atomic_load_explicit(&loaded, memory_order_acquire))
		return true;
	pthread_mutex_lock(&lock);
	if (!loaded)
		load();
	pthread_mutex_unlock(&lock);
	return loaded;
}
