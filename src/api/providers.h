/* providers.h - /api/providers/...: health, submit, poll, generate. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* POST .../{name}/{health,submit,poll} and POST .../generate (name NULL). */
void providers_handle(struct host *host, struct http_request *request, const char *kind, enum verb verb, const char *name);
