/* outgoing_digest.c - tells one request from another by what a dry run shows of it, and by the files of which it only shows the size. Any thread. */
#include "net/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

static void digest_bytes(EVP_MD_CTX *context, const void *bytes, size_t length)
{
	if (length > 0 && EVP_DigestUpdate(context, bytes, length) != 1)
		memory_exhausted();
}

/* A client that traces says something else each time: that makes no other request of it. Texts are escaped, so what looks like the member is it. */
static void digest_preview(EVP_MD_CTX *context, const struct outgoing *outgoing, const struct buffer *preview)
{
	char *member = outgoing->trace != NULL ? memory_format("\"traceparent\":\"%s\"", outgoing->trace) : NULL;
	const char *end = preview->data + preview->length, *at = member != NULL ? strstr(preview->data, member) : NULL;

	digest_bytes(context, preview->data, at != NULL ? (size_t)(at - preview->data) : preview->length);
	if (at != NULL) {
		at += strlen(member);
		digest_bytes(context, at, (size_t)(end - at));
	}
	free(member);
}

static void digest_file(EVP_MD_CTX *context, const struct outgoing_part *part)
{
	char length[32];

	digest_bytes(context, length, (size_t)snprintf(length, sizeof length, "\n%zu\n", part->data_length));
	digest_bytes(context, part->data, part->data_length);
}

void outgoing_digest(const struct outgoing *outgoing, const struct buffer *preview, char hex[OUTGOING_DIGEST_BYTES])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	EVP_MD_CTX *context;

	hex[0] = '\0';
	if (!crypto_load())
		return;
	context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		memory_exhausted();
	digest_preview(context, outgoing, preview);
	for (size_t i = 0; outgoing->body_kind == BODY_FORM && i < outgoing->part_count; i++)
		if (outgoing->parts[i].value == NULL)
			digest_file(context, &outgoing->parts[i]);
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		memory_exhausted();
	EVP_MD_CTX_free(context);
	text_write_hex(hex, digest, sizeof digest);
}
