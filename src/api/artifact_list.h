/* artifact_list.h - GET /api/artifacts: what live jobs made, all of them. HTTP threads. */
#pragma once

#include "api/host.h"

/* A page, newest first, of what the request's key sees. */
void artifact_list_handle(struct host *host, struct http_request *request);
