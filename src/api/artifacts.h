/* artifacts.h - GET /api/jobs/{id}/artifacts/{n}: the host's own copy of what a job made. */
#pragma once

#include "api/host.h"

/* `id` and `n` as they stand in the path. 404 for an unknown job or number, 410 for an output that was not kept or is gone. */
void artifacts_handle(struct host *host, struct http_request *request, const char *id, const char *n);
