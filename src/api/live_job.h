/* live_job.h - a live job as its provider's paths tell of it, and what operators do with one. HTTP threads. */
#pragma once

#include "api/incoming.h"

struct callback;

/* Sends the provider's envelope with the job as the registry has it. `callback` is that of the submit that is answered, whose secret no other
 * answer shows; else NULL. `headers` as in http_reply. False: nothing was sent, for the registry could not be read. */
bool live_job_send(struct incoming *incoming, const struct id *id, const struct callback *callback, const char *headers,
	struct error *error);

/* Appends "eta":{ p50_seconds, p90_seconds, jobs }, or null, and a comma: from how long this provider's last jobs took. */
void live_job_write_eta(struct buffer *out, struct live *live, const struct task *task);

/* How long this request waits for what is asked of a job: not when its client has left. */
struct live_patience live_job_patience(struct http_request *request);

/* POST /api/jobs/{id}/cancel for a job that has not ended. */
void live_job_cancel(struct host *host, struct http_request *request, const char *id);

/* POST /api/jobs/{id}/resolve: what became of a job whose outcome is unknown. */
void live_job_resolve(struct host *host, struct http_request *request, const char *id);
