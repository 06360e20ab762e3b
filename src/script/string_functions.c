/* string_functions.c - string functions whose time is not that of a copy: each counts what it is going to do, or does it in steps.
 *
 * Those that only read their arguments once (byte, len, sub, char) are Lua's own: they take some milliseconds at most, for a text of all the memory
 * that a script may have. */
#include "script/string_functions.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/limits.h"
#include "script/pattern.h"
#include "script/state.h"

#define STEPS_OF_A_CONVERSION 64 /* a number of 300 digits is long to write */

/* Lua's own function is the closure's upvalue. It has none itself, so it runs in its place: arguments, results and errors are its own. */
static int run_original(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* The bytes of all text arguments together: the same text counts as often as it is given. */
static size_t count_bytes(lua_State *L)
{
	size_t bytes = 0;

	for (int i = lua_gettop(L); i > 0; i--)
		if (lua_type(L, i) == LUA_TSTRING)
			bytes += lua_rawlen(L, i);
	return bytes;
}

/* A conversion with a precision reads a text of which it shows nothing: a long text given a thousand times is read a thousand times. */
static int sandbox_format(lua_State *L)
{
	size_t bytes = count_bytes(L);

	script_spend(L, bytes / SCRIPT_BYTES_OF_A_STEP + (size_t)lua_gettop(L) * STEPS_OF_A_CONVERSION);
	if (bytes > LIMIT_SCRIPT_MEMORY_BYTES)
		return luaL_error(L, "string.format: the texts are together longer than %d bytes", LIMIT_SCRIPT_MEMORY_BYTES);
	return run_original(L);
}

/* What goes through its arguments once. */
static int run_counted(lua_State *L)
{
	script_spend(L, count_bytes(L) / 32);
	return run_original(L);
}

/* Fills `length` bytes with the first `unit` of them, which are there already. */
static void repeat_beginning(lua_State *L, char *text, size_t unit, size_t length)
{
	size_t done = unit, piece;

	for (; done < length; done += piece) {
		piece = done < length - done ? done : length - done;
		memcpy(text + done, text, piece);
	}
	script_spend(L, length / SCRIPT_BYTES_OF_A_STEP);
}

static int sandbox_rep(lua_State *L)
{
	size_t length, separator_length, unit, total;
	const char *text = luaL_checklstring(L, 1, &length);
	lua_Integer count = luaL_checkinteger(L, 2);
	const char *separator = luaL_optlstring(L, 3, "", &separator_length);
	luaL_Buffer out;
	char *to;

	if (count > LIMIT_SCRIPT_MEMORY_BYTES)
		return luaL_error(L, "string.rep: more than %d repetitions", LIMIT_SCRIPT_MEMORY_BYTES);
	unit = length + separator_length;
	if (count <= 0 || unit == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if (unit > (size_t)INT_MAX / (size_t)count)
		return luaL_error(L, "resulting string too large");
	total = unit * (size_t)count - separator_length;
	to = luaL_buffinitsize(L, &out, total);
	memcpy(to, text, length);
	if (count > 1) {
		memcpy(to + length, separator, separator_length);
		repeat_beginning(L, to, unit, total);
	}
	luaL_pushresultsize(&out, total);
	return 1;
}

void string_functions_open(lua_State *L)
{
	static const luaL_Reg counted[] = { { "format", sandbox_format }, { "lower", run_counted }, { "pack", run_counted },
		{ "packsize", run_counted }, { "reverse", run_counted }, { "unpack", run_counted }, { "upper", run_counted },
		{ NULL, NULL } };

	for (const luaL_Reg *entry = counted; entry->name != NULL; entry++) {
		lua_getfield(L, -1, entry->name);
		lua_pushcclosure(L, entry->func, 1);
		lua_setfield(L, -2, entry->name);
	}
	lua_pushcfunction(L, sandbox_rep);
	lua_setfield(L, -2, "rep");
	pattern_open(L);
}
