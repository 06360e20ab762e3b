/* image_wait.h - waiting for a live job's end, for as long as its client will. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/host.h"
#include "http/stream.h"
#include "openai/job_outcome.h"

/* How long this request may wait, in milliseconds: openai.wait_seconds, and less than the patience that the client told (x-stainless-timeout and
 * x-stainless-read-timeout, in seconds). */
int64_t image_patience_ms(const struct http_request *request);

/* Waits until the job has ended, or nobody but the operator can say what became of it, or the time is over, or threads are short, or the client has left, or the host stops.
 * `stream`, or NULL: comments go out on it meanwhile. Fills in `outcome`, to be closed: OPENAI_OPEN if it goes on, as far as anybody knows. */
void image_wait(struct host *host, struct http_request *request, struct http_stream *stream, const struct id *job,
	int64_t patience_ms, struct openai_outcome *outcome);
