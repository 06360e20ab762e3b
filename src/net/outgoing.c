/* outgoing.c - what a request holds, and which credentials it names. Owned by whoever made it; no thread of its own. */
#include "net/outgoing.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/limits.h"
#include "gate/credential.h"

void outgoing_init(struct outgoing *outgoing)
{
	buffer_init(&outgoing->url, LIMIT_SCRIPT_MEMORY_BYTES);
	buffer_init(&outgoing->body, LIMIT_SCRIPT_MEMORY_BYTES);
	outgoing->parts = NULL;
	outgoing->detour = NULL;
	outgoing_clear(outgoing, 0);
}

void outgoing_clear(struct outgoing *outgoing, size_t keep_bytes)
{
	outgoing->method = NULL;
	outgoing->header_count = outgoing->part_count = 0;
	outgoing->body_kind = BODY_NONE;
	outgoing->timeout_seconds = 0;
	outgoing->costs = outgoing->shared_host = outgoing->repeatable = false;
	buffer_reset(&outgoing->url, keep_bytes);
	buffer_reset(&outgoing->body, keep_bytes);
	free(outgoing->parts);
	outgoing->parts = NULL;
}

bool outgoing_may_cost(const struct outgoing *outgoing)
{
	return outgoing->costs;
}

/* The next credential's name in a header, after `from` or from its beginning (NULL). */
static const char *next_credential(const struct outgoing_header *header, const char *from, size_t *length)
{
	return header->credential ? credential_placeholder(from != NULL ? from : header->value, length) : NULL;
}

bool outgoing_has_credential(const struct outgoing *outgoing)
{
	size_t length;

	for (size_t i = 0; i < outgoing->header_count; i++)
		if (next_credential(&outgoing->headers[i], NULL, &length) != NULL)
			return true;
	return false;
}

bool outgoing_names_credential(const struct outgoing *outgoing, const char *credential)
{
	const char *name;
	size_t length;

	for (size_t i = 0; i < outgoing->header_count; i++)
		for (name = NULL; (name = next_credential(&outgoing->headers[i], name, &length)) != NULL; name += length)
			if (strlen(credential) == length && memcmp(name, credential, length) == 0)
				return true;
	return false;
}

uint32_t outgoing_optional_credentials(const struct outgoing *outgoing, const struct gate_subject *subject)
{
	uint32_t named = 0;

	for (size_t i = 0; i < subject->credential_count && i < 32; i++)
		if (subject->credentials[i].optional && outgoing_names_credential(outgoing, subject->credentials[i].name))
			named |= UINT32_C(1) << i;
	return named;
}

void outgoing_decode_base64(const struct outgoing_part *part, struct buffer *bytes)
{
	size_t padding = 0, length = part->data_length;
	char *to = buffer_reserve(bytes, length / 4 * 3 + 3);
	int decoded;

	while (padding < 2 && padding < length && part->data[length - padding - 1] == '=')
		padding++;
	decoded = to == NULL || length > INT_MAX || !crypto_load()
			  ? -1
			  : EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)part->data, (int)length);
	if (decoded < (int)padding)
		bytes->failed = true;
	else
		bytes->length = (size_t)decoded - padding;
}
