/* query_text.h - the query of an inner call, with values that an agent chose. Pure. */
#pragma once

#include "base/buffer.h"

/* Appends name=value, with a & before it where something stands already, and all of the value percent-encoded that is not plain. NULL: nothing. */
void mcp_query_add(struct buffer *query, const char *name, const char *value);
