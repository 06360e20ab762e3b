/* sandbox.c - what a script can reach, and nothing else.
 *
 * What is not named here is absent: load, dofile, io, os, debug, coroutine, collectgarbage, xpcall, getmetatable, raw*, print, warn.
 * setmetatable only makes classes. xpcall and metatables are not there because no hook stops a message handler or a __gc that loops. What
 * loops inside C counts its steps (string_functions.c, table_functions.c, bridge_write.c), reads its arguments once, or is absent; a file is
 * compiled in pieces. Library tables are read-only, and what a script keeps is isolation.c's: no call can leave something behind for the next. */
#include "script/sandbox.h"

#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/bridge.h"
#include "script/isolation.h"
#include "script/library.h"
#include "script/state.h"
#include "script/string_functions.h"
#include "script/table_functions.h"

#define MOST_CLASSES 64
#define MOST_PCALLS 64 /* one within the other */

static const char environment_key, modules_key; /* their addresses are the registry keys */

static const char *const base_names[] = { "assert", "error", "ipairs", "select", "tonumber", "tostring", "type", NULL };
static const char *const string_names[] = { "byte", "char", "format", "len", "lower", "upper", "reverse", "sub", "pack",
	"packsize", "unpack", "find", "match", "gmatch", "gsub", "rep", NULL };
static const char *const table_names[] = { "concat", "insert", "pack", "remove", "sort", "unpack", NULL };
static const char *const math_names[] = { "abs", "ceil", "floor", "fmod", "huge", "max", "maxinteger", "min", "mininteger",
	"modf", "pi", "sqrt", "tointeger", "type", "ult", "exp", "log", NULL };
static const char *const utf8_names[] = { "char", "charpattern", "codepoint", "len", "offset", "codes", NULL };

/* ---- frozen tables ---- */

static int refuse_global_assignment(lua_State *L)
{
	return luaL_error(L, "assignment to global '%s': use a local", luaL_tolstring(L, 2, NULL));
}

static int refuse_unknown_global(lua_State *L)
{
	return luaL_error(
		L, "undeclared global '%s' (docs/provider-scripts.md lists what a script may use)", luaL_tolstring(L, 2, NULL));
}

/* Copies the named fields of the table at `from` into the one on top. [-0, +0, m] */
static void copy_fields(lua_State *L, int from, const char *const *names)
{
	from = lua_absindex(L, from);
	for (; *names != NULL; names++) {
		lua_getfield(L, from, *names);
		lua_setfield(L, -2, *names);
	}
}

/* Adds a standard library to the environment on top, only the named functions of it. `replace` puts ours in their place first. [-0, +0, m] */
static void add_library(
	lua_State *L, const char *name, lua_CFunction open, void (*replace)(lua_State *L), const char *const *names)
{
	luaL_requiref(L, name, open, 0);
	if (replace != NULL)
		replace(L);
	lua_newtable(L);
	copy_fields(L, -2, names);
	isolation_make_read_only(L);
	lua_setfield(L, -3, name);
	lua_pop(L, 1);
}

/* ("x"):upper() finds the functions that string.upper is. [-0, +0, m] */
static void set_text_methods(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_getfield(L, -3, "string");
	lua_setfield(L, -2, "__index");
	lua_pop(L, 2);
}

/* ---- pcall ---- */

/* The library's pcall, but a stop goes through it, and it nests only so deep: unwinding thousands of them takes Lua minutes. */
static int finish_pcall(lua_State *L, int status, lua_KContext depth)
{
	struct script_state *state = script_state_of(L);

	state->pcall_depth = (int)depth;
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L);
	if (status == LUA_ERRMEM)
		state->stop = script_memory_stop(state);
	if (state->stop != SCRIPT_RUNNING)
		return lua_error(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int sandbox_pcall(lua_State *L)
{
	struct script_state *state = script_state_of(L);
	int depth = state->pcall_depth;

	luaL_checkany(L, 1);
	if (depth == MOST_PCALLS)
		return luaL_error(L, "pcall: more than %d within each other", MOST_PCALLS);
	state->pcall_depth = depth + 1;
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	return finish_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, depth, finish_pcall), depth);
}

/* ---- setmetatable, for classes only ---- */

/* A metatable that a script may use has __index = table and nothing else: no __gc, __close or __mode, which would run or change things behind
 * a hook's back. The one that is set is a private copy, so nothing can be added to it later. [-0, +1, e] */
static void push_new_copy(lua_State *L, int class)
{
	lua_pushvalue(L, class);
	isolation_plain(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "__index") != 0 || !lua_istable(L, -1))
			luaL_error(L, "setmetatable: only { __index = table } is allowed");
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "__index");
	lua_pushvalue(L, -1);
	lua_rawget(L, -4);
	lua_rawset(L, -3);
	lua_remove(L, -2);
}

