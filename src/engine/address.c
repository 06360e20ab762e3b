/* address.c - the list of networks that no request of a script may reach. Pure functions. */
#include "engine/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct network {
	uint32_t address;
	int bits;
};

static const struct network refused[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carrier-grade NAT */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local, cloud metadata */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocol assignments */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xe0000000, 3 },  /* multicast and reserved */
};

static bool inside(uint32_t address, const struct network *network)
{
	return (address ^ network->address) >> (32 - network->bits) == 0;
}

static bool v4_is_allowed(uint32_t address, bool loopback_allowed)
{
	if (loopback_allowed && address >> 24 == 127)
		return true;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (inside(address, &refused[i]))
			return false;
	return true;
}

static uint32_t embedded(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool v6_is_allowed(const uint8_t *bytes, bool loopback_allowed)
{
	static const uint8_t zeros[16], mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
					nat64[12] = { 0, 0x64, 0xff, 0x9b };

	if (memcmp(bytes, zeros, 15) == 0 && bytes[15] == 1)
		return loopback_allowed;
	if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, nat64, 12) == 0)
		return v4_is_allowed(embedded(bytes + 12), loopback_allowed);
	if (memcmp(bytes, zeros, 12) == 0)
		return false;
	if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
		return v4_is_allowed(embedded(bytes + 2), loopback_allowed);
	/* unique local, link-local, multicast */
	return (bytes[0] & 0xfe) != 0xfc && !(bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) && bytes[0] != 0xff;
}

bool address_is_allowed(const struct sockaddr *address, bool loopback_allowed)
{
	if (address->sa_family == AF_INET)
		return v4_is_allowed(
			ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr), loopback_allowed);
	if (address->sa_family == AF_INET6)
		return v6_is_allowed(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr, loopback_allowed);
	return false;
}
