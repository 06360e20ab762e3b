/* openapi_page.h - GET /openapi.json: the description of this API for programs. HTTP threads. */
#pragma once

#include "api/host.h"

/* Without a query the document as it is, which nobody needs a key for; with ?provider= and the inputs of its models as the bodies of its requests. */
void openapi_page_handle(struct host *host, struct http_request *request);
