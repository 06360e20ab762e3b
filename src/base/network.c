/* network.c - the networks that are not public, and the addresses of this machine. */
#include "base/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static atomic_int own_port, own_probe_port;

/* ---- IPv4 ---- */

struct network_v4 {
	uint32_t address;
	int bits;
};

/* IANA's registry of special-purpose addresses, and multicast. */
static const struct network_v4 refused_v4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carrier-grade NAT */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local, cloud metadata */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocol assignments */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0586300, 24 }, /* 6to4 relays, no longer in use */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 3 },  /* multicast and reserved */
};

static bool is_loopback_v4(uint32_t address)
{
	return address >> 24 == 127;
}

static bool v4_is_allowed(uint32_t address, bool loopback_allowed)
{
	if (loopback_allowed && is_loopback_v4(address))
		return true;
	for (size_t i = 0; i < sizeof refused_v4 / sizeof *refused_v4; i++)
		if ((address ^ refused_v4[i].address) >> (32 - refused_v4[i].bits) == 0)
			return false;
	return true;
}

/* ---- IPv6 ---- */

struct network_v6 {
	uint8_t bytes[12];
	int bits;
	int embedded; /* where an IPv4 address stands that decides; -1: none, the network is refused */
};

/* The first that fits decides; what is in none of them is allowed within 2000::/3 only, which is all that is given out. */
static const struct network_v6 known_v6[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, 12 }, /* IPv4-mapped */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },			  /* NAT64 */
	{ { 0x20, 0x02 }, 16, 2 },				  /* 6to4 */
	{ { 0x20, 0x01, 0x00 }, 23, -1 },			  /* Teredo, benchmarks, ORCHID and other protocols */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, -1 },			  /* documentation */
	{ { 0x3f, 0xff, 0x00 }, 20, -1 },			  /* documentation */
};

static bool begins_with_bits(const uint8_t *bytes, const uint8_t *prefix, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	return memcmp(bytes, prefix, (size_t)whole) == 0 && (rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

static uint32_t embedded(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_loopback_v6(const uint8_t *bytes)
{
	static const uint8_t zeros[15];

	if (memcmp(bytes, zeros, 15) == 0)
		return bytes[15] == 1;
	return begins_with_bits(bytes, known_v6[0].bytes, 96) && is_loopback_v4(embedded(bytes + 12));
}

static bool v6_is_allowed(const uint8_t *bytes, bool loopback_allowed)
{
	if (is_loopback_v6(bytes))
		return loopback_allowed;
	for (size_t i = 0; i < sizeof known_v6 / sizeof *known_v6; i++)
		if (begins_with_bits(bytes, known_v6[i].bytes, known_v6[i].bits))
			return known_v6[i].embedded >= 0 && v4_is_allowed(embedded(bytes + known_v6[i].embedded), false);
	return bytes[0] >> 5 == 1;
}

/* ---- both ---- */

static uint32_t v4_of(const struct sockaddr *address)
{
	return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

static const uint8_t *v6_of(const struct sockaddr *address)
{
	return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
}

bool network_is_allowed(const struct sockaddr *address, bool loopback_allowed)
{
	if (network_is_own(address))
		return false;
	if (address->sa_family == AF_INET)
		return v4_is_allowed(v4_of(address), loopback_allowed);
	return address->sa_family == AF_INET6 && v6_is_allowed(v6_of(address), loopback_allowed);
}

bool network_names_loopback(const char *host, size_t length)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if ((length == 9 && strncasecmp(host, "localhost", 9) == 0) || (length == 5 && memcmp(host, "[::1]", 5) == 0))
		return true;
	if (length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 &&
	       is_loopback_v4(ntohl(address.s_addr)); /* 127.x.example is a name like any other */
}

/* ---- the host itself ---- */

void network_listen_on(int port, int probe_port)
{
	atomic_store(&own_port, port);
	atomic_store(&own_probe_port, probe_port);
}

bool network_is_own_port(int port)
{
	return port != 0 && (port == atomic_load_explicit(&own_port, memory_order_relaxed) ||
				    port == atomic_load_explicit(&own_probe_port, memory_order_relaxed));
}

static int port_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
	return address->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port) : 0;
}

/* The IPv4 address that an address reaches, 0: none. */
static uint32_t reached_v4(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return v4_of(address);
	return begins_with_bits(v6_of(address), known_v6[0].bytes, 96) ? embedded(v6_of(address) + 12) : 0;
}

static bool is_same(const struct sockaddr *own, const struct sockaddr *address)
{
	if (own == NULL)
		return false;
	if (own->sa_family == AF_INET)
		return v4_of(own) == reached_v4(address);
	return own->sa_family == AF_INET6 && address->sa_family == AF_INET6 && memcmp(v6_of(own), v6_of(address), 16) == 0;
}

/* Interfaces come and go, so they are asked; only for the very port of the host, which no vendor uses. */
static bool is_of_this_machine(const struct sockaddr *address)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) != 0)
		return true; /* unknown: refused */
	for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next)
		found = is_same(at->ifa_addr, address);
	freeifaddrs(list);
	return found;
}

bool network_is_own(const struct sockaddr *address)
{
	if (!network_is_own_port(port_of(address)))
		return false;
	if (address->sa_family == AF_INET6 ? is_loopback_v6(v6_of(address)) : is_loopback_v4(v4_of(address)))
		return true;
	return is_of_this_machine(address);
}
