/* budget.h - GET /api/budget: limits, reserved and spent, by host, provider, API key and day. HTTP threads. */
#pragma once

#include "api/host.h"

void budget_handle(struct host *host, struct http_request *request);
