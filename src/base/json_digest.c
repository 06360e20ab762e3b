/* json_digest.c - digests a tree as it is written, so a large one needs no text of its own. Any thread; no state. */
#include "base/json_digest.h"

#include "base/crypto.h"
#include "base/memory.h"

static int take_piece(const char *bytes, size_t length, void *digest)
{
	return EVP_DigestUpdate(digest, bytes, length) == 1 ? 0 : -1;
}

void json_sha256(const json_t *value, unsigned char digest[32])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	json_t *null = json_null();
	bool made = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		    json_dump_callback(value != NULL ? value : null, take_piece, context,
			    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) == 0 &&
		    EVP_DigestFinal_ex(context, digest, NULL) == 1;

	EVP_MD_CTX_free(context);
	if (!made)
		memory_exhausted();
}
