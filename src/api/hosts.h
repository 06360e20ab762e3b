/* hosts.h - the hosts that use the same registry, as this one sees them: in reports, in figures, and in what is wrong. */
#pragma once

#include "api/host.h"
#include "base/buffer.h"

/* The members `registry` and `hosts` of GET /api/host. */
void hosts_report(struct buffer *out, struct host *host);

/* The families of /metrics. */
void hosts_write_metrics(struct buffer *out, struct host *host);

/* What an operator should know, though the host serves: calls `add` with each text. */
void hosts_list_problems(struct host *host, void (*add)(void *context, const char *text), void *context);
