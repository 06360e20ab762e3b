/* network.h - what an address is: public, this machine's, or this very host's. The one list of networks.
 *
 * Pure functions, any thread, but for the ports that the host listens on, which are said once at start. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* May a request of a script, a webhook or a download go there? Private, shared, link-local, multicast, documentation and reserved networks are
 * not public, also when they are embedded in IPv6 (mapped, NAT64, 6to4; Teredo and local NAT64 hide what they lead to, so all of them). Loopback
 * passes where `loopback_allowed`, and the host's own ports nowhere (network_is_own). */
bool network_is_allowed(const struct sockaddr *address, bool loopback_allowed);

/* "localhost", 127.x.x.x in four parts, "[::1]": literals only, no name is resolved. */
bool network_names_loopback(const char *host, size_t length);

/* Says which ports of this machine are the host's own; `probe_port` is that of server.probe_listen, or 0. */
void network_listen_on(int port, int probe_port);

/* Is this the host itself: one of its own ports at an address of this machine? False until network_listen_on(). */
bool network_is_own(const struct sockaddr *address);

/* Is this one of the host's own ports? */
bool network_is_own_port(int port);
