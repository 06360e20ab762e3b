/* jobs.h - /api/jobs/... and /jobs/...: the task registry. HTTP threads. */
#pragma once

#include "api/host.h"
#include "registry/task.h"

/* A page, newest first; all: with the rows under `jobs` too, as older tools read them. */
void jobs_list(struct host *host, struct http_request *request);
void jobs_list_all(struct host *host, struct http_request *request);

void jobs_status(struct host *host, struct http_request *request, const char *id);
void jobs_logs(struct host *host, struct http_request *request, const char *id);
/* Cancels a job that has not ended. */
void jobs_cancel(struct host *host, struct http_request *request, const char *id);

/* The job that a path names: its id, and how it stands. False: a problem was sent. */
bool jobs_find(struct host *host, struct http_request *request, const char *text, struct id *id, enum task_status *status);
