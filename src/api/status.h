/* status.h - /healthz (the process answers) and /readyz (it can serve). */
#pragma once

#include "api/host.h"

void status_healthz(struct host *host, struct http_request *request);
void status_readyz(struct host *host, struct http_request *request);
