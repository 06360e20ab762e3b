/* studio_page.h - GET / and GET /ui/...: the host's own web page. */
#pragma once

#include "api/host.h"

void studio_page_index(struct host *host, struct http_request *request);
void studio_page_file(struct host *host, struct http_request *request, const char *name); /* "base/dom.js" */
