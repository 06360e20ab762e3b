/* headers.h - Mcp-Method and Mcp-Name, which say once more what the body asks for, so that a proxy may count or refuse by them. HTTP threads. */
#pragma once

#include <stdbool.h>

#include "http/http.h"
#include "mcp/message.h"

/* How often a header is there; `value` (or NULL) gets the last. */
int mcp_header(const struct http_request *request, const char *name, const char **value);

/* Modern requests only: do the headers say what the body does? `named` is the member of params that Mcp-Name repeats, or NULL. False: an error was
 * sent. */
bool mcp_headers_check(struct http_request *request, const struct mcp_message *message, const char *named);
