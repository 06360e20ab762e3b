/* outgoing_url.c - where a script's request goes: its URL is put together, percent-encoded, and checked against the hosts that the script
 * declares. Engine thread, inside the coroutine's protected run. */
#include "script/outgoing_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "net/destination.h"
#include "script/bridge.h"
#include "script/isolation.h"
#include "script/manifest.h"
#include "script/refusal.h"
#include "script/state.h"

static void refuse_url_length(lua_State *L)
{
	lua_pushfstring(L, "the URL would be too long: at most %d bytes", LIMIT_OUTGOING_URL_BYTES);
	refusal_raise(L, "url", lua_tostring(L, -1));
}

/* Bytes that stand in a URL as they are; the rest is percent-encoded (RFC 3986; offline.lua does the same). */
static bool is_url_byte(unsigned char byte)
{
	return isalnum(byte) || byte == '/' || byte == '-' || byte == '.' ||
	       (byte != '\0' && strchr("_~:?#[]@!$&'()*+,;=%", byte) != NULL);
}

static bool is_bad_percent(const char *text)
{
	return text[0] == '%' && !(isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]));
}

static void append_escape(struct buffer *url, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";

	buffer_append(url, (char[]){ '%', digits[byte >> 4], digits[byte & 15] }, 3);
}

/* The text on top of the stack. */
static void append_url_text(lua_State *L, struct buffer *url)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);

	if (length > LIMIT_OUTGOING_URL_BYTES)
		refuse_url_length(L);
	for (const char *at = text, *end = text + length; at < end; at++) {
		const char *run = at;

		while (at < end && is_url_byte((unsigned char)*at) && !is_bad_percent(at))
			at++;
		buffer_append(url, run, (size_t)(at - run));
		if (at < end)
			append_escape(url, (unsigned char)*at);
	}
}

static void append_query_text(struct buffer *url, const char *text, size_t length)
{
	for (const char *end = text + length; text < end; text++) {
		const char *run = text;

		while (text < end &&
			(isalnum((unsigned char)*text) || *text == '-' || *text == '.' || *text == '_' || *text == '~'))
			text++;
		buffer_append(url, run, (size_t)(text - run));
		if (text < end)
			append_escape(url, (unsigned char)*text);
	}
}

struct query_name {
	const char *text;
	size_t length;
};

static int compare_query_names(const void *a, const void *b)
{
	const struct query_name *x = a, *y = b;

	return text_compare(x->text, x->length, y->text, y->length);
}

/* The number on top as text (pushed): 9.0 is 9. */
static const char *number_text(lua_State *L, size_t *length)
{
	int exact;
	lua_Integer whole = lua_tointegerx(L, -1, &exact);

	if (exact)
		lua_pushinteger(L, whole);
	else
		lua_pushvalue(L, -1);
	return lua_tolstring(L, -1, length);
}

/* The value on top. */
static void append_query_value(lua_State *L, struct buffer *url)
{
	int top = lua_gettop(L), type = lua_type(L, top);
	const char *text;
	size_t length;

	if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TLIGHTUSERDATA)
		luaL_error(L, "ctx.request: query: a value must be text, a number or a boolean, not a %s", lua_typename(L, type));
	if (type == LUA_TSTRING)
		text = lua_tolstring(L, top, &length);
	else if (type == LUA_TNUMBER)
		text = number_text(L, &length);
	else
		text = luaL_tolstring(L, top, &length); /* a wide integer, too */
	if (length > LIMIT_OUTGOING_URL_BYTES)
		refuse_url_length(L);
	append_query_text(url, text, length);
	lua_settop(L, top);
}

static void append_query(lua_State *L, int table, struct buffer *url)
{
	struct query_name names[32];
	size_t count = 0;

	isolation_plain(L, table);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || count == 32)
			luaL_error(L, "ctx.request: query: at most 32 named values");
		names[count].text = lua_tolstring(L, -2, &names[count].length);
		count++;
	}
	qsort(names, count, sizeof *names, compare_query_names);
	for (size_t i = 0; i < count; i++) {
		buffer_char(url, i > 0 || strchr(url->data, '?') != NULL ? '&' : '?');
		append_query_text(url, names[i].text, names[i].length);
		buffer_char(url, '=');
		lua_pushlstring(L, names[i].text, names[i].length);
		lua_gettable(L, table);
		append_query_value(L, url);
		lua_pop(L, 1);
	}
}

/* A vendor that is reached by a detour names its own URLs by it. */
static void restore_url(lua_State *L, const struct destination_detour *detour)
{
	struct buffer *url;

	if (detour == NULL || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) /* with a NUL in it it is no URL of anybody's */
		return;
	url = bridge_push_buffer(L);
	destination_restore(lua_tostring(L, -2), detour, url);
	if (url->starved)
		script_stop_starved(L);
	if (!url->failed) {
		lua_pushlstring(L, url->data, url->length);
		lua_replace(L, -3);
	}
	buffer_free(url);
	lua_pop(L, 1);
}

bool outgoing_read_url(
	lua_State *L, int index, const struct manifest *manifest, char *const *more_hosts, struct outgoing *outgoing)
{
	int type = lua_getfield(L, index, "url");
	struct error error;

	if (type == LUA_TSTRING) {
		restore_url(L, outgoing->detour);
		append_url_text(L, &outgoing->url);
	} else {
		if (lua_getfield(L, index, "path") != LUA_TSTRING || manifest->base_url == NULL)
			luaL_error(L, "ctx.request: path (with base_url) or url is needed");
		buffer_text(&outgoing->url, manifest->base_url);
		append_url_text(L, &outgoing->url);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (lua_getfield(L, index, "query") == LUA_TTABLE && outgoing->url.length > 0)
		append_query(L, lua_gettop(L), &outgoing->url);
	lua_pop(L, 1);
	if (outgoing->url.starved)
		script_stop_starved(L);
	if (outgoing->url.length == 0)
		luaL_error(L, "ctx.request: url is empty");
	if (outgoing->url.failed || outgoing->url.length > LIMIT_OUTGOING_URL_BYTES)
		refuse_url_length(L);
	if (destination_check(outgoing->url.data, manifest->hosts, false, &error) != ERROR_NONE) {
		if (more_hosts == NULL || destination_check(outgoing->url.data, more_hosts, false, NULL) != ERROR_NONE)
			refusal_raise(L, error.path, error.message);
		return true;
	}
	outgoing->shared_host = !destination_is_own(outgoing->url.data, manifest->hosts, manifest->own_hosts);
	return false;
}
