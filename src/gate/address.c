/* address.c - pure functions over text; any thread, no allocation, no name is ever resolved: only "localhost" and literal
 * addresses count as loopback. */
#include "gate/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"

#define HOST_BYTES 256

static bool host_is_loopback(const char *host)
{
	return network_names_loopback(host, strlen(host));
}

/* Copies a host of letters, digits, "-", "_", "." or an IPv6 address in brackets; returns what follows it, NULL when there is
 * none. */
static const char *take_host(const char *text, char host[HOST_BYTES])
{
	size_t length;

	if (*text == '[') {
		length = strspn(text + 1, "0123456789abcdefABCDEF:.") + 1;
		if (text[length] != ']')
			return NULL;
		length++;
	} else {
		length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	}
	if (length == 0 || length >= HOST_BYTES)
		return NULL;
	memcpy(host, text, length);
	host[length] = '\0';
	return text + length;
}

/* Skips ":PORT" if it is there; NULL when it is malformed. */
static const char *skip_port(const char *text)
{
	unsigned port = 0;
	size_t digits = 0;

	if (*text != ':')
		return text;
	for (text++; isdigit((unsigned char)*text) && digits < 6; text++, digits++)
		port = port * 10 + (unsigned)(*text - '0');
	return digits == 0 || digits > 5 || port > 65535 ? NULL : text;
}

const char *address_refuse_listen(const char *text)
{
	struct in_addr address;
	char host[HOST_BYTES];
	const char *rest;

	if (*text == '[')
		return "IPv6 addresses are not available: expected ADDR:PORT such as 127.0.0.1:8001";
	rest = take_host(text, host);
	if (rest == NULL || *rest != ':')
		return "expected ADDR:PORT such as 127.0.0.1:8001";
	rest = skip_port(rest);
	if (rest == NULL || *rest != '\0')
		return "the port must be a number from 0 to 65535";
	if (strcmp(host, "localhost") != 0 && inet_pton(AF_INET, host, &address) != 1)
		return "the address must be an IPv4 address or localhost";
	return NULL;
}

bool address_listen_is_loopback(const char *text)
{
	char host[HOST_BYTES];

	return address_refuse_listen(text) == NULL && take_host(text, host) != NULL && host_is_loopback(host);
}

/* `ends` are the characters that may follow the host, `bad` those that may not be in what follows. */
static const char *refuse_config_url(const char *text, const char *ends, const char *bad, const char *malformed)
{
	bool secure = strncmp(text, "https://", 8) == 0;
	char host[HOST_BYTES];
	const char *rest;

	if (!secure && strncmp(text, "http://", 7) != 0)
		return malformed;
	rest = take_host(text + (secure ? 8 : 7), host);
	rest = rest != NULL ? skip_port(rest) : NULL;
	if (rest == NULL || (*rest != '\0' && strchr(ends, *rest) == NULL))
		return malformed;
	for (; *rest != '\0'; rest++)
		if ((unsigned char)*rest <= ' ' || (unsigned char)*rest >= 0x7f || strchr(bad, *rest) != NULL)
			return malformed;
	if (!secure && !host_is_loopback(host))
		return "plain http is allowed to loopback only (127.0.0.1, localhost): use https";
	return NULL;
}

const char *address_refuse_url(const char *text)
{
	return refuse_config_url(
		text, "/", "?#\\\"<>", "expected a URL such as https://host/path, without user name, query and fragment");
}

const char *address_refuse_target(const char *text)
{
	return refuse_config_url(
		text, "/?", "#\\\"<>", "expected a URL such as https://host/path, without user name and fragment");
}

const char *address_refuse_origin(const char *text)
{
	static const char malformed[] =
		"expected an origin such as https://studio.example or http://localhost:3000, each one by name";
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
	char host[HOST_BYTES];
	const char *rest;

	if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
		return malformed;
	rest = take_host(text + scheme + 3, host);
	rest = rest != NULL ? skip_port(rest) : NULL;
	return rest != NULL && *rest == '\0' ? NULL : malformed;
}

const char *address_refuse_host(const char *text)
{
	char host[HOST_BYTES];
	const char *rest = take_host(text, host);

	rest = rest != NULL ? skip_port(rest) : NULL;
	return rest != NULL && *rest == '\0' ? NULL : "expected a host name such as studio.example or studio.example:8001";
}

/* ---- patterns ---- */

const char *address_refuse_pattern(const char *text)
{
	static const char malformed[] =
		"expected a host such as abc.us-east-1.aws.endpoints.huggingface.cloud, or a pattern such as "
		"myws--*.modal.run";
	const char *star = strchr(text, '*'), *rest = text;
	char host[HOST_BYTES];

	if (star != NULL) {
		if (star != text &&
			(strcspn(text, ".") < (size_t)(star - text) || star - text < 3 || strncmp(star - 2, "--", 2) != 0))
			return "a * stands for the first label, alone or after -- (as in myws--*.modal.run): with any other "
			       "beginning it would "
			       "take strangers' names too";
		if (star[1] != '.' || strchr(star + 1, '*') != NULL || strchr(star + 2, '.') == NULL)
			return malformed;
		if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != (size_t)(star - text))
			return malformed;
		rest = star + 2;
	}
	if (address_refuse_host(rest) != NULL || *rest == '[' || *rest == '.' || strstr(rest, "..") != NULL)
		return malformed;
	take_host(rest, host);
	return host[strlen(host) - 1] == '.' ? malformed : NULL;
}

bool address_matches(const char *pattern, const char *host, size_t length)
{
	const char *star = strchr(pattern, '*');
	size_t before, after;

	if (star == NULL)
		return strlen(pattern) == length && strncasecmp(pattern, host, length) == 0;
	before = (size_t)(star - pattern);
	after = strlen(star + 1);
	return length > before + after && strncasecmp(pattern, host, before) == 0 &&
	       strncasecmp(star + 1, host + length - after, after) == 0 && isalnum((unsigned char)host[before]) &&
	       memchr(host + before, '.', length - before - after) == NULL;
}
