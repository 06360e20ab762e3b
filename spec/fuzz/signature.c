/* signature.c - no made-up signature of a webhook is good. Lines: id, user, timestamp, signature; the rest is the body. */
#include "fuzz.h"

#include "base/standard_webhooks.h"
#include "webhook_in/signature.h"

static char *next_line(const uint8_t **data, size_t *size)
{
	const uint8_t *rest;
	size_t rest_size, length = fuzz_split(*data, *size, &rest, &rest_size);
	char *line = fuzz_text(*data, length);

	*data = rest;
	*size = rest_size;
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum webhook_scheme schemes[] = { WEBHOOK_STANDARD, WEBHOOK_FAL };
	struct signing_key key = { .bytes = "0123456789abcdef0123456789abcdef", .length = 32 };
	unsigned char bytes[STANDARD_WEBHOOKS_KEY_BYTES];
	char *id = next_line(&data, &size), *user = next_line(&data, &size), *timestamp = next_line(&data, &size);
	char *signature = next_line(&data, &size), *body = fuzz_copy(data, size);

	for (size_t i = 0; i < 2; i++) {
		struct signed_webhook webhook = { .scheme = schemes[i],
			.id = id,
			.user = user,
			.timestamp = timestamp,
			.signature = signature,
			.body = body,
			.body_length = size };

		if (signature_look(&webhook, 1700000000) == SIGNATURE_GOOD)
			FUZZ_CHECK(signature_verify(&webhook, &key, 1) != SIGNATURE_GOOD);
	}
	FUZZ_CHECK(standard_webhooks_key(signature, bytes) <= sizeof bytes);
	free(id);
	free(user);
	free(timestamp);
	free(signature);
	free(body);
	return 0;
}
