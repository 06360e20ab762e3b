/* destination.c - checks URLs, and leads them by a detour and back. Any thread; no state, no look-ups. */
#include "net/destination.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"

#define HTTPS "https://"
#define HTTP "http://"
#define HTTPS_PORT 443
#define HTTP_PORT 80

/* A URL's scheme, host, port, and what follows. */
struct place {
	bool secure;
	const char *host;
	size_t length; /* of the host alone */
	int port;
	const char *rest; /* "", or from the first / ? or # */
};

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* ---- taking a URL apart ---- */

static bool is_name_byte(unsigned char byte)
{
	unsigned char letter = byte | 0x20;

	return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
}

/* A name of labels: no %-escape, no trailing dot, nothing that a resolver may read as another name. */
static size_t name_length(const char *host)
{
	size_t length = 0;

	for (; is_name_byte((unsigned char)host[length]); length++)
		if (host[length] == '.' && (length == 0 || host[length - 1] == '.'))
			return 0;
	return length == 0 || length > 253 || host[length - 1] == '.' ? 0 : length;
}

static size_t literal_length(const char *host)
{
	size_t length = strspn(host + 1, "0123456789abcdefABCDEF:.");

	return length > 0 && host[1 + length] == ']' ? length + 2 : 0;
}

/* Reads ":443" at `at`; returns what follows, NULL: no port. */
static const char *read_port(const char *at, int *port)
{
	size_t digits = strspn(at + 1, "0123456789");

	*port = 0;
	for (size_t i = 0; i < digits && digits <= 5; i++)
		*port = *port * 10 + (at[1 + i] - '0');
	return digits == 0 || digits > 5 || *port == 0 || *port > 65535 ? NULL : at + 1 + digits;
}

/* False: the URL is not one of ours. */
static bool read_place(const char *url, struct place *place)
{
	const char *end;

	place->secure = begins_with(url, HTTPS);
	if (!place->secure && !begins_with(url, HTTP))
		return false;
	place->host = url + strlen(place->secure ? HTTPS : HTTP);
	place->length = *place->host == '[' ? literal_length(place->host) : name_length(place->host);
	place->port = place->secure ? HTTPS_PORT : HTTP_PORT;
	end = place->host + place->length;
	if (place->length > 0 && *end == ':')
		end = read_port(end, &place->port);
	place->rest = end;
	return place->length > 0 && end != NULL && (*end == '\0' || strchr("/?#", *end) != NULL);
}

static bool usual_port(const struct place *place)
{
	return place->port == (place->secure ? HTTPS_PORT : HTTP_PORT);
}

/* ---- lists of hosts ---- */

enum ports { PORT_AS_LISTED, ANY_PORT };

static bool name_matches(const char *pattern, size_t pattern_length, const struct place *place)
{
	size_t suffix;

	if (pattern[0] != '*')
		return pattern_length == place->length && strncasecmp(pattern, place->host, pattern_length) == 0;
	suffix = pattern_length - 1; /* "*.x": ".x" must end a longer name */
	return place->length > suffix && strncasecmp(pattern + 1, place->host + place->length - suffix, suffix) == 0;
}

static bool host_matches(const char *pattern, const struct place *place, enum ports ports)
{
	const char *colon = *pattern == '[' ? strstr(pattern, "]:") : strchr(pattern, ':');
	size_t length = colon == NULL ? strlen(pattern) : (size_t)(colon - pattern) + (*colon == ']');
	int port;

	if (colon != NULL && *colon == ']')
		colon++;
	if (!name_matches(pattern, length, place))
		return false;
	if (ports == ANY_PORT)
		return true;
	return colon == NULL ? usual_port(place) : read_port(colon, &port) != NULL && port == place->port;
}

/* ---- paths ---- */

/* Does this %-escape stand here? */
static bool escape_at(const char *at, const char *escape)
{
	return *at == '%' && strncasecmp(at, escape, 3) == 0;
}

/* A dot, encoded or not? Returns what follows it, else NULL. */
static const char *after_dot(const char *at)
{
	if (*at == '.')
		return at + 1;
	return escape_at(at, "%2e") ? at + 3 : NULL;
}

/* Servers decode before they look for segments; some take a backslash, or an encoded slash, for a slash. */
static bool path_has_dot_segment(const char *path)
{
	for (const char *at = path; *at != '\0' && *at != '?'; at++) {
		const char *after = *at == '/' ? at + 1 : escape_at(at, "%2f") || escape_at(at, "%5c") ? at + 3 : NULL;

		after = after != NULL ? after_dot(after) : NULL;
		if (after != NULL && after_dot(after) != NULL)
			after = after_dot(after);
		if (after != NULL &&
			(*after == '/' || *after == '\0' || *after == '?' || escape_at(after, "%2f") || escape_at(after, "%5c")))
			return true;
	}
	return false;
}

/* ---- checking ---- */

