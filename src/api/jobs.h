/* jobs.h - /api/jobs/... and /jobs/...: the task registry. HTTP threads. */
#pragma once

#include "api/host.h"

void jobs_list(struct host *host, struct http_request *request, bool as_all);
void jobs_status(struct host *host, struct http_request *request, const char *id);
void jobs_logs(struct host *host, struct http_request *request, const char *id);
void jobs_cancel(struct host *host, struct http_request *request, const char *id);
