/* events.h - the log of events for clients: a stream, one job's stream, pages of the past. HTTP threads. */
#pragma once

#include "api/host.h"

/* /api/events: all that pass the query's filter, from Last-Event-ID (or `since`) on, for as long as the client stays. */
void events_stream(struct host *host, struct http_request *request);

/* /api/jobs/{id}/events: those of one job; ends when the job is over, unless `follow` is asked for. */
void events_of_job(struct host *host, struct http_request *request, const char *id);

/* /api/events/history. */
void events_history(struct host *host, struct http_request *request);

/* /api/modder/hooks: what can be followed, and what happened last. */
void events_webhooks(struct host *host, struct http_request *request);
