/* s3_sign.c - lets a spec ask src/s3/s3_signature.c about AWS's published examples, whose time has passed.
 *
 * Standard input: { key, unix_seconds, region, service, request: { method, path, query, headers: [[name, value]], payload } }, or in the place of
 * `request` presign: { method, host, path, query, seconds }. Standard output: { canonical, string_to_sign, authorization }, or { query }. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/crypto.h"
#include "s3/s3_signature.h"

#define HEADERS 32
#define MOST_BYTES 65536

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static struct buffer made(void)
{
	struct buffer buffer;

	buffer_init(&buffer, MOST_BYTES);
	return buffer;
}

static json_t *taken(struct buffer *buffer)
{
	json_t *value = buffer->failed ? json_null() : json_string(buffer_begin(buffer));

	buffer_free(buffer);
	return value;
}

static json_t *sign(const json_t *request, const struct s3_scope *scope, const struct s3_key *key)
{
	struct buffer canonical = made(), to_sign = made(), authorization = made();
	const json_t *list = json_object_get(request, "headers"), *pair;
	struct s3_header headers[HEADERS];
	size_t i;
	struct s3_signed asked = { .method = text(request, "method"),
		.path = text(request, "path"),
		.query = text(request, "query"),
		.headers = headers,
		.payload = text(request, "payload") };

	json_array_foreach(list, i, pair) {
		if (i == HEADERS)
			break;
		headers[i].name = json_string_value(json_array_get(pair, 0));
		headers[i].value = json_string_value(json_array_get(pair, 1));
		asked.header_count = i + 1;
	}
	s3_canonical(&asked, &canonical);
	s3_string_to_sign(&asked, scope, &to_sign);
	s3_authorize(&asked, scope, key, &authorization);
	return json_pack("{s:o,s:o,s:o}", "canonical", taken(&canonical), "string_to_sign", taken(&to_sign), "authorization",
		taken(&authorization));
}

static json_t *presign(const json_t *asked, const struct s3_scope *scope, const struct s3_key *key)
{
	const char *query = text(asked, "query");
	struct buffer out = made();

	s3_presign(text(asked, "method"), text(asked, "host"), text(asked, "path"), query != NULL ? query : "",
		(int)json_integer_value(json_object_get(asked, "seconds")), scope, key, &out);
	return json_pack("{s:o}", "query", taken(&out));
}

int main(void)
{
	json_t *asked = json_loadf(stdin, 0, NULL), *key = json_object_get(asked, "key"), *answer;
	struct s3_key secret = { text(key, "access_key_id"), text(key, "secret_access_key"), text(key, "session_token") };
	struct s3_scope scope = { json_integer_value(json_object_get(asked, "unix_seconds")), text(asked, "region"),
		text(asked, "service") };

	if (asked == NULL || !crypto_load())
		return 1;
	if (json_object_get(asked, "request") != NULL)
		answer = sign(json_object_get(asked, "request"), &scope, &secret);
	else
		answer = presign(json_object_get(asked, "presign"), &scope, &secret);
	json_dumpf(answer, stdout, JSON_COMPACT);
	json_decref(answer);
	json_decref(asked);
	return 0;
}
