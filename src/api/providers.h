/* providers.h - /api/providers/...: health, submit, poll, generate. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* POST .../{name}/{health,submit,poll}, and POST .../generate, whose body names the provider: `name` is "". */
void providers_health(struct host *host, struct http_request *request, const char *kind, const char *name);
void providers_submit(struct host *host, struct http_request *request, const char *kind, const char *name);
void providers_poll(struct host *host, struct http_request *request, const char *kind, const char *name);
void providers_preview(struct host *host, struct http_request *request, const char *kind, const char *name);
void providers_inputs(struct host *host, struct http_request *request, const char *kind, const char *name); /* GET */
void providers_models(struct host *host, struct http_request *request, const char *kind, const char *name); /* GET */
void providers_generate(struct host *host, struct http_request *request, const char *kind, const char *name);

/* Answers one of them; its request was read (incoming_open()). health.c, poll.c; submit.h. */
void health_handle(struct incoming *incoming);
void poll_handle(struct incoming *incoming);

/* Sends what was written for one of them, or that there is no room for it. */
void providers_send(struct incoming *incoming, const struct buffer *out);

/* The log's line of a health check or a poll that was answered; `job_id` may be NULL. */
void providers_log(const struct incoming *incoming, const char *verb, const char *job_id);
