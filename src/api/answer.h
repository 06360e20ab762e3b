/* answer.h - answers that carry no provider's envelope: JSON that was written, or a problem. HTTP threads. */
#pragma once

#include "api/host.h"

/* Sends what was written; 503 when it had no room. `headers` as in http_reply. The buffer stays the caller's. */
void answer_json(struct http_request *request, int status, const char *headers, const struct buffer *out);

/* The same for a client that may keep it and asks again: with an ETag of the digest of what counts in it (`weak`: other bytes with the same digest are as
 * good), and 304 to who has it. */
void answer_tagged(struct http_request *request, const struct buffer *out, uint64_t digest, bool weak);

/* {"ok":true} */
void answer_ok(struct http_request *request);

/* A problem about a parameter or a field, or (NULL) about the request; a 503 carries Retry-After. */
void answer_problem(struct http_request *request, int status, const char *path, const char *detail);

/* Why the store did not show a job: 404 or 503. */
void answer_no_job(struct http_request *request, const struct error *error);

/* The body as JSON, to be json_decref()ed. NULL: a problem was sent. */
json_t *answer_read_body(struct http_request *request);

/* The body's object with these members only (NULL at the end); no body, and null, are an empty one. NULL: a problem was sent. */
json_t *answer_read_members(struct http_request *request, const char *const *known);
