/* artifacts.h - GET /api/jobs/{id}/artifacts/{n}: the host's own copy of what a job made. */
#pragma once

#include <jansson.h>

#include "api/host.h"

/* `id` and `n` as they stand in the path. 404 for an unknown job or number, 410 for an output that was not kept or is gone. */
void artifacts_handle(struct host *host, struct http_request *request, const char *id, const char *n);

/* Answers with the file of an output (artifact_entry.h), all of it or the range that was asked for. On an error nothing was sent:
 * ERROR_NOT_FOUND: it was not kept, or is gone; ERROR_BUSY, ERROR_IO: it cannot be read now. */
enum error_code artifacts_send_kept(struct host *host, struct http_request *request, const json_t *entry, struct error *error);
