/* signature.c - the two ways in which vendors sign: Standard Webhooks (HMAC with a shared secret) and fal's (Ed25519 with public keys).
 *
 * Any thread, no state. The body counts as it came, byte for byte; signatures are compared in constant time. Refuses old timestamps, so that
 * a webhook that was overheard cannot be sent again later. */
#include "webhook_in/signature.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/standard_webhooks.h"
#include "base/text.h"

#define ED25519_KEY 32
#define ED25519_SIGNATURE 64
#define TIMESTAMP_DIGITS 15
#define FAL_MESSAGE_BYTES (3 * LIMIT_WEBHOOK_IN_HEADER_BYTES + 2 * SHA256_DIGEST_LENGTH + 4)

const struct signature_headers *signature_headers(enum webhook_scheme scheme)
{
	static const struct signature_headers none,
		standard = { .id = "webhook-id", .timestamp = "webhook-timestamp", .signature = "webhook-signature" },
		fal = { .id = "x-fal-webhook-request-id",
			.user = "x-fal-webhook-user-id",
			.timestamp = "x-fal-webhook-timestamp",
			.signature = "x-fal-webhook-signature" };

	return scheme == WEBHOOK_STANDARD ? &standard : scheme == WEBHOOK_FAL ? &fal : &none;
}

const char *signature_verdict_text(enum signature_verdict verdict)
{
	switch (verdict) {
	case SIGNATURE_GOOD: return "the signature is good";
	case SIGNATURE_MISSING: return "the headers of the vendor's signature are missing or malformed";
	case SIGNATURE_OLD: return "the signature's timestamp is too old, or this host's clock is wrong";
	case SIGNATURE_WRONG: return "the signature does not fit the body";
	case SIGNATURE_UNCHECKED: break;
	}
	return "the signature cannot be checked now";
}

/* ---- without a key ---- */

static bool signature_has_form(const char *header)
{
	return header != NULL && *header != '\0' && strlen(header) <= LIMIT_WEBHOOK_IN_HEADER_BYTES;
}

enum signature_verdict signature_look(const struct signed_webhook *webhook, int64_t now_s)
{
	size_t digits;
	int64_t off;

	if (!signature_has_form(webhook->id) || !signature_has_form(webhook->timestamp) ||
		!signature_has_form(webhook->signature) || (webhook->scheme == WEBHOOK_FAL && !signature_has_form(webhook->user)))
		return SIGNATURE_MISSING;
	digits = strspn(webhook->timestamp, "0123456789");
	if (webhook->timestamp[digits] != '\0' || digits > TIMESTAMP_DIGITS)
		return SIGNATURE_MISSING;
	off = strtoll(webhook->timestamp, NULL, 10) - now_s;
	return off < -LIMIT_WEBHOOK_IN_AGE_SECONDS || off > LIMIT_WEBHOOK_IN_AGE_SECONDS ? SIGNATURE_OLD : SIGNATURE_GOOD;
}

/* ---- Standard Webhooks ---- */

/* "v1,<base64> v1,<base64>": more than one while the vendor changes its secret. */
static bool signature_is_among(const char *list, const char *signature)
{
	size_t wanted = strlen(signature), length;
	bool found = false;

	for (int i = 0; *list != '\0' && i < LIMIT_WEBHOOK_IN_SIGNATURES; i++) {
		length = strcspn(list, " ");
		if (length == wanted + 3 && strncmp(list, "v1,", 3) == 0)
			found |= CRYPTO_memcmp(list + 3, signature, wanted) == 0;
		list += length + strspn(list + length, " ");
	}
	return found;
}

static enum signature_verdict verify_standard(
	const struct signed_webhook *webhook, const struct signing_key *keys, size_t key_count)
{
	struct standard_webhooks_message message = { webhook->id, webhook->timestamp, webhook->body, webhook->body_length };
	char expected[STANDARD_WEBHOOKS_SIGNATURE_BYTES];

	for (size_t i = 0; i < key_count; i++) {
		if (!standard_webhooks_sign(&message, keys[i].bytes, keys[i].length, expected))
			return SIGNATURE_UNCHECKED;
		if (signature_is_among(webhook->signature, expected))
			return SIGNATURE_GOOD;
	}
	return SIGNATURE_WRONG;
}

/* ---- fal ---- */

/* id LF user LF timestamp LF hex(sha256(body)), without a line feed at the end. Returns its length. */
static size_t write_fal_message(const struct signed_webhook *webhook, char message[FAL_MESSAGE_BYTES])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];

	crypto_sha256(webhook->body, webhook->body_length, digest);
	text_write_hex(hex, digest, sizeof digest);
	return (size_t)snprintf(
		message, FAL_MESSAGE_BYTES, "%s\n%s\n%s\n%s", webhook->id, webhook->user, webhook->timestamp, hex);
}

static bool ed25519_fits(const struct signing_key *key, const unsigned char *signature, const char *message, size_t length)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, key->length);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fits = public != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		    EVP_DigestVerify(context, signature, ED25519_SIGNATURE, (const unsigned char *)message, length) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return fits;
}

static enum signature_verdict verify_fal(const struct signed_webhook *webhook, const struct signing_key *keys, size_t key_count)
{
	unsigned char signature[ED25519_SIGNATURE];
	char message[FAL_MESSAGE_BYTES];
	size_t length;

	if (!text_read_hex(webhook->signature, signature, sizeof signature))
		return SIGNATURE_WRONG;
	if (!crypto_load())
		return SIGNATURE_UNCHECKED;
	length = write_fal_message(webhook, message);
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].length == ED25519_KEY && ed25519_fits(&keys[i], signature, message, length))
			return SIGNATURE_GOOD;
	return SIGNATURE_WRONG;
}

enum signature_verdict signature_verify(const struct signed_webhook *webhook, const struct signing_key *keys, size_t key_count)
{
	return webhook->scheme == WEBHOOK_FAL ? verify_fal(webhook, keys, key_count) : verify_standard(webhook, keys, key_count);
}
