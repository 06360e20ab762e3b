/* signed_url.c - makes and checks signed URLs. No state of its own. */
#include "gate/signed_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "base/text.h"

#define USE "providerd signed URL 1"
#define KEY_MARK_BYTES 16 /* of the API key's SHA-256 */
#define EXPIRES_DIGITS 12
#define TEXT_BYTES (LIMIT_PATH_BYTES + EXPIRES_DIGITS + 2 * KEY_MARK_BYTES + 8)

/* The mark over path, time and key. Each stands on a line of its own, and no path has a line break (request.c), so two URLs never give the same text. */
static bool mark(struct sessions *sessions, const struct config_api_key *key, const char *path, const char *expires,
	unsigned char digest[SHA256_DIGEST_LENGTH])
{
	char text[TEXT_BYTES], named[2 * KEY_MARK_BYTES + 1] = "";
	unsigned char derived[SHA256_DIGEST_LENGTH];
	bool made;
	int length;

	if (key != NULL)
		text_write_hex(named, key->sha256, KEY_MARK_BYTES);
	length = snprintf(text, sizeof text, "%s\n%s\n%s", path, expires, named);
	made = length > 0 && length < (int)sizeof text && sessions_derive(sessions, USE, derived) &&
	       HMAC(EVP_sha256(), derived, sizeof derived, (const unsigned char *)text, (size_t)length, digest, NULL) != NULL;
	explicit_bzero(derived, sizeof derived);
	return made;
}

bool signed_url_make(struct sessions *sessions, const struct config_api_key *key, const char *path, int64_t expires,
	char query[SIGNED_URL_BYTES])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char until[EXPIRES_DIGITS + 9], hex[2 * SHA256_DIGEST_LENGTH + 1];

	snprintf(until, sizeof until, "%lld", (long long)expires);
	if (!mark(sessions, key, path, until, digest))
		return false;
	text_write_hex(hex, digest, sizeof digest);
	snprintf(query, SIGNED_URL_BYTES, "expires=%s&signature=%s", until, hex);
	return true;
}

static bool is_in_time(const char *expires)
{
	size_t digits = strspn(expires, "0123456789");

	return digits > 0 && digits <= EXPIRES_DIGITS && expires[digits] == '\0' &&
	       strtoll(expires, NULL, 10) > clock_unix_ms() / 1000;
}

static bool is_marked(struct sessions *sessions, const struct config_api_key *key, const char *path, const char *expires,
	const unsigned char given[SHA256_DIGEST_LENGTH])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	return mark(sessions, key, path, expires, digest) && CRYPTO_memcmp(digest, given, sizeof digest) == 0;
}

bool signed_url_check(struct sessions *sessions, const struct config_server *server, const char *path, const char *expires,
	const char *signature, const struct config_api_key **key)
{
	unsigned char given[SHA256_DIGEST_LENGTH];

	*key = NULL;
	if (!is_in_time(expires) || !text_read_hex(signature, given, sizeof given))
		return false;
	if (server->api_key_count == 0)
		return is_marked(sessions, NULL, path, expires, given);
	for (size_t i = 0; i < server->api_key_count && *key == NULL; i++)
		if (is_marked(sessions, &server->api_keys[i], path, expires, given))
			*key = &server->api_keys[i];
	return *key != NULL;
}
