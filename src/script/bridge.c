/* bridge.c - JSON values as Lua's, and those that Lua has none for: wide integers, bytes that stay in C, arrays that may be empty.
 *
 * Why not lua-cjson: on Lua 5.4 it decodes 1 as 1.0, rounds integers past 2^53 and turns [] into {}. The interface is the same. Runs inside protected
 * calls: everything that allocates may raise. */
#include "script/bridge_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "script/state.h"

#define WIDE_TYPE "providerd.integer"
#define HELD_TYPE "bytes"

static const char array_key; /* its address is the registry key of the arrays' metatable */

/* ---- wide integers: opaque values that go out as they came in ---- */

static int wide_text(lua_State *L)
{
	const uint64_t *value = luaL_checkudata(L, 1, WIDE_TYPE);
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, *value);
	lua_pushstring(L, text);
	return 1;
}

static int wide_equal(lua_State *L)
{
	const uint64_t *a = luaL_checkudata(L, 1, WIDE_TYPE), *b = luaL_checkudata(L, 2, WIDE_TYPE);

	lua_pushboolean(L, *a == *b);
	return 1;
}

static void push_wide(lua_State *L, uint64_t value)
{
	uint64_t *held = lua_newuserdatauv(L, sizeof *held, 0);

	*held = value;
	luaL_setmetatable(L, WIDE_TYPE);
}

const uint64_t *bridge_wide(lua_State *L, int index)
{
	return luaL_testudata(L, index, WIDE_TYPE);
}

/* ---- bytes that stay in C ---- */

static int free_held(lua_State *L)
{
	struct held *held = lua_touserdata(L, 1);

	script_state_of(L)->bytes_held -= held->bytes.capacity;
	buffer_free(&held->bytes);
	return 0;
}

struct held *bridge_push_held(lua_State *L, bool json)
{
	struct held *held = lua_newuserdatauv(L, sizeof *held, 0);

	*held = (struct held){ .json = json };
	buffer_init(&held->bytes, LIMIT_CALL_TEXT_BYTES);
	luaL_setmetatable(L, HELD_TYPE);
	return held;
}

void bridge_push_bytes(lua_State *L, struct buffer *bytes, bool json)
{
	struct held *held = bridge_push_held(L, json);

	held->bytes = *bytes;
	*bytes = (struct buffer){ .maximum = bytes->maximum };
	script_state_of(L)->bytes_held += held->bytes.capacity;
}

const struct held *bridge_held(lua_State *L, int index)
{
	return luaL_testudata(L, index, HELD_TYPE);
}

/* The piece of an answer that was left whole. */
static void push_whole(lua_State *L, size_t start, size_t length)
{
	struct held *held = bridge_push_held(L, true);

	buffer_append(&held->bytes, script_state_of(L)->whole + start, length);
	script_state_of(L)->bytes_held += held->bytes.capacity;
	script_check_buffer(L, &held->bytes);
}

/* ---- arrays ---- */

void bridge_mark_array(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	lua_setmetatable(L, -2);
}

bool bridge_is_marked(lua_State *L, int index)
{
	bool marked;

	if (!lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	marked = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return marked;
}

void bridge_open(lua_State *L)
{
	static const luaL_Reg methods[] = { { "__tostring", wide_text }, { "__eq", wide_equal }, { NULL, NULL } };

	luaL_newmetatable(L, WIDE_TYPE);
	luaL_setfuncs(L, methods, 0);
	lua_pop(L, 1);
	luaL_newmetatable(L, HELD_TYPE);
	lua_pushcfunction(L, free_held);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
}

/* ---- JSON to Lua ---- */

static void push_array(lua_State *L, const json_t *value)
{
	size_t count = json_array_size(value);

	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		bridge_push(L, json_array_get(value, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	bridge_mark_array(L);
}

static void push_object(lua_State *L, const json_t *value)
{
	const char *key;
	json_t *item;

	lua_createtable(L, 0, (int)json_object_size(value));
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		lua_pushstring(L, key);
		bridge_push(L, item);
		lua_rawset(L, -3);
	}
}

void bridge_push_partly(lua_State *L, const json_t *value, const char *text)
{
	script_state_of(L)->whole = text;
	bridge_push(L, value);
}

void bridge_push(lua_State *L, const json_t *value)
{
	uint64_t wide;
	size_t start, length;

	luaL_checkstack(L, 4, "JSON too deep");
	if (value == NULL) {
		lua_newtable(L);
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT: push_object(L, value); break;
	case JSON_ARRAY: push_array(L, value); break;
	case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
	case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
	case JSON_TRUE: lua_pushboolean(L, 1); break;
	case JSON_FALSE: lua_pushboolean(L, 0); break;
	case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
	case JSON_STRING:
		if (json_wide(value, &wide))
			push_wide(L, wide);
		else if (json_whole(value, &start, &length))
			push_whole(L, start, length);
		else
			lua_pushlstring(L, json_string_value(value), json_string_length(value));
		break;
	}
}

/* ---- C memory that a raise must not leak ---- */

static int free_guarded_buffer(lua_State *L)
{
	buffer_free(lua_touserdata(L, 1));
	return 0;
}

struct buffer *bridge_push_buffer(lua_State *L)
{
	struct buffer *buffer = lua_newuserdatauv(L, sizeof *buffer, 0);

	buffer_init(buffer, LIMIT_SCRIPT_MEMORY_BYTES);
	if (luaL_newmetatable(L, "providerd.buffer")) {
		lua_pushcfunction(L, free_guarded_buffer);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return buffer;
}

static int free_guarded_value(lua_State *L)
{
	json_t **value = lua_touserdata(L, 1);

	json_decref(*value);
	*value = NULL;
	return 0;
}

json_t **bridge_push_json(lua_State *L)
{
	json_t **value = lua_newuserdatauv(L, sizeof *value, 0);

	*value = NULL;
	if (luaL_newmetatable(L, "providerd.json")) {
		lua_pushcfunction(L, free_guarded_value);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return value;
}
