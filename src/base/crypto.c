/* crypto.c - finds libcrypto's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CRYPTO_TABLE_ITSELF
#include "base/crypto.h"

#include "base/shared_library.h"

#define LIBRARY "libcrypto.so.3"

struct crypto_table crypto_table;

static struct library library = LIBRARY_NOT_LOADED;

static bool load(void)
{
	void *opened = library_open(LIBRARY);
	bool all = opened != NULL;

#define FIND(name) all = all && library_find(opened, #name, &crypto_table.name##_);
	CRYPTO_FUNCTIONS(FIND)
#undef FIND
	return all;
}

bool crypto_load(void)
{
	return library_load(&library, load);
}
