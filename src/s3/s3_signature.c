/* s3_signature.c - Signature Version 4 as AWS describes it ("Signature Calculations for the Authorization Header", "Using Query Parameters"). */
#include "s3/s3_signature.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DIGEST_BYTES 32
#define DATE_LENGTH 8 /* of S3_TIME_BYTES */
#define QUERY_PARTS 32

void s3_encode(const char *text, bool path, struct buffer *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL || (path && *text == '/'))
			buffer_char(out, *text);
		else
			buffer_format(out, "%%%02X", (unsigned char)*text);
	}
}

void s3_time(int64_t unix_seconds, char text[S3_TIME_BYTES])
{
	time_t seconds = (time_t)unix_seconds;
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, S3_TIME_BYTES, "%Y%m%dT%H%M%SZ", &parts);
}

/* ---- the canonical request ---- */

struct query_part {
	const char *text;
	size_t name, length;
};

/* By name, then by value: not as a whole, where "=" would be compared with letters. */
static int compare_parts(const void *left, const void *right)
{
	const struct query_part *a = left, *b = right;
	int order = text_compare(a->text, a->name, b->text, b->name);

	return order != 0 ? order : text_compare(a->text + a->name, a->length - a->name, b->text + b->name, b->length - b->name);
}

static void write_query(const char *query, struct buffer *out)
{
	struct query_part parts[QUERY_PARTS];
	size_t count = 0;

	for (; *query != '\0' && count < QUERY_PARTS; query += query[0] == '&') {
		parts[count].text = query;
		parts[count].length = strcspn(query, "&");
		parts[count].name = strcspn(query, "=&");
		query += parts[count++].length;
	}
	if (count > 1)
		qsort(parts, count, sizeof *parts, compare_parts);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_char(out, '&');
		buffer_append(out, parts[i].text, parts[i].length);
	}
	if (*query != '\0')
		out->failed = true; /* too many: nothing of ours */
}

/* Without white space at its ends, and with one blank for several. */
static void write_value(const char *value, struct buffer *out)
{
	bool blank = false;

	value += strspn(value, " \t");
	for (; *value != '\0'; value++) {
		if (*value == ' ' || *value == '\t') {
			blank = true;
			continue;
		}
		if (blank)
			buffer_char(out, ' ');
		blank = false;
		buffer_char(out, *value);
	}
}

static void write_signed_names(const struct s3_signed *request, struct buffer *out)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (i > 0)
			buffer_char(out, ';');
		buffer_text(out, request->headers[i].name);
	}
}

void s3_canonical(const struct s3_signed *request, struct buffer *out)
{
	buffer_text(out, request->method);
	buffer_char(out, '\n');
	buffer_text(out, request->path);
	buffer_char(out, '\n');
	write_query(request->query, out);
	buffer_char(out, '\n');
	for (size_t i = 0; i < request->header_count; i++) {
		buffer_text(out, request->headers[i].name);
		buffer_char(out, ':');
		write_value(request->headers[i].value, out);
		buffer_char(out, '\n');
	}
	buffer_char(out, '\n');
	write_signed_names(request, out);
	buffer_char(out, '\n');
	buffer_text(out, request->payload);
}

/* ---- the signature ---- */

static void write_scope(const struct s3_scope *scope, struct buffer *out)
{
	char time[S3_TIME_BYTES];

	s3_time(scope->unix_seconds, time);
	buffer_append(out, time, DATE_LENGTH);
	buffer_format(out, "/%s/%s/aws4_request", scope->region, scope->service);
}

void s3_string_to_sign(const struct s3_signed *request, const struct s3_scope *scope, struct buffer *out)
{
	unsigned char digest[DIGEST_BYTES];
	char time[S3_TIME_BYTES], hex[S3_SIGNATURE_BYTES];
	struct buffer canonical;

	buffer_init(&canonical, LIMIT_S3_REQUEST_BYTES);
	s3_canonical(request, &canonical);
	crypto_sha256(buffer_begin(&canonical), canonical.length, digest);
	text_write_hex(hex, digest, sizeof digest);
	s3_time(scope->unix_seconds, time);
	buffer_format(out, ALGORITHM "\n%s\n", time);
	write_scope(scope, out);
	buffer_format(out, "\n%s", hex);
	out->failed |= canonical.failed;
	buffer_free(&canonical);
}

