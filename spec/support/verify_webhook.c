/* verify_webhook.c - lets a spec ask src/webhook_in/signature.c about recorded webhooks, whose timestamps are too old for a running host.
 *
 * Reads { cases: [{ scheme, headers: { name: value }, body, keys: [hex], now }] } and prints one verdict a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "webhook_in/signature.h"

static enum webhook_scheme scheme_of(const char *name)
{
	return strcmp(name, "fal-ed25519") == 0 ? WEBHOOK_FAL : WEBHOOK_STANDARD;
}

static const char *text_at(const json_t *object, const char *name)
{
	return name != NULL ? json_string_value(json_object_get(object, name)) : NULL;
}

static void read_key(const char *hex, struct signing_key *key)
{
	unsigned byte;

	for (key->length = 0; key->length < sizeof key->bytes && sscanf(hex + 2 * key->length, "%2x", &byte) == 1; key->length++)
		key->bytes[key->length] = (unsigned char)byte;
}

static enum signature_verdict judge(const json_t *item)
{
	enum webhook_scheme scheme = scheme_of(json_string_value(json_object_get(item, "scheme")));
	const struct signature_headers *names = signature_headers(scheme);
	const json_t *headers = json_object_get(item, "headers"), *body = json_object_get(item, "body");
	struct signed_webhook webhook = { .scheme = scheme,
		.id = text_at(headers, names->id),
		.user = text_at(headers, names->user),
		.timestamp = text_at(headers, names->timestamp),
		.signature = text_at(headers, names->signature),
		.body = json_string_value(body),
		.body_length = json_string_length(body) };
	enum signature_verdict verdict = signature_look(&webhook, json_integer_value(json_object_get(item, "now")));
	struct signing_key keys[LIMIT_SIGNING_KEYS];
	const json_t *list = json_object_get(item, "keys");
	size_t count = json_array_size(list);

	for (size_t i = 0; i < count && i < LIMIT_SIGNING_KEYS; i++)
		read_key(json_string_value(json_array_get(list, i)), &keys[i]);
	return verdict == SIGNATURE_GOOD ? signature_verify(&webhook, keys, count) : verdict;
}

int main(void)
{
	static const char *const words[] = { "good", "missing", "old", "wrong", "unchecked" };
	json_error_t error;
	json_t *input = json_loadf(stdin, JSON_ALLOW_NUL, &error), *item;
	size_t i;

	if (input == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	json_array_foreach(json_object_get(input, "cases"), i, item)
		puts(words[judge(item)]);
	json_decref(input);
	return 0;
}
