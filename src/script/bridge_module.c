/* bridge_module.c - what scripts get of require "cjson". */
#include "script/bridge_parts.h"

#include <lauxlib.h>

#include "base/json.h"
#include "script/isolation.h"
#include "script/state.h"

static int module_encode(lua_State *L)
{
	struct buffer *out;

	luaL_checkany(L, 1);
	out = bridge_push_buffer(L);
	bridge_write(L, 1, out);
	lua_pushlstring(L, out->data, out->length);
	buffer_free(out);
	return 1;
}

static int module_decode(lua_State *L)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	struct error error;

	script_spend(L, length);
	if (bridge_read(L, text, length, &error))
		return 1;
	if (error.code == ERROR_MEMORY)
		script_stop_starved(L);
	return luaL_error(L, "%s", error.message);
}

/* The JSON of a value as bytes that stay in C. */
static int module_bytes(lua_State *L)
{
	struct held *held;

	luaL_checkany(L, 1);
	held = bridge_push_held(L, false);
	bridge_write(L, 1, &held->bytes);
	script_state_of(L)->bytes_held += held->bytes.capacity;
	return 1;
}

/* Whether a value is a part of an answer that was left whole. */
static int module_is_whole(lua_State *L)
{
	const struct held *held = lua_gettop(L) > 0 ? bridge_held(L, 1) : NULL;

	lua_pushboolean(L, held != NULL && held->json);
	return 1;
}

static int module_array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	isolation_plain(L, 2);
	if (bridge_is_marked(L, 2)) {
		lua_settop(L, 1);
		return 1;
	}
	lua_copy(L, 1, 2);
	if (!isolation_own(L, 2) || lua_getmetatable(L, 2))
		return luaL_error(L, "cjson.array: this table has a metatable already");
	bridge_mark_array(L);
	lua_settop(L, 1);
	return 1;
}

static int module_is_array(lua_State *L)
{
	bool array = false;

	lua_settop(L, 1);
	if (lua_istable(L, 1)) {
		isolation_plain(L, 1);
		array = lua_rawlen(L, 1) > 0 || bridge_is_marked(L, 1);
	}
	lua_pushboolean(L, array);
	return 1;
}

void bridge_push_module(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "encode", module_encode },
		{ "decode", module_decode },
		{ "array", module_array },
		{ "is_array", module_is_array },
		{ "bytes", module_bytes },
		{ "is_whole", module_is_whole },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
}
