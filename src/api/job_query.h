/* job_query.h - which jobs a request asks for: the parameters that lists of jobs, of artifacts, and counts have in common. HTTP threads.
 *
 * Each function leaves what it fills in as it is when its parameter is absent or empty. False: a 400 was sent that names the parameter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/host.h"
#include "registry/store.h"

/* A filter, and the texts that it refers to: not to be copied. Begins as zeroes. */
struct job_query {
	struct task_filter filter;
	struct task_search search;
	const char *providers[LIMIT_LIST_PROVIDERS];
	char ids[LIMIT_LIST_PROVIDERS][64];
};

/* kind, provider, since and until; and what the request's key sees. */
bool job_query_read(struct host *host, struct http_request *request, struct job_query *query);

/* "done,error"; "open" stands for queued and running. */
bool job_query_statuses(struct http_request *request, struct task_filter *filter);

/* dry_run=true or false. */
bool job_query_dryness(struct http_request *request, struct task_filter *filter);

/* q: words to look for. */
bool job_query_search(struct http_request *request, struct job_query *query);

/* fields=brief. */
bool job_query_fields(struct http_request *request, bool *brief);
