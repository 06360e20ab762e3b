/* metrics.h - figures for Prometheus: what was answered, and how the parts of the host stand. */
#pragma once

#include "api/host.h"

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* The `answered` of struct http_options; its context is the host. Any thread. */
void metrics_answered(void *host, const struct http_request *request, int status, int64_t microseconds);

enum reload { RELOAD_SCRIPT = 0, RELOAD_CONFIG, RELOAD_SECRETS, RELOADS };

/* A file was read anew, or rejected. Any thread. */
void metrics_reloaded(struct metrics *metrics, enum reload what, bool rejected);

/* GET /metrics. HTTP threads. */
void metrics_handle(struct host *host, struct http_request *request);