static void hash(const void *key, size_t key_length, const void *bytes, size_t length, unsigned char digest[DIGEST_BYTES])
{
	unsigned size = DIGEST_BYTES;

	if (HMAC(EVP_sha256(), key, (int)key_length, bytes, length, digest, &size) == NULL)
		memory_exhausted();
}

/* What is signed with: good for this day, region and service only. False: out of memory. */
static bool derive(const struct s3_scope *scope, const struct s3_key *key, unsigned char derived[DIGEST_BYTES])
{
	const char *const steps[] = { scope->region, scope->service, "aws4_request" };
	char time[S3_TIME_BYTES];
	struct buffer secret;
	bool whole;

	s3_time(scope->unix_seconds, time);
	buffer_init(&secret, LIMIT_CREDENTIAL_BYTES + sizeof "AWS4");
	buffer_text(&secret, "AWS4");
	buffer_text(&secret, key->secret_access_key);
	whole = !secret.failed;
	if (whole) {
		hash(secret.data, secret.length, time, DATE_LENGTH, derived);
		explicit_bzero(secret.data, secret.length);
	}
	buffer_free(&secret);
	for (size_t i = 0; whole && i < sizeof steps / sizeof *steps; i++)
		hash(derived, DIGEST_BYTES, steps[i], strlen(steps[i]), derived);
	return whole;
}

bool s3_sign(const struct s3_signed *request, const struct s3_scope *scope, const struct s3_key *key,
	char signature[S3_SIGNATURE_BYTES])
{
	unsigned char derived[DIGEST_BYTES], digest[DIGEST_BYTES];
	struct buffer text;
	bool whole;

	buffer_init(&text, LIMIT_S3_REQUEST_BYTES);
	s3_string_to_sign(request, scope, &text);
	whole = !text.failed && derive(scope, key, derived);
	if (whole) {
		hash(derived, sizeof derived, text.data, text.length, digest);
		text_write_hex(signature, digest, sizeof digest);
	}
	explicit_bzero(derived, sizeof derived);
	buffer_free(&text);
	return whole;
}

void s3_authorize(const struct s3_signed *request, const struct s3_scope *scope, const struct s3_key *key, struct buffer *out)
{
	char signature[S3_SIGNATURE_BYTES] = "";

	out->failed |= !s3_sign(request, scope, key, signature);
	buffer_format(out, ALGORITHM " Credential=%s/", key->access_key_id);
	write_scope(scope, out);
	buffer_text(out, ", SignedHeaders=");
	write_signed_names(request, out);
	buffer_format(out, ", Signature=%s", signature);
}

void s3_presign(const char *method, const char *host, const char *path, const char *query, int seconds,
	const struct s3_scope *scope, const struct s3_key *key, struct buffer *out)
{
	const struct s3_header header = { "host", host };
	char time[S3_TIME_BYTES], signature[S3_SIGNATURE_BYTES] = "";
	struct buffer credential, parts;

	buffer_init(&credential, LIMIT_S3_REQUEST_BYTES);
	buffer_init(&parts, LIMIT_S3_REQUEST_BYTES);
	buffer_format(&credential, "%s/", key->access_key_id);
	write_scope(scope, &credential);
	s3_time(scope->unix_seconds, time);
	buffer_text(&parts, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
	s3_encode(buffer_begin(&credential), false, &parts);
	buffer_format(&parts, "&X-Amz-Date=%s&X-Amz-Expires=%d", time, seconds);
	if (key->session_token != NULL) {
		buffer_text(&parts, "&X-Amz-Security-Token=");
		s3_encode(key->session_token, false, &parts);
	}
	buffer_text(&parts, "&X-Amz-SignedHeaders=host");
	if (query[0] != '\0')
		buffer_format(&parts, "&%s", query);
	parts.failed |= credential.failed || !s3_sign(&(struct s3_signed){ .method = method,
							      .path = path,
							      .query = buffer_begin(&parts),
							      .headers = &header,
							      .header_count = 1,
							      .payload = S3_UNSIGNED_PAYLOAD },
						     scope, key, signature);
	buffer_append(out, buffer_begin(&parts), parts.length);
	buffer_format(out, "&X-Amz-Signature=%s", signature);
	out->failed |= parts.failed;
	buffer_free(&credential);
	buffer_free(&parts);
}
