/* model_refresh.h - POST /api/directory/refresh: has a provider's list, or one model with its price, read anew. HTTP threads. */
#pragma once

#include "api/host.h"

/* 202: it is read behind; 409 while the directory is off for the provider, or its script has no function for it. */
void model_refresh_handle(struct host *host, struct http_request *request);
