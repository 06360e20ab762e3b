/* host_report.h - GET /api/host: the host itself, its switches and limits, and what is wrong with its files. HTTP threads. */
#pragma once

#include "api/host.h"

void host_report_handle(struct host *host, struct http_request *request);
