/* form.h - multipart/form-data (RFC 7578) taken apart where it lies: every part is spans of the body, in the order in which they came, and nothing is
 * copied. Any thread; no state but the reader's.
 *
 * It is strict, so that nobody else can read a body in another way: no preamble or epilogue, no folded or foreign header lines, no Content-Transfer-Encoding
 * that would have to be undone, and a boundary never begins anything but a delimiter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/limits.h"

struct form_span {
	const char *at; /* NULL: it is not there */
	size_t length;
};

struct form_part {
	struct form_span name;	   /* UTF-8 without control characters, at most LIMIT_FORM_NAME_BYTES; never empty */
	struct form_span filename; /* as written, escapes and all; NULL: it is a field, no file */
	struct form_span type;	   /* its Content-Type, or NULL; the sender's word, which proves nothing */
	struct form_span content;
};

/* Where the reading stands. */
struct form_reader {
	const char *at, *end;
	int parts; /* so far */
	size_t delimiter_length;
	char delimiter[LIMIT_FORM_BOUNDARY_BYTES + 5]; /* "\r\n--boundary" */
};

/* Does the Content-Type (or NULL) say that the body is a form? */
bool form_is(const char *content_type);

/* Begins with a body. ERROR_INVALID: the type names no boundary, or the body does not begin with it. */
enum error_code form_open(
	struct form_reader *reader, const char *content_type, const char *body, size_t length, struct error *error);

/* The next part. False: there is none (`error->code` is ERROR_NONE), or the form is malformed (ERROR_INVALID) or has too many (ERROR_LIMIT); then all
 * that was read of it counts for nothing. */
bool form_next(struct form_reader *reader, struct form_part *part, struct error *error);

/* Is it this text? */
bool form_span_is(struct form_span span, const char *text);
