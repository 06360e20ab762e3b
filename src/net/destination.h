/* destination.h - where a request may go: the one check of every URL that the host is asked to open, whether a script builds it or a
 * vendor's answer names it. Pure functions; whether the address behind the name is public is seen when it is resolved (base/network.h). */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* https (http to loopback only), no userinfo, no fragment, no dot segments, a host of the list (manifest.hosts: "*.x" takes any name below
 * x) at its usual port or at the one that the list names. `anywhere` admits any host and port besides, over https. ERROR_INVALID with the path "url"
 * and what is wrong. */
enum error_code destination_check(const char *url, char *const *hosts, bool anywhere, struct error *error);

/* Where outputs are fetched from, without a credential: as destination_check(), at any port of a host of the list. */
enum error_code destination_check_output(const char *url, char *const *hosts, bool anywhere, struct error *error);

/* Is the URL on one of the first `count` of these hosts, by its whole name and port? Wildcards do not count: whoever can have a name below them
 * would be meant. */
bool destination_is_own(const char *url, char *const *hosts, size_t count);

/* The name of the URL's host, and its length; with its port when that is not the usual one. A URL that was checked. */
const char *destination_host(const char *url, size_t *length);

/* Does the URL lead back to the host itself: to loopback at its own port, or to where `public_url` (or NULL) says that it is reached from outside?
 * Other names for it are seen when they are resolved (network_is_own). */
bool destination_is_this_host(const char *url, const char *public_url);

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
