/* logs.h - GET /api/logs: the newest lines of the log, from memory. HTTP threads. */
#pragma once

#include "api/host.h"

void logs_handle(struct host *host, struct http_request *request);
