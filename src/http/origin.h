/* origin.h - the Origin header beside the Host (RFC 6454, 7). For this folder only; pure. */
#pragma once

#include <stdbool.h>

/* Is the origin, "http://..." or "https://...", of the very host and port that the Host header names? The usual port of the origin's scheme is as good as
 * none, in either. The scheme itself is not compared: a proxy may speak TLS for this host. `host` NULL: no. */
bool origin_is_host(const char *origin, const char *host);
