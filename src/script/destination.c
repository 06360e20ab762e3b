/* destination.c - checks URLs, and leads them by a detour and back. Any thread; no state, no look-ups. */
#include "script/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define HTTPS "https://"
#define HTTP "http://"

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What follows the scheme, or NULL when it is another. */
static const char *after_scheme(const char *url)
{
	return begins_with(url, HTTPS) ? url + strlen(HTTPS) : begins_with(url, HTTP) ? url + strlen(HTTP) : NULL;
}

static bool host_matches(const char *pattern, const char *host, size_t length)
{
	size_t suffix;

	if (pattern[0] != '*')
		return strlen(pattern) == length && strncasecmp(pattern, host, length) == 0;
	suffix = strlen(pattern) - 1; /* "*.x": ".x" must end a longer name */
	return length > suffix && strncasecmp(pattern + 1, host + length - suffix, suffix) == 0;
}

static bool loopback(const char *host, size_t length)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if (length == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	if (length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127; /* 127.x.example is a name like any other */
}

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

static enum error_code refuse(struct error *error, const char *message)
{
	return error_set(error, ERROR_INVALID, "url", "%s", message);
}

enum error_code destination_check(const char *url, char *const *hosts, bool anywhere, struct error *error)
{
	const char *host = after_scheme(url);
	bool https = begins_with(url, HTTPS);
	size_t length, name;

	if (host == NULL)
		return refuse(error, "a URL that begins with https:// is needed");
	length = strcspn(host, "/?#");
	name = strcspn(host, ":/?#");
	if (!https && !loopback(host, name))
		return refuse(error, "plain http goes to loopback only; use https");
	if (memchr(host, '@', length) != NULL)
		return refuse(error, "a URL must not carry a user name or password");
	if (strchr(host, '#') != NULL)
		return refuse(error, "a URL must not have a fragment (#)");
	if (path_has_dot_segment(host + length))
		return refuse(error, "a path must not have . or .. segments");
	if (anywhere && https && name > 0)
		return ERROR_NONE;
	for (; hosts != NULL && *hosts != NULL; hosts++)
		if (host_matches(*hosts, host, name))
			return ERROR_NONE;
	return error_set(error, ERROR_INVALID, "url", "host '%.*s' is not one of this provider's hosts", (int)name, host);
}

bool destination_is_on(const char *url, const char *host)
{
	const char *at = after_scheme(url);

	return at != NULL && host_matches(host, at, strcspn(at, ":/?#"));
}

/* `base` with a slash between it and what follows. */
static void write_base(struct buffer *out, const char *base)
{
	buffer_text(out, base);
	if (base[strlen(base) - 1] != '/')
		buffer_char(out, '/');
}

void destination_write(const char *url, const struct destination_detour *detour, struct buffer *out)
{
	if (detour->base_url != NULL && detour->script_base != NULL && begins_with(url, detour->script_base)) {
		buffer_text(out, detour->base_url);
		buffer_text(out, url + strlen(detour->script_base));
	} else if (detour->upstream != NULL) {
		write_base(out, detour->upstream);
		buffer_text(out, after_scheme(url));
	} else {
		buffer_text(out, url);
	}
}

/* What follows `base` in the URL, if that is where it is. */
static const char *after_base(const char *url, const char *base)
{
	size_t length = base != NULL ? strlen(base) : 0;

	while (length > 0 && base[length - 1] == '/')
		length--;
	return length > 0 && strncmp(url, base, length) == 0 && (url[length] == '/' || url[length] == '\0') ? url + length : NULL;
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
