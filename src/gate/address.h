/* address.h - listening addresses and URLs of the configuration: what is well-formed, and what is loopback (for this folder only). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Why the text is not good, or NULL when it is. Literals, which never quote the text. */
const char *address_refuse_listen(const char *text); /* ADDR:PORT, IPv4 or localhost */
const char *address_refuse_url(const char *text);    /* https anywhere, http to loopback only; no userinfo, query, fragment */
const char *address_refuse_target(const char *text); /* the same, but a query is fine */
const char *address_refuse_origin(const char *text); /* scheme://host[:port] */
const char *address_refuse_host(const char *text);   /* host or host:port */

const char *address_refuse_pattern(
	const char *text); /* a host, or one whose first label is "*" or ends in "--*"; with or without a port */

/* Is this host ("name" or "name:port") what an accepted pattern stands for? The * takes a letter or digit and whatever follows it in that label. */
bool address_matches(const char *pattern, const char *host, size_t length);

/* Does ADDR:PORT accept connections from this machine only? False also for what is not well-formed. */
bool address_listen_is_loopback(const char *text);
