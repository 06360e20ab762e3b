/* response_push.c - hands responses to scripts. Engine thread, inside the coroutine's protected run. */
#include "script/response_push.h"

#include <string.h>

#include <jansson.h>
#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "script/bridge.h"
#include "script/state.h"

static int push_failure(lua_State *L, const struct response *response)
{
	lua_pushnil(L);
	lua_createtable(L, 0, 2);
	lua_pushstring(L, response->kind);
	lua_setfield(L, -2, "kind");
	lua_pushstring(L, response->message);
	lua_setfield(L, -2, "message");
	return 2;
}

/* The values of `name` from `at`, its first, to `end`: one text, with commas (RFC 9110, 5.3). */
static void push_joined(lua_State *L, const char *name, const char *at, const char *end)
{
	const char *separator = "", *value;
	luaL_Buffer joined;

	luaL_buffinit(L, &joined);
	for (; at < end; at = value + strlen(value) + 1) {
		value = at + strlen(at) + 1;
		if (strcmp(at, name) != 0)
			continue;
		luaL_addstring(&joined, separator);
		luaL_addstring(&joined, value);
		separator = ", ";
	}
	luaL_pushresult(&joined);
}

/* Each name once; with so few lines looking for the others of a name takes no time. */
static void push_headers(lua_State *L, const struct buffer *headers)
{
	const char *at = buffer_begin(headers), *end = at + headers->length;

	lua_newtable(L);
	for (; at < end; at += strlen(at) + 1, at += strlen(at) + 1) {
		if (lua_getfield(L, -1, at) == LUA_TNIL) {
			push_joined(L, at, at, end);
			lua_setfield(L, -3, at);
		}
		lua_pop(L, 1);
	}
}

static bool says_json(lua_State *L)
{
	bool json = lua_getfield(L, -1, "content-type") == LUA_TSTRING && strcasestr(lua_tostring(L, -1), "json") != NULL;

	lua_pop(L, 1);
	return json;
}

/* The body as text, and as bytes that stay in C; of a long one the text is only the beginning. Into the table on top. */
static void push_body(lua_State *L, struct response *response)
{
	size_t length = response->body.length;
	bool cut = length > LIMIT_RESPONSE_TEXT_BYTES;

	lua_pushlstring(L, length > 0 ? response->body.data : "", cut ? LIMIT_RESPONSE_BEGINNING_BYTES : length);
	lua_setfield(L, -2, "body");
	if (cut) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, "cut");
	}
	if (length > 0) {
		bridge_push_bytes(L, &response->body, false);
		lua_setfield(L, -2, "bytes");
	}
}

int response_push(lua_State *L, struct response *response)
{
	struct error error;
	const char *text = response->body.data;
	size_t length = response->body.length;
	json_t **value;
	bool json;

	if (response->failed)
		return push_failure(L, response);
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, response->status);
	lua_setfield(L, -2, "status");
	push_body(L, response);
	push_headers(L, &response->headers);
	json = says_json(L);
	lua_setfield(L, -2, "headers");
	if (!json || length == 0)
		return 1;
	value = bridge_push_json(L);
	*value = json_read_partly(text, length, LIMIT_RESPONSE_JSON_VALUES, LIMIT_RESPONSE_PART_VALUES, &error);
	if (*value == NULL && error.code == ERROR_MEMORY)
		script_stop_starved(L);
	if (*value != NULL) {
		bridge_push_partly(L, *value, text); /* whose memory the table holds, as bytes */
		lua_setfield(L, -3, "json");
	}
	lua_pop(L, 1);
	return 1;
}
