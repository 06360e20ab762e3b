/* table_functions.c - insert, remove, concat, unpack and sort, which loop over as much as a script says.
 *
 * A table with powers of two as keys has a length of 2^61 and thirty items; one with a class has items that are looked up through two thousand
 * others. So the loops are here, and each turn of them counts. Every access is one that Lua's own functions make: read-only tables stay so. */
#include "script/table_functions.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "script/state.h"

static lua_Integer table_length(lua_State *L, int table)
{
	luaL_checktype(L, table, LUA_TTABLE);
	return luaL_len(L, table);
}

/* t[to] = t[from], for the table at 1 */
static void copy_item(lua_State *L, lua_Integer from, lua_Integer to)
{
	script_spend(L, 1);
	lua_geti(L, 1, from);
	lua_seti(L, 1, to);
}

static int sandbox_insert(lua_State *L)
{
	lua_Integer end = (lua_Integer)((lua_Unsigned)table_length(L, 1) + 1), position = end;
	int arguments = lua_gettop(L);

	if (arguments != 2 && arguments != 3)
		return luaL_error(L, "wrong number of arguments to 'insert'");
	if (arguments == 3) {
		position = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
		for (lua_Integer i = end; i > position; i--)
			copy_item(L, i - 1, i);
	}
	lua_seti(L, 1, position);
	return 0;
}

static int sandbox_remove(lua_State *L)
{
	lua_Integer size = table_length(L, 1), position = luaL_optinteger(L, 2, size);

	if (position != size) /* one behind the last is allowed */
		luaL_argcheck(
			L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 1, "position out of bounds"); /* 1: as Lua says */
	lua_geti(L, 1, position);
	for (; position < size; position++)
		copy_item(L, position + 1, position);
	lua_pushnil(L);
	lua_seti(L, 1, position);
	return 1;
}

static void concat_item(lua_State *L, luaL_Buffer *out, lua_Integer index)
{
	script_spend(L, 1);
	lua_geti(L, 1, index);
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)index);
	luaL_addvalue(out);
}

static int sandbox_concat(lua_State *L)
{
	lua_Integer size = table_length(L, 1), first, last;
	size_t separator_length;
	const char *separator = luaL_optlstring(L, 2, "", &separator_length);
	luaL_Buffer out;

	first = luaL_optinteger(L, 3, 1);
	last = luaL_optinteger(L, 4, size);
	luaL_buffinit(L, &out);
	for (; first < last; first++) {
		concat_item(L, &out, first);
		luaL_addlstring(&out, separator, separator_length);
	}
	if (first == last)
		concat_item(L, &out, first);
	luaL_pushresult(&out);
	return 1;
}

/* Like Lua's it takes anything that can be indexed. */
static int sandbox_unpack(lua_State *L)
{
	lua_Integer first = luaL_optinteger(L, 2, 1);
	lua_Integer last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
	lua_Unsigned count;

	if (first > last)
		return 0;
	count = (lua_Unsigned)last - (lua_Unsigned)first;
	if (count >= (unsigned)INT_MAX || !lua_checkstack(L, (int)(count + 1)))
		return luaL_error(L, "too many results to unpack");
	for (lua_Unsigned i = 0; i <= count; i++) {
		script_spend(L, 1);
		lua_geti(L, 1, (lua_Integer)((lua_Unsigned)first + i));
	}
	return (int)(count + 1);
}

/* ---- sort: Lua's own, whose work is in its comparisons ---- */

/* Whether a text comes before another, byte by byte: no locale is set, so this is Lua's order. */
static bool is_text_less(lua_State *L)
{
	size_t length, other_length;
	const char *text = lua_tolstring(L, 1, &length), *other = lua_tolstring(L, 2, &other_length);

	script_spend(L, (length < other_length ? length : other_length) / SCRIPT_BYTES_OF_A_STEP);
	return text_compare(text, length, other, other_length) < 0;
}

static int is_less(lua_State *L)
{
	script_spend(L, 1);
	if (lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING)
		lua_pushboolean(L, is_text_less(L));
	else
		lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
	return 1;
}

/* A comparator of C runs no instruction that would be counted. */
static int compare_by_c(lua_State *L)
{
	script_spend(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

static int sandbox_sort(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_isnil(L, 2)) {
		lua_pushcfunction(L, is_less);
		lua_replace(L, 2);
	} else if (lua_iscfunction(L, 2)) {
		lua_pushcclosure(L, compare_by_c, 1);
	}
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void table_functions_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "insert", sandbox_insert }, { "remove", sandbox_remove },
		{ "concat", sandbox_concat }, { "unpack", sandbox_unpack }, { NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
	lua_getfield(L, -1, "sort");
	lua_pushcclosure(L, sandbox_sort, 1);
	lua_setfield(L, -2, "sort");
}