/* Of a class that is as it was loaded one copy serves all objects. What a call makes, or changes, is not kept beyond it. */
static void push_class_copy(lua_State *L, int class)
{
	if (!isolation_is_pristine(L, class)) {
		push_new_copy(L, class);
		return;
	}
	lua_pushvalue(L, class);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	push_new_copy(L, class);
	if (++*(int *)lua_touserdata(L, lua_upvalueindex(2)) > MOST_CLASSES)
		return; /* made anew each time from here on */
	lua_pushvalue(L, class);
	lua_pushvalue(L, -2);
	lua_rawset(L, lua_upvalueindex(1));
}

static int class_setmetatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	if (lua_getmetatable(L, 1))
		return luaL_error(L, "setmetatable: this table has a metatable already");
	push_class_copy(L, 2);
	lua_setmetatable(L, 1);
	lua_settop(L, 1);
	return 1;
}

static void add_setmetatable(lua_State *L)
{
	lua_newtable(L);
	*(int *)lua_newuserdatauv(L, sizeof(int), 0) = 0;
	lua_pushcclosure(L, class_setmetatable, 2);
	lua_setfield(L, -2, "setmetatable");
}

/* ---- require ---- */

static int run_module(lua_State *L, const char *name, size_t length)
{
	struct script_state *state = script_state_of(L);
	const struct script_module *module;
	struct error error;

	if (script_library_find(state->library, name, length, &module, &error) != ERROR_NONE)
		return luaL_error(L, "require: %s", error.message);
	if (sandbox_load(L, module->text, module->length, lua_pushfstring(L, "@%s", module->file)) != LUA_OK)
		return lua_error(L);
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	if (!state->remembers)
		isolation_seal_module(L, module->file);
	return 1;
}

static int sandbox_require(lua_State *L)
{
	size_t length;
	const char *name = luaL_checklstring(L, 1, &length);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
	if (lua_getfield(L, -1, name) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);
	run_module(L, name, length);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, 1);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, 2, name);
	return 1;
}

/* ---- the environment ---- */

void sandbox_push_environment(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
}

static void add_modules(lua_State *L)
{
	lua_newtable(L);
	bridge_push_module(L);
	isolation_make_read_only(L);
	lua_setfield(L, -2, "cjson");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
}

void sandbox_add_module(lua_State *L, const char *name)
{
	isolation_make_read_only(L);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
	lua_insert(L, -2);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

void sandbox_build(lua_State *L)
{
	bridge_open(L);
	lua_newtable(L);
	luaL_requiref(L, "_G", luaopen_base, 0);
	lua_pushvalue(L, -2);
	copy_fields(L, -2, base_names);
	lua_pop(L, 2);
	add_library(L, "string", luaopen_string, string_functions_open, string_names);
	set_text_methods(L);
	add_library(L, "table", luaopen_table, table_functions_open, table_names);
	add_library(L, "math", luaopen_math, NULL, math_names);
	add_library(L, "utf8", luaopen_utf8, NULL, utf8_names);
	lua_pushcfunction(L, sandbox_require);
	lua_setfield(L, -2, "require");
	lua_pushcfunction(L, sandbox_pcall);
	lua_setfield(L, -2, "pcall");
	lua_pushcfunction(L, isolation_next);
	lua_setfield(L, -2, "next");
	lua_pushcfunction(L, isolation_pairs);
	lua_setfield(L, -2, "pairs");
	add_setmetatable(L);
	add_modules(L);

	/* the environment itself: reads of unknown names and any write are errors with a hint */
	lua_newtable(L);
	lua_createtable(L, 0, 3);
	lua_pushvalue(L, -3);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, refuse_unknown_global);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, refuse_global_assignment);
	lua_setfield(L, -2, "__newindex");
	isolation_mark_shell(L);
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

/* A text that the compiler gets in pieces: some texts take it a time that grows with their square, and it looks at nothing meanwhile. */
struct source {
	const char *text;
	size_t left;
};

#define PIECE_BYTES 512
#define STEPS_OF_A_BYTE 4

static const char *next_piece(lua_State *L, void *context, size_t *length)
{
	struct source *source = context;
	const char *piece = source->text;

	*length = source->left < PIECE_BYTES ? source->left : PIECE_BYTES;
	script_spend(L, *length * STEPS_OF_A_BYTE);
	source->text += *length;
	source->left -= *length;
	return *length > 0 ? piece : NULL;
}

int sandbox_load(lua_State *L, const char *text, size_t length, const char *chunk)
{
	struct source source = { .text = text, .left = length };
	int status = lua_load(L, next_piece, &source, chunk, "t");

	if (status == LUA_OK) {
		sandbox_push_environment(L);
		lua_setupvalue(L, -2, 1);
	}
	return status;
}
