/* crypto.c - finds libcrypto's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CRYPTO_TABLE_ITSELF
#include "base/crypto.h"

#include <pthread.h>

#include "base/library.h"

#define LIBRARY "libcrypto.so.3"

struct crypto_table crypto_table;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *library = library_open(LIBRARY);

	loaded = library != NULL;
#define FIND(name) loaded = loaded && library_find(library, #name, &crypto_table.name##_);
	CRYPTO_FUNCTIONS(FIND)
#undef FIND
}

bool crypto_load(void)
{
	pthread_once(&once, load);
	return loaded;
}
