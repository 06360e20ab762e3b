/* crypto.c - finds libcrypto's functions by name. The table is filled once and never changed; the library stays loaded. */
#define CRYPTO_TABLE_ITSELF
#include "base/crypto.h"

#include "base/memory.h"
#include "base/shared_library.h"

#define LIBRARY "libcrypto.so.3"

struct crypto_table crypto_table;

static struct library library = LIBRARY_NOT_LOADED;
static const EVP_MD *sha256; /* for as long as the process runs */

static bool crypto_find_functions(void)
{
	void *opened = library_open(LIBRARY);
	bool all = opened != NULL;

#define FIND(name) all = all && library_find(opened, #name, &crypto_table.name##_);
	CRYPTO_FUNCTIONS(FIND)
#undef FIND
	if (all)
		sha256 = crypto_table.EVP_MD_fetch_(NULL, "SHA256", NULL);
	return all;
}

const EVP_MD *crypto_sha256_method(void)
{
	return sha256 != NULL ? sha256 : crypto_table.EVP_sha256_();
}

bool crypto_load(void)
{
	return library_load(&library, crypto_find_functions);
}

void crypto_sha256(const void *bytes, size_t length, unsigned char digest[SHA256_DIGEST_LENGTH])
{
	if (crypto_table.EVP_Digest_(bytes, length, digest, NULL, crypto_sha256_method(), NULL) != 1)
		memory_exhausted();
}