static enum error_code refuse_place(struct error *error, const char *message)
{
	return error_set(error, ERROR_INVALID, "url", "%s", message);
}

static enum error_code check_place(const char *url, char *const *hosts, bool anywhere, enum ports ports, struct error *error)
{
	const char *start = begins_with(url, HTTPS) ? url + strlen(HTTPS) : begins_with(url, HTTP) ? url + strlen(HTTP) : NULL;
	struct place place;

	if (start == NULL)
		return refuse_place(error, "a URL that begins with https:// is needed");
	if (memchr(start, '@', strcspn(start, "/?#")) != NULL)
		return refuse_place(error, "a URL must not carry a user name or password");
	if (!read_place(url, &place))
		return refuse_place(error,
			"the URL's host must be a plain name (letters, digits, - and _; no dot at its end), with or without a "
			"port");
	if (!place.secure && !network_names_loopback(place.host, place.length))
		return refuse_place(error, "plain http goes to loopback only; use https");
	if (strchr(place.rest, '#') != NULL)
		return refuse_place(error, "a URL must not have a fragment (#)");
	if (path_has_dot_segment(place.rest))
		return refuse_place(error, "a path must not have . or .. segments");
	if (anywhere && place.secure)
		return ERROR_NONE;
	for (; hosts != NULL && *hosts != NULL; hosts++)
		if (host_matches(*hosts, &place, ports))
			return ERROR_NONE;
	return error_set(error, ERROR_INVALID, "url", "host '%.*s' is not one of this provider's hosts",
		(int)(place.rest - place.host), place.host);
}

enum error_code destination_check(const char *url, char *const *hosts, bool anywhere, struct error *error)
{
	return check_place(url, hosts, anywhere, PORT_AS_LISTED, error);
}

enum error_code destination_check_output(const char *url, char *const *hosts, bool anywhere, struct error *error)
{
	return check_place(url, hosts, anywhere, ANY_PORT, error);
}

bool destination_is_own(const char *url, char *const *hosts, size_t count)
{
	struct place place;

	if (!read_place(url, &place))
		return false;
	for (size_t i = 0; i < count && hosts[i] != NULL; i++)
		if (hosts[i][0] != '*' && host_matches(hosts[i], &place, PORT_AS_LISTED))
			return true;
	return false;
}

const char *destination_host(const char *url, size_t *length)
{
	struct place place;

	*length = 0;
	if (!read_place(url, &place))
		return url;
	*length = usual_port(&place) ? place.length : (size_t)(place.rest - place.host);
	return place.host;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->port == b->port && a->length == b->length && strncasecmp(a->host, b->host, a->length) == 0;
}

bool destination_is_this_host(const char *url, const char *public_url)
{
	struct place place, public;

	if (!read_place(url, &place))
		return false;
	if (network_is_own_port(place.port) && network_names_loopback(place.host, place.length))
		return true;
	return public_url != NULL && read_place(public_url, &public) && same_place(&place, &public);
}

/* ---- detours ---- */

/* What follows `base` in the URL, if that is where it is: its host in any letter case, its path as written, to the end of a segment. */
static const char *after_base(const char *url, const char *base)
{
	struct place at, from;
	size_t length;

	if (base == NULL || !read_place(base, &from) || !read_place(url, &at) || at.secure != from.secure ||
		!same_place(&at, &from))
		return NULL;
	length = strcspn(from.rest, "?#");
	while (length > 0 && from.rest[length - 1] == '/')
		length--;
	if (strncmp(at.rest, from.rest, length) != 0 || (at.rest[length] != '\0' && strchr("/?", at.rest[length]) == NULL))
		return NULL;
	return at.rest + length;
}

/* `base` without slashes at its end. */
static void write_base(struct buffer *out, const char *base)
{
	size_t length = strlen(base);

	while (length > 0 && base[length - 1] == '/')
		length--;
	buffer_append(out, base, length);
}

void destination_write(const char *url, const struct destination_detour *detour, struct buffer *out)
{
	const char *rest = detour->base_url != NULL ? after_base(url, detour->script_base) : NULL;
	struct place place;

	if (rest != NULL) {
		write_base(out, detour->base_url);
		buffer_text(out, rest);
	} else if (detour->upstream != NULL && read_place(url, &place)) {
		write_base(out, detour->upstream);
		buffer_char(out, '/');
		buffer_text(out, place.host);
	} else {
		buffer_text(out, url);
	}
}

void destination_restore(const char *url, const struct destination_detour *detour, struct buffer *out)
{
	const char *rest;

	if (detour->script_base != NULL && (rest = after_base(url, detour->base_url)) != NULL) {
		buffer_text(out, detour->script_base);
		buffer_text(out, rest);
	} else if ((rest = after_base(url, detour->upstream)) != NULL && *rest == '/') {
		buffer_text(out, HTTPS);
		buffer_text(out, rest + 1);
	} else {
		buffer_text(out, url);
	}
}
