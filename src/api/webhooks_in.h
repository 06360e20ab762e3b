/* webhooks_in.h - POST /api/webhooks/{provider}/{token}: a vendor tells of a job: its token stands for an API key. */
#pragma once

#include "api/host.h"

void webhooks_in_receive(struct host *host, struct http_request *request, const char *provider, const char *token);
