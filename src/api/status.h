/* status.h - /healthz (the process answers) and /readyz (it can serve). */
#pragma once

#include "api/host.h"

void status_healthz(struct host *host, struct http_request *request);
void status_readyz(struct host *host, struct http_request *request);

/* The same for server.probe_listen; see http/probe.h. `host` is the struct host. */
int status_probe(void *host, const char *path, struct buffer *body);
