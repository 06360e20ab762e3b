/* isolation.c - what a call writes: its own contents of the script's tables, put in place while it runs.
 *
 * What a shell is stands in isolation_parts.h. */
#include "script/isolation_parts.h"

#include <lauxlib.h>

#include "script/call.h"
#include "script/state.h"

void isolation_push_own(lua_State *L, struct script_call *call)
{
	if (call->own_reference == LUA_NOREF) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		call->own_reference = luaL_ref(L, LUA_REGISTRYINDEX);
	} else {
		lua_rawgeti(L, LUA_REGISTRYINDEX, call->own_reference);
	}
}

/* Replaces the contents on top by a copy of them: the same items, and the same class. */
static void copy_contents(lua_State *L)
{
	lua_createtable(L, (int)lua_rawlen(L, -1), 0);
	for (lua_pushnil(L); lua_next(L, -3) != 0; lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5);
		script_spend(L, 1);
	}
	if (lua_getmetatable(L, -2))
		lua_setmetatable(L, -2);
	lua_remove(L, -2);
}

/* Pushes the contents of the shell at `index` that the running call may write to. */
static void push_own_contents(lua_State *L, int index)
{
	struct script_call *call = script_state_of(L)->call;

	if (call == NULL || call->thread == NULL)
		luaL_error(L, "a table of the script cannot be changed now");
	isolation_push_own(L, call);
	lua_pushvalue(L, index);
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pop(L, 1);
		shell_push_loaded(L, index);
		copy_contents(L);
		lua_pushvalue(L, index);
		lua_pushvalue(L, -2);
		lua_rawset(L, -4);
		shell_lead_to(L, index, -1);
	}
	lua_remove(L, -2);
}

int isolation_write_own(lua_State *L)
{
	push_own_contents(L, 1);
	lua_insert(L, 2);
	lua_rawset(L, 2);
	return 0;
}

bool isolation_own(lua_State *L, int index)
{
	bool writable;

	index = lua_absindex(L, index);
	if (!shell_is(L, index))
		return true;
	lua_getmetatable(L, index);
	lua_getfield(L, -1, "__newindex");
	writable = lua_tocfunction(L, -1) == isolation_write_own;
	lua_pop(L, 2);
	if (!writable)
		return false;
	push_own_contents(L, index);
	lua_replace(L, index);
	return true;
}

/* ---- around a stretch of a call ---- */

/* Makes the shells that the call has written to lead to its own contents, or to those that were loaded. */
static void lead_all(lua_State *L, int own, bool to_own)
{
	for (lua_pushnil(L); lua_next(L, own) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TTABLE)
			continue;
		if (to_own) {
			shell_lead_to(L, lua_gettop(L) - 1, -1);
		} else {
			shell_push_loaded(L, lua_gettop(L) - 1);
			shell_lead_to(L, lua_gettop(L) - 2, -1);
			lua_pop(L, 1);
		}
	}
}

void isolation_enter(struct script_call *call)
{
	lua_State *L = call->instance->state->L;
	int own = lua_gettop(L) + 1;

	if (call->own_reference == LUA_NOREF)
		return;
	lua_rawgeti(L, LUA_REGISTRYINDEX, call->own_reference);
	lead_all(L, own, true);
	variables_put(L, own);
	lua_pop(L, 1);
}

void isolation_leave(struct script_call *call, bool keep)
{
	lua_State *L = call->instance->state->L;

	if (keep)
		variables_keep(L, call);
	variables_set_back(L);
	if (call->own_reference == LUA_NOREF)
		return;
	lua_rawgeti(L, LUA_REGISTRYINDEX, call->own_reference);
	lead_all(L, lua_gettop(L), false);
	lua_pop(L, 1);
	if (!keep) {
		luaL_unref(L, LUA_REGISTRYINDEX, call->own_reference);
		call->own_reference = LUA_NOREF;
	}
}
