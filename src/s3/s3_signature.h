/* s3_signature.h - AWS's Signature Version 4: the proof that a request comes from who has the secret key, which never leaves this host.
 *
 * Pure functions; any thread. Needs crypto_load(). Checked against AWS's published examples (spec/s3/vectors.json). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define S3_SIGNATURE_BYTES 65 /* hex, with its NUL */
#define S3_TIME_BYTES 17      /* "20130524T000000Z" */
#define S3_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define S3_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Borrowed. */
struct s3_key {
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token; /* or NULL */
};

/* For what a signature counts: one day, one region, one service. */
struct s3_scope {
	int64_t unix_seconds;
	const char *region;
	const char *service; /* "s3" */
};

struct s3_header {
	const char *name; /* in lower case */
	const char *value;
};

/* What is signed, as it is sent. */
struct s3_signed {
	const char *method;
	const char *path;  /* percent-encoded, as s3_encode() does it */
	const char *query; /* the same, "a=1&b=": every name has a "="; in any order */
	const struct s3_header *headers;
	size_t header_count; /* in the order of their names; `host` is among them */
	const char *payload; /* SHA-256 of the body in hex, or S3_UNSIGNED_PAYLOAD */
};

/* Appends the text with all but A-Z a-z 0-9 - . _ ~ as %XX, and "/" too unless it is a path. */
void s3_encode(const char *text, bool path, struct buffer *out);

/* "20130524T000000Z". */
void s3_time(int64_t unix_seconds, char text[S3_TIME_BYTES]);

/* Appends the canonical request, and the text that is signed for it. */
void s3_canonical(const struct s3_signed *request, struct buffer *out);
void s3_string_to_sign(const struct s3_signed *request, const struct s3_scope *scope, struct buffer *out);

/* The signature. False: out of memory. */
bool s3_sign(const struct s3_signed *request, const struct s3_scope *scope, const struct s3_key *key,
	char signature[S3_SIGNATURE_BYTES]);

/* Appends the value of the header Authorization. */
void s3_authorize(const struct s3_signed *request, const struct s3_scope *scope, const struct s3_key *key, struct buffer *out);

/* Appends the query of a URL that may be opened by whoever has it, for `seconds`. `host` is all that is signed of the headers; `query` are further parts,
 * encoded ("response-content-type=image%2Fpng"), or "". */
void s3_presign(const char *method, const char *host, const char *path, const char *query, int seconds,
	const struct s3_scope *scope, const struct s3_key *key, struct buffer *out);
