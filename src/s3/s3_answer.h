/* s3_answer.h - what a bucket says: the few parts of its XML that count, and what a refusal means to a person. Pure functions; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/response.h"
#include "s3/s3_place.h"

struct s3_span {
	const char *text;
	size_t length;
};

/* The content of the next <name> in `in`, which it is cut from. False: there is none. */
bool s3_xml_next(struct s3_span *in, const char *name, struct s3_span *content);

/* The text of the first <name>, its entities read. False: there is none, or it does not fit. */
bool s3_xml_text(struct s3_span in, const char *name, char *text, size_t size);

struct s3_span s3_body(const struct response *response);

/* "Fri, 24 May 2013 00:00:00 GMT", or "2013-05-24T00:00:00.000Z", in seconds since 1970; 0: it is none. */
int64_t s3_read_time(const char *text);

/* What is asked for, for texts: "write to", "read". */
enum s3_deed { S3_READ = 0, S3_WRITE, S3_DELETE, S3_LIST };

/* Why a request failed, or what its answer refuses, and what to do about it; never a credential. ERROR_NOT_FOUND: there is no such file. ERROR_BUSY: that may
 * pass by itself. ERROR_IO: somebody must do something. `skew_seconds`: how far this machine's clock is ahead of the bucket's. */
enum error_code s3_explain(const struct s3_place *place, enum s3_deed deed, const struct response *response, int64_t skew_seconds,
	struct error *error);

/* Did it refuse for the clock? */
bool s3_is_skewed(const struct response *response);
