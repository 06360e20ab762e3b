/* query.h - parameters of a query, read with an answer for what is wrong with them. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/host.h"

/* Leaves *value alone when the parameter is absent or empty. False: a 400 was sent. */
bool query_number(struct http_request *request, const char *name, int64_t lowest, int64_t highest, int64_t *value);

#define QUERY_DETAIL_BYTES 128

/* The same, but what is wrong is told in `detail`, and nothing is sent. */
bool query_read_number(const struct http_request *request, const char *name, int64_t lowest, int64_t highest, int64_t *value,
	char detail[QUERY_DETAIL_BYTES]);

/* The parameter `provider` as an id; an alias is as good, and a provider that is gone may still have rows. "" when it is absent. */
void query_provider(struct host *host, struct http_request *request, char *id, size_t size);

/* A job's id, from the path. False: a 404 was sent. */
bool query_job_id(struct http_request *request, const char *text, struct id *id);
