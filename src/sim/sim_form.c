/* sim_form.c - takes a multipart/form-data body apart (RFC 7578), for the vendor scripts. Runs on their thread.
 *
 * What is not well-formed gives nil: a vendor would refuse it too. Headers of parts other than Content-Disposition and
 * Content-Type are not looked at. */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/limits.h"

#define BOUNDARY_BYTES 80 /* 70 by RFC 2046 */

struct span {
	const char *at;
	size_t length;
};

/* The value of a parameter: name="value" or name=value. */
static struct span find_parameter(struct span line, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i + size + 1 < line.length; i++) {
		const char *at = line.at + i, *end = line.at + line.length, *stop;
		if (strncasecmp(at, name, size) != 0 || at[size] != '=' || (i > 0 && strchr("; \t", at[-1]) == NULL))
			continue;
		at += size + 1;
		if (at < end && *at == '"') {
			stop = memchr(at + 1, '"', (size_t)(end - at - 1));
			return stop != NULL ? (struct span){ at + 1, (size_t)(stop - at - 1) } : (struct span){ NULL, 0 };
		}
		for (stop = at; stop < end && strchr("; \t\r", *stop) == NULL; stop++)
			;
		return (struct span){ at, (size_t)(stop - at) };
	}
	return (struct span){ NULL, 0 };
}

/* "\r\n--boundary"; false when the type is not multipart. */
static bool find_delimiter(const char *type, char *delimiter, size_t size)
{
	struct span boundary;
	int written;

	if (type == NULL || strncasecmp(type, "multipart/form-data", 19) != 0)
		return false;
	boundary = find_parameter((struct span){ type, strlen(type) }, "boundary");
	if (boundary.at == NULL || boundary.length == 0 || boundary.length > BOUNDARY_BYTES)
		return false;
	written = snprintf(delimiter, size, "\r\n--%.*s", (int)boundary.length, boundary.at);
	return written > 0 && (size_t)written < size;
}

/* The line of the head that begins with this name; the value. */
static struct span find_header(struct span head, const char *name)
{
	size_t size = strlen(name);
	const char *at = head.at, *end = head.at + head.length;

	while (at < end) {
		const char *stop = memchr(at, '\r', (size_t)(end - at));
		size_t length = (size_t)((stop != NULL ? stop : end) - at);
		if (length > size && at[size] == ':' && strncasecmp(at, name, size) == 0) {
			for (at += size + 1, length -= size + 1; length > 0 && *at == ' '; at++)
				length--;
			return (struct span){ at, length };
		}
		at += length + 2;
	}
	return (struct span){ NULL, 0 };
}

/* Adds the part to the list on top. A file has `data`, a field `value`. */
static void push_part(lua_State *L, struct span head, struct span content, int number)
{
	struct span line = find_header(head, "content-disposition");
	struct span name = find_parameter(line, "name"), filename = find_parameter(line, "filename");
	struct span type = find_header(head, "content-type");

	lua_createtable(L, 0, 4);
	lua_pushlstring(L, name.at != NULL ? name.at : "", name.length);
	lua_setfield(L, -2, "name");
	lua_pushlstring(L, content.at, content.length);
	lua_setfield(L, -2, filename.at != NULL ? "data" : "value");
	if (filename.at != NULL) {
		lua_pushlstring(L, filename.at, filename.length);
		lua_setfield(L, -2, "filename");
	}
	if (type.at != NULL) {
		lua_pushlstring(L, type.at, type.length);
		lua_setfield(L, -2, "content_type");
	}
	lua_rawseti(L, -2, number);
}

/* `at` is behind a delimiter's line. Returns behind the next delimiter, NULL when the part is malformed. */
static const char *take_part(lua_State *L, const char *at, const char *end, const char *delimiter, int number)
{
	static const char blank[] = "\r\n\r\n";
	const char *content = memmem(at, (size_t)(end - at), blank, sizeof blank - 1);
	const char *stop;

	if (content == NULL)
		return NULL;
	content += sizeof blank - 1;
	/* an empty part's delimiter begins with the blank line's own line end */
	stop = memmem(content - 2, (size_t)(end - content + 2), delimiter, strlen(delimiter));
	if (stop == NULL)
		return NULL;
	push_part(L, (struct span){ at, (size_t)(content - at) - 2 },
		(struct span){ content, stop > content ? (size_t)(stop - content) : 0 }, number);
	return stop + strlen(delimiter);
}

void sim_form_push(lua_State *L, const char *content_type, const char *body, size_t length)
{
	char delimiter[BOUNDARY_BYTES + 8];
	const char *at, *end = body + length;

	if (!find_delimiter(content_type, delimiter, sizeof delimiter)) {
		lua_pushnil(L);
		return;
	}
	lua_newtable(L);
	at = memmem(body, length, delimiter + 2, strlen(delimiter) - 2);
	if (at != NULL)
		at += strlen(delimiter) - 2;
	for (int number = 1; number <= LIMIT_SIM_PARTS && at != NULL && end - at >= 2 && memcmp(at, "\r\n", 2) == 0; number++)
		at = take_part(L, at + 2, end, delimiter, number);
	if (at == NULL || end - at < 2 || memcmp(at, "--", 2) != 0) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
}
