/* catalog_page.h - GET .../catalog: what a kind's providers can do and cost, and how they stand. */
#pragma once

#include "api/host.h"

struct catalogue_cache *catalogue_cache_new(void);
void catalogue_cache_free(struct catalogue_cache *cache);

void catalogue_handle(struct host *host, struct http_request *request, const char *kind);
