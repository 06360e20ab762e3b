/* isolation_shell.c - shells: tables that lead to their contents, with next and pairs that see these. Any thread that has the state. */
#include "script/isolation_parts.h"

#include <lauxlib.h>

#include "script/state.h"

/* In a shell's metatable, beside __index and found faster than that: the contents as they were loaded, and those that it leads to now. No other metatable of
 * a table has list items. */
enum { LOADED_CONTENTS = 1, CONTENTS };

int shell_refuse_write(lua_State *L)
{
	return luaL_error(L, "this table is read-only (assignment to '%s')", luaL_tolstring(L, 2, NULL));
}

static int shell_length(lua_State *L)
{
	isolation_plain(L, 1);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
	return 1;
}

void isolation_mark_shell(lua_State *L)
{
	lua_getfield(L, -1, "__index");
	lua_pushvalue(L, -1);
	lua_rawseti(L, -3, LOADED_CONTENTS);
	lua_rawseti(L, -2, CONTENTS);
}

/* Pushes the metatable of a shell and the contents as they were loaded; nothing when it is no shell. */
static bool push_shell_parts(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
		return false;
	if (lua_rawgeti(L, -1, LOADED_CONTENTS) == LUA_TTABLE)
		return true;
	lua_pop(L, 2);
	return false;
}

bool shell_push_loaded(lua_State *L, int index)
{
	if (!push_shell_parts(L, index))
		return false;
	lua_remove(L, -2);
	return true;
}

bool shell_is(lua_State *L, int index)
{
	bool is = push_shell_parts(L, index);

	if (is)
		lua_pop(L, 2);
	return is;
}

bool isolation_is_pristine(lua_State *L, int index)
{
	bool pristine;

	if (!push_shell_parts(L, index))
		return false;
	lua_rawgeti(L, -2, CONTENTS);
	pristine = lua_rawequal(L, -1, -2);
	lua_pop(L, 3);
	return pristine;
}

void isolation_plain(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (!push_shell_parts(L, index))
		return;
	lua_rawgeti(L, -2, CONTENTS);
	lua_replace(L, index);
	lua_pop(L, 2);
}

void shell_lead_to(lua_State *L, int shell, int contents)
{
	contents = lua_absindex(L, contents);
	lua_getmetatable(L, shell);
	lua_pushliteral(L, "__index");
	lua_pushvalue(L, contents);
	lua_rawset(L, -3);
	lua_pushvalue(L, contents);
	lua_rawseti(L, -2, CONTENTS);
	lua_pop(L, 1);
}

void shell_push_new(lua_State *L, int index, lua_CFunction on_write)
{
	index = lua_absindex(L, index);
	lua_createtable(L, 0, 0);
	lua_createtable(L, CONTENTS, 3);
	lua_pushvalue(L, index);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, on_write);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, shell_length);
	lua_setfield(L, -2, "__len");
	isolation_mark_shell(L);
	lua_setmetatable(L, -2);
}

void isolation_make_read_only(lua_State *L)
{
	shell_push_new(L, -1, shell_refuse_write);
	lua_remove(L, -2);
}

/* ---- next and pairs ---- */

/* The next key of the table at `table` after the one on top (popped) whose value is not nil in the contents at `values` and, with `except`, that
 * is not in that table. Pushes key and value. */
static bool next_key(lua_State *L, int table, int values, int except)
{
	while (lua_next(L, table) != 0) {
		script_spend(L, 1);
		lua_pop(L, 1);
		if (except != 0) {
			lua_pushvalue(L, -1);
			if (lua_rawget(L, except) != LUA_TNIL) {
				lua_pop(L, 1);
				continue;
			}
			lua_pop(L, 1);
		}
		lua_pushvalue(L, -1);
		if (lua_rawget(L, values) != LUA_TNIL)
			return true;
		lua_pop(L, 1);
	}
	return false;
}

enum { METATABLE = 3, LOADED, OWN }; /* of a shell at 1, the key at 2 */

/* The order of a shell's keys is that of the contents as they were loaded, then come the new ones: a loop that writes, and so makes the call's own
 * contents on its way, goes on where it was. */
static int next_of_shell(lua_State *L)
{
	bool new_key = false;

	lua_rawgeti(L, METATABLE, CONTENTS);
	lua_pushvalue(L, 2);
	if (!lua_isnil(L, 2)) {
		lua_pushvalue(L, 2);
		new_key = lua_rawget(L, LOADED) == LUA_TNIL;
		lua_pop(L, 1);
	}
	if (lua_rawequal(L, LOADED, OWN)) /* nobody wrote to it */
		return !new_key && lua_next(L, LOADED) != 0 ? 2 : 0;
	if (!new_key && next_key(L, LOADED, OWN, 0))
		return 2;
	if (!new_key)
		lua_pushnil(L);
	return next_key(L, OWN, OWN, LOADED) ? 2 : 0;
}

int isolation_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (push_shell_parts(L, 1)) {
		if (next_of_shell(L) == 2)
			return 2;
	} else if (lua_next(L, 1) != 0) {
		return 2;
	}
	lua_pushnil(L);
	return 1;
}

/* What is no shell never becomes one: a loop over it asks once. */
static int next_of_plain(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (lua_next(L, 1) != 0)
		return 2;
	lua_pushnil(L);
	return 1;
}

int isolation_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushcfunction(L, shell_is(L, 1) ? isolation_next : next_of_plain);
	lua_insert(L, 1);
	lua_pushnil(L);
	return 3;
}
