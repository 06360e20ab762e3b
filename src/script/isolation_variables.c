/* isolation_variables.c - upvalues that a script's functions may assign: what they were when they were loaded, set back after a call.
 *
 * The registry has a list of them: function, upvalue, value as it was loaded, function, ... A variable's place in it is 1, 4, 7, ... */
#include "script/isolation_parts.h"

#include <stdint.h>

#include <lauxlib.h>

#include "script/call.h"
#include "script/state.h"

static const char variables_key; /* its address is the key of the list */
static const char nothing;	 /* its address stands for nil among kept values */

void variables_open(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key) == LUA_TNIL) {
		lua_newtable(L);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &variables_key);
	}
	lua_pop(L, 1);
}

/* Pushes the value at `index`, or what stands for nil. */
static void push_kept(lua_State *L, int index)
{
	if (lua_isnil(L, index))
		lua_pushlightuserdata(L, (void *)(uintptr_t)&nothing);
	else
		lua_pushvalue(L, index);
}

void variables_watch(lua_State *L, int function, int upvalue)
{
	int value = lua_gettop(L);
	lua_Integer count;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	count = (lua_Integer)lua_rawlen(L, -1);
	lua_pushvalue(L, function);
	lua_rawseti(L, -2, count + 1);
	lua_pushinteger(L, upvalue);
	lua_rawseti(L, -2, count + 2);
	push_kept(L, value);
	lua_rawseti(L, -2, count + 3);
	lua_pop(L, 1);
	script_state_of(L)->variables++;
}

/* Sets the variable of this place of the list below to the kept value on top (popped). */
static void set_variable(lua_State *L, lua_Integer place)
{
	int upvalue;

	if (lua_islightuserdata(L, -1) && lua_touserdata(L, -1) == &nothing) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
	lua_rawgeti(L, -2, place + 1);
	upvalue = (int)lua_tointeger(L, -1);
	lua_pop(L, 1);
	lua_rawgeti(L, -2, place);
	lua_insert(L, -2);
	lua_setupvalue(L, -2, upvalue);
	lua_pop(L, 1);
}

/* Pushes the value of the variable as it is; false when it is as it was loaded, and nothing is pushed. */
static bool push_changed(lua_State *L, lua_Integer place)
{
	bool same;

	lua_rawgeti(L, -1, place);
	lua_rawgeti(L, -2, place + 1);
	lua_getupvalue(L, -2, (int)lua_tointeger(L, -1)); /* list, function, number, value */
	lua_rawgeti(L, -4, place + 2);
	same = lua_isnil(L, -2) ? lua_touserdata(L, -1) == &nothing : lua_rawequal(L, -1, -2);
	lua_pop(L, 1);
	if (same) {
		lua_pop(L, 3);
		return false;
	}
	lua_remove(L, -2);
	lua_remove(L, -2);
	return true;
}

void variables_set_back(lua_State *L)
{
	lua_Integer count = 3 * (lua_Integer)script_state_of(L)->variables;

	if (count == 0)
		return;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	for (lua_Integer place = 1; place < count; place += 3) {
		if (!push_changed(L, place))
			continue;
		lua_pop(L, 1);
		lua_rawgeti(L, -1, place + 2);
		set_variable(L, place);
	}
	lua_pop(L, 1);
}

void variables_keep(lua_State *L, struct script_call *call)
{
	lua_Integer count = 3 * (lua_Integer)script_state_of(L)->variables;
	int list = lua_gettop(L) + 1;
	bool changed;

	if (count == 0)
		return;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	for (lua_Integer place = 1; place < count; place += 3) {
		changed = push_changed(L, place);
		if (!changed && call->own_reference == LUA_NOREF)
			continue;
		isolation_push_own(L, call);
		if (changed)
			push_kept(L, -2);
		else
			lua_pushnil(L); /* it may have been changed before */
		lua_rawseti(L, -2, place);
		lua_settop(L, list);
	}
	lua_settop(L, list - 1);
}

void variables_put(lua_State *L, int own)
{
	int list = lua_gettop(L) + 1;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	for (lua_pushnil(L); lua_next(L, own) != 0;) { /* place, value */
		if (!lua_isinteger(L, -2)) {
			lua_pop(L, 1);
			continue;
		}
		lua_pushvalue(L, list);
		lua_insert(L, -2);
		set_variable(L, lua_tointeger(L, -3));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}
