/* event_query.h - which events a request asks for. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/host.h"
#include "event/event_json.h"
#include "registry/event_filter.h"

/* Leaves only the jobs that the request's key sees. */
void event_query_own(const struct http_request *request, struct event_filter *filter);

/* Reads type, provider and job, of what the request's key sees. False: a 400 was sent. */
bool event_query_filter(struct host *host, struct http_request *request, struct event_filter *filter);

/* fields=brief. False: a 400 was sent. */
bool event_query_form(struct http_request *request, enum event_form *form);

/* The number to go on after: Last-Event-ID, else `since`; -1 when neither is there. False: a 400 was sent. */
bool event_query_since(struct http_request *request, int64_t *since);
