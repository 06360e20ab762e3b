/* api_key.c - compares a presented key. Any thread; no state. */
#include "gate/api_key.h"

#include "base/crypto.h"
#include "base/limits.h"

const struct config_api_key *api_key_find(const struct config_server *server, const char *key, size_t length)
{
	const struct config_api_key *found = NULL;
	unsigned char hash[SHA256_DIGEST_LENGTH];

	if (length == 0 || length > LIMIT_CREDENTIAL_BYTES || !crypto_load())
		return NULL; /* without libcrypto nobody passes */
	crypto_sha256(key, length, hash);
	for (size_t i = 0; i < server->api_key_count; i++)
		if (CRYPTO_memcmp(hash, server->api_keys[i].sha256, sizeof hash) == 0)
			found = &server->api_keys[i];
	return found;
}
