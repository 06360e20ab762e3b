/* credential.c - finds the places of credentials in the text of an auth header. Pure. */
#include "gate/credential.h"

#include <string.h>

const char *credential_placeholder(const char *text, size_t *length)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	for (const char *open = strchr(text, '{'); open != NULL; open = strchr(open + 1, '{')) {
		*length = strspn(open + 1, bytes);
		if (*length > 0 && open[1 + *length] == '}')
			return open + 1;
	}
	return NULL;
}
