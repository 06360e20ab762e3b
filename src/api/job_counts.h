/* job_counts.h - GET /api/jobs/counts: how many jobs stand how. HTTP threads. */
#pragma once

#include "api/host.h"

/* Six figures, and by=provider the same of each. Told again from a cache (count_cache.h). */
void job_counts_handle(struct host *host, struct http_request *request);
