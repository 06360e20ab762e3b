/* origin.c - compares texts, and understands no more of them than where a port may be left out. The Host is well-formed (guard.c), so what else stands in
 * an origin, a user name, a path, a blank, is equal to none. */
#include "http/origin.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The length without the port, if that is the usual one. */
static size_t without_port(const char *authority, const char *port)
{
	size_t length = strlen(authority), size = strlen(port);

	return length > size && strcmp(authority + length - size, port) == 0 ? length - size : length;
}

static bool same_authority(const char *a, const char *b, const char *port)
{
	size_t length = without_port(a, port);

	return length > 0 && without_port(b, port) == length && strncasecmp(a, b, length) == 0;
}

bool origin_is_host(const char *origin, const char *host)
{
	static const struct scheme {
		const char *name, *port;
		size_t length;
	} schemes[] = { { "http://", ":80", 7 }, { "https://", ":443", 8 } };

	for (size_t i = 0; host != NULL && i < sizeof schemes / sizeof *schemes; i++)
		if (strncasecmp(origin, schemes[i].name, schemes[i].length) == 0)
			return same_authority(origin + schemes[i].length, host, schemes[i].port);
	return false;
}
