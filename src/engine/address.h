/* address.h - which addresses a request may go to after its name was resolved (tech 2.7): public ones, and loopback where allowed. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Private, link-local, multicast and reserved networks are not public, also when they are embedded in IPv6. */
bool address_is_allowed(const struct sockaddr *address, bool loopback_allowed);
