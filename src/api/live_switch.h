/* live_switch.h - POST /api/live/stop and /api/live/start; GET /api/live. HTTP threads. */
#pragma once

#include "api/host.h"

void live_stop_handle(struct host *host, struct http_request *request);
void live_start_handle(struct host *host, struct http_request *request);
void live_state_handle(struct host *host, struct http_request *request);
