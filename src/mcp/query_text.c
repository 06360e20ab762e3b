/* query_text.c - writes queries. Any thread; no state. */
#include "mcp/query_text.h"

#include <ctype.h>
#include <string.h>

void mcp_query_add(struct buffer *query, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (query->length > 0)
		buffer_char(query, '&');
	buffer_text(query, name);
	buffer_char(query, '=');
	for (const char *at = value; *at != '\0'; at++) {
		if (isalnum((unsigned char)*at) || strchr("-._~", *at) != NULL)
			buffer_char(query, *at);
		else
			buffer_format(query, "%%%02X", (unsigned char)*at);
	}
}
