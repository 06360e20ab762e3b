/* s3_answer.c - reads errors and listings. What stands in them is the server's, so only names of errors and regions are quoted, and only plain ones. */
#include "s3/s3_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_BYTES 64
#define SKEW_SECONDS 60 /* less is nobody's fault */

/* ---- XML ---- */

bool s3_xml_next(struct s3_span *in, const char *name, struct s3_span *content)
{
	char opening[NAME_BYTES], closing[NAME_BYTES];
	size_t opens = (size_t)snprintf(opening, sizeof opening, "<%s>", name);
	size_t closes = (size_t)snprintf(closing, sizeof closing, "</%s>", name);
	const char *begin = in->length > 0 ? memmem(in->text, in->length, opening, opens) : NULL, *end;
	const char *last = in->text + in->length;

	if (begin == NULL)
		return false;
	begin += opens;
	end = memmem(begin, (size_t)(last - begin), closing, closes);
	if (end == NULL)
		return false;
	*content = (struct s3_span){ begin, (size_t)(end - begin) };
	*in = (struct s3_span){ end + closes, (size_t)(last - end) - closes };
	return true;
}

/* One character of XML text, and how long it is there. */
static size_t read_character(const char *text, size_t length, char *character)
{
	static const struct {
		const char *name;
		char character;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' },
		{ "&#34;", '"' }, { "&#39;", '\'' }, { "&#x2F;", '/' }, { "&#43;", '+' }, { "&#61;", '=' } };

	for (size_t i = 0; *text == '&' && i < sizeof entities / sizeof *entities; i++) {
		size_t named = strlen(entities[i].name);

		if (named <= length && strncmp(text, entities[i].name, named) == 0) {
			*character = entities[i].character;
			return named;
		}
	}
	*character = *text;
	return 1;
}

bool s3_xml_text(struct s3_span in, const char *name, char *text, size_t size)
{
	struct s3_span content;
	size_t length = 0, step;

	text[0] = '\0';
	if (!s3_xml_next(&in, name, &content))
		return false;
	for (size_t i = 0; i < content.length; i += step) {
		if (length + 1 >= size)
			return false;
		step = read_character(content.text + i, content.length - i, &text[length++]);
	}
	text[length] = '\0';
	return true;
}

struct s3_span s3_body(const struct response *response)
{
	return (struct s3_span){ buffer_begin(&response->body), response->body.length };
}

int64_t s3_read_time(const char *text)
{
	struct tm parts = { 0 };

	if (text == NULL)
		return 0;
	if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts) == NULL) {
		parts = (struct tm){ 0 };
		if (strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
			return 0;
	}
	return (int64_t)timegm(&parts);
}

/* ---- refusals ---- */

