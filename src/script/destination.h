/* destination.h - where a request may go: the one check of every URL that the host is asked to open, whether a script builds it or a
 * vendor's answer names it. Pure functions; whether the address behind the name is public is seen when it is resolved (engine/address.h). */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* https (http to loopback only), no userinfo, no fragment, no dot segments, a host of the list (manifest.hosts: "*.x" takes any name below
 * x). `anywhere` admits any host besides, over https. ERROR_INVALID with the path "url" and what is wrong. */
enum error_code destination_check(const char *url, char *const *hosts, bool anywhere, struct error *error);

/* Is the URL on this very host (any port, any path)? */
bool destination_is_on(const char *url, const char *host);

/* What an operator puts in the place of a vendor's hosts. Each may be NULL. */
struct destination_detour {
	const char *upstream;	 /* live.upstream: every host is its first path segment */
	const char *script_base; /* the script's base_url, and ... */
	const char *base_url;	 /* ... what stands in for it */
};

/* Appends the URL as it is sent. */
void destination_write(const char *url, const struct destination_detour *detour, struct buffer *out);

/* The way back: a vendor that was reached by a detour names its own URLs by it. Appends the URL as the vendor itself would have
 * written it (https://host/...), so that the check above holds for both. */
void destination_restore(const char *url, const struct destination_detour *detour, struct buffer *out);
