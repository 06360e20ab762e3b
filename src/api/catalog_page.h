/* catalog_page.h - GET .../catalog: what a kind's providers can do and cost, and how they stand. */
#pragma once

#include "api/host.h"

struct catalog_page_cache *catalog_page_cache_new(void);
void catalog_page_cache_free(struct catalog_page_cache *cache);

/* `name` is none: all of the kind. HTTP threads. */
void catalog_page_handle(struct host *host, struct http_request *request, const char *kind, const char *name);