/* The name of the error, "" when it has none that is plain. */
static void read_code(const struct response *response, char code[NAME_BYTES])
{
	if (!s3_xml_text(s3_body(response), "Code", code, NAME_BYTES) ||
		code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
		code[0] = '\0';
}

/* Where the bucket is, when the answer says so. */
static bool read_region(const struct response *response, char region[NAME_BYTES])
{
	const char *header = response_header(response, "x-amz-bucket-region");

	region[0] = '\0';
	if (header != NULL)
		snprintf(region, NAME_BYTES, "%s", header);
	else
		s3_xml_text(s3_body(response), "Region", region, NAME_BYTES);
	return region[0] != '\0' && region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool is_one_of(const char *code, const char *const *codes)
{
	while (*codes != NULL && strcmp(code, *codes) != 0)
		codes++;
	return *codes != NULL;
}

bool s3_is_skewed(const struct response *response)
{
	char code[NAME_BYTES];

	if (response->failed || response->status != 403)
		return false;
	read_code(response, code);
	return strcmp(code, "RequestTimeTooSkewed") == 0;
}

static enum error_code explain_silence(const struct s3_place *place, const struct response *response, struct error *error)
{
	if (strcmp(response->kind, "resolve") == 0)
		return error_set(error, ERROR_BUSY, NULL,
			"the bucket cannot be reached: there is no address for %s (look at artifacts.endpoint and "
			"artifacts.region)",
			place->host);
	if (strcmp(response->kind, "own") == 0)
		return error_set(error, ERROR_IO, NULL,
			"artifacts.endpoint leads to this very host: it must be the address of the bucket's server");
	return error_set(error, ERROR_BUSY, NULL, "the bucket cannot be reached at %s: %s", place->host, response->message);
}

static enum error_code explain_place(
	const struct s3_place *place, const struct response *response, const char *code, struct error *error)
{
	static const char *const elsewhere[] = { "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
		"IllegalLocationConstraintException", "InvalidRegion", NULL };
	char region[NAME_BYTES];

	if (strcmp(code, "NoSuchBucket") == 0)
		return error_set(error, ERROR_IO, NULL, "there is no bucket %s at %s: make it, or correct artifacts.dir",
			place->bucket, place->host);
	if (!is_one_of(code, elsewhere) && response->status != 301 && response->status != 307)
		return ERROR_NONE;
	if (read_region(response, region) && strcmp(region, place->region) != 0)
		return error_set(error, ERROR_IO, NULL,
			"the bucket %s is in the region %s, not in %s: set artifacts.region to \"%s\"", place->bucket, region,
			place->region, region);
	return error_set(error, ERROR_IO, NULL,
		"the bucket %s is not where it is looked for (%s, region %s): correct artifacts.endpoint and artifacts.region",
		place->bucket, place->host, place->region);
}

static enum error_code explain_key(
	const struct s3_place *place, enum s3_deed deed, const char *code, int64_t skew, struct error *error)
{
	static const char *const needs[] = { [S3_READ] = "s3:GetObject",
		[S3_WRITE] = "s3:PutObject",
		[S3_DELETE] = "s3:DeleteObject",
		[S3_LIST] = "s3:ListBucket" };
	static const char *const expired[] = { "ExpiredToken", "InvalidToken", "TokenRefreshRequired", NULL };

	if (strcmp(code, "InvalidAccessKeyId") == 0)
		return error_set(error, ERROR_IO, NULL,
			"%s does not know the access key: correct s3.access_key_id in the secrets file, or AWS_ACCESS_KEY_ID",
			place->host);
	if (strcmp(code, "SignatureDoesNotMatch") == 0)
		return error_set(error, ERROR_IO, NULL,
			"%s does not accept the signature: the secret key does not belong to the access key "
			"(s3.secret_access_key in "
			"the secrets file, or AWS_SECRET_ACCESS_KEY)",
			place->host);
	if (is_one_of(code, expired))
		return error_set(error, ERROR_IO, NULL,
			"the session token of the bucket's credentials has expired: write a new one into the secrets file "
			"(s3.session_token)");
	if (strcmp(code, "RequestTimeTooSkewed") == 0)
		return error_set(error, ERROR_IO, NULL, "this machine's clock is %lld minutes %s that of %s: set it",
			(long long)((skew < 0 ? -skew : skew) + 30) / 60, skew < 0 ? "behind" : "ahead of", place->host);
	if (strcmp(code, "AccessDenied") == 0 || strcmp(code, "AllAccessDisabled") == 0)
		return error_set(error, ERROR_IO, NULL,
			"the bucket %s refuses the access key: it needs %s there (all that is needed: s3:GetObject, "
			"s3:PutObject, "
			"s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucket)",
			place->bucket, needs[deed]);
	return ERROR_NONE;
}

enum error_code s3_explain(const struct s3_place *place, enum s3_deed deed, const struct response *response, int64_t skew_seconds,
	struct error *error)
{
	static const char *const full[] = { "QuotaExceeded", "EntityTooLarge", "XMinioStorageFull", "InsufficientStorage", NULL };
	int64_t skew = skew_seconds > SKEW_SECONDS || skew_seconds < -SKEW_SECONDS ? skew_seconds : 0;
	enum error_code found;
	char code[NAME_BYTES];

	if (response->failed)
		return explain_silence(place, response, error);
	read_code(response, code);
	found = explain_place(place, response, code, error);
	if (found == ERROR_NONE)
		found = explain_key(place, deed, code, skew, error);
	if (found != ERROR_NONE)
		return found;
	if (strcmp(code, "NoSuchKey") == 0 || (response->status == 404 && (deed == S3_READ || code[0] != '\0')))
		return error_set(error, ERROR_NOT_FOUND, NULL, "the file is not in the bucket");
	if (is_one_of(code, full) || response->status == 507)
		return error_set(error, ERROR_IO, NULL, "the bucket %s takes no more (%s): make room, or raise its quota",
			place->bucket, code[0] != '\0' ? code : "507");
	if (strcmp(code, "BadDigest") == 0 || strcmp(code, "XAmzContentSHA256Mismatch") == 0)
		return error_set(error, ERROR_BUSY, NULL, "what reached the bucket was not what was sent (%s)", code);
	if (response->status == 429 || response->status >= 500)
		return error_set(error, ERROR_BUSY, NULL, "the bucket's server %s has trouble: it answered %d%s%s", place->host,
			response->status, code[0] != '\0' ? " " : "", code);
	if (code[0] == '\0')
		return error_set(error, ERROR_IO, NULL,
			"%s answered %d, and not as S3 does: is artifacts.endpoint the address of an S3 API?", place->host,
			response->status);
	return error_set(error, ERROR_IO, NULL, "the bucket %s refuses it: %d %s", place->bucket, response->status, code);
}
