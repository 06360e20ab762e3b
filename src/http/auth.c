/* auth.c - API keys: who may call at all.
 *
 * Runs on HTTP threads, without state. The configuration holds only SHA-256 hashes; a presented key is hashed, compared with
 * every one of them in constant time and never copied, logged or quoted. */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/limits.h"

static const struct config_api_key *find_api_key(const struct config_server *server, const char *key, size_t length)
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

static size_t trimmed_length(const char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

/* The key that the request came with, by either header. */
static const struct config_api_key *presented_key(const struct http_exchange *x, const struct config_server *server)
{
	const struct config_api_key *found = NULL;
	const char *key = x->head[HEAD_AUTHORIZATION];

	if (key != NULL && strncasecmp(key, "Bearer ", 7) == 0) {
		key += 7;
		key += strspn(key, " ");
		found = find_api_key(server, key, trimmed_length(key));
	}
	key = x->head[HEAD_X_API_KEY];
	if (found == NULL && key != NULL)
		found = find_api_key(server, key, trimmed_length(key));
	return found;
}

/* Vendors have a token in the path; the page's own files hold no data. */
static bool needs_no_key(const struct http_exchange *x)
{
	const char *path = x->request.path;

	return x->probe || strncmp(path, WEBHOOKS, sizeof WEBHOOKS - 1) == 0 || path[1] == '\0' ||
	       strncmp(path, STUDIO_FILES, sizeof STUDIO_FILES - 1) == 0;
}

const char *auth_refusal(const struct http_exchange *x, const struct config_server *server, const struct config_api_key **key)
{
	bool presented = x->head[HEAD_AUTHORIZATION] != NULL || x->head[HEAD_X_API_KEY] != NULL;

	*key = NULL;
	if (server->api_key_count == 0)
		return NULL;
	if (presented)
		*key = presented_key(x, server);
	if (*key != NULL || needs_no_key(x))
		return NULL;
	return presented ? "this API key is not one of server.api_keys"
			 : "an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY";
}

bool auth_check(struct http_exchange *x)
{
	const char *refusal = auth_refusal(x, &x->request.view->config->server, &x->request.api_key);

	return refusal == NULL || reply_refuse(x, 401, "WWW-Authenticate: Bearer\r\n", "%s", refusal);
}
