/* access.h - what the API key of a request may do and see: roles and, for a key that sees its own, whose jobs. HTTP threads.
 *
 * Without API keys in the configuration everybody who reaches the host may do all. */
#pragma once

#include <stdbool.h>

#include "api/host.h"
#include "registry/task.h"

/* Whom a route shows. */
enum scope {
	SCOPE_HOST = 0, /* nothing of jobs, or the handler leaves out what the key does not see */
	SCOPE_JOB,	/* the job that the path names first: 404 for a key that does not see it */
	SCOPE_ALL,	/* everybody's jobs: 403 for a key that sees its own only */
};

/* May the request's key do what needs this role? False: a 403 was sent that names the role and the key. */
bool access_allows(struct http_request *request, enum role role);

/* The same without an answer. */
bool access_has(const struct http_request *request, enum role role);

/* Does the key see what the route shows? `job` is the id in the path, for SCOPE_JOB. False: a 403 or 404 was sent. */
bool access_shows(struct host *host, struct http_request *request, enum scope scope, const char *job);

/* The name of a key that sees its own jobs only; NULL: this request sees all. */
const char *access_owner(const struct http_request *request);

/* Does the request see this job? */
bool access_sees(const struct http_request *request, const struct task *task);
