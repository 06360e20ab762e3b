/* isolation_seal.c - walks over all that can be reached from a script's functions, or a module's value, and puts a shell in the place of each
 * table. The loader's thread; the engine's when a module is required in a call. */
#include "script/isolation_parts.h"

#include <lauxlib.h>

#include "base/buffer.h"
#include "script/bridge.h"
#include "script/bytecode.h"
#include "script/state.h"

/* On the stack: what was found and waits to be looked into; what was found, with the shells of tables; the variables that are watched, by
 * their identity. */
struct walk {
	lua_State *L;
	int pending, found, watched;
	lua_Integer pending_count;
	lua_CFunction on_write;
	const char *what; /* whose, for messages */
};

static void begin_walk(struct walk *walk, lua_State *L, lua_CFunction on_write, const char *what)
{
	luaL_checkstack(L, 20, NULL);
	*walk = (struct walk){ .L = L, .on_write = on_write, .what = what, .pending = lua_gettop(L) + 1 };
	walk->found = walk->pending + 1;
	walk->watched = walk->pending + 2;
	lua_newtable(L);
	lua_newtable(L);
	lua_newtable(L);
}

static void note_pending(struct walk *walk, int index)
{
	lua_pushvalue(walk->L, index);
	lua_rawseti(walk->L, walk->pending, ++walk->pending_count);
}

/* The value on top was found. A table is replaced by its shell: then this is true. */
static bool find_value(struct walk *walk)
{
	lua_State *L = walk->L;
	int type = lua_type(L, -1);

	if ((type != LUA_TTABLE && type != LUA_TFUNCTION) || shell_is(L, -1))
		return false;
	lua_pushvalue(L, -1);
	if (lua_rawget(L, walk->found) != LUA_TNIL) {
		lua_remove(L, -2);
		return type == LUA_TTABLE;
	}
	lua_pop(L, 1);
	note_pending(walk, -1);
	if (type == LUA_TTABLE)
		shell_push_new(L, -1, walk->on_write);
	else
		lua_pushvalue(L, -1);
	lua_pushvalue(L, -2);
	lua_pushvalue(L, -2);
	lua_rawset(L, walk->found);
	lua_remove(L, -2);
	return type == LUA_TTABLE;
}

/* Shells take the places of tables that are keys. The keys are collected first: a table must not get new keys while it is walked. */
static void replace_keys(struct walk *walk, int table, int keys)
{
	lua_State *L = walk->L;

	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, keys); i++) {
		lua_rawgeti(L, keys, i);
		lua_pushvalue(L, -1);
		lua_rawget(L, table); /* key, value */
		lua_pushvalue(L, -2);
		lua_pushnil(L);
		lua_rawset(L, table);
		lua_insert(L, -2); /* value, key */
		find_value(walk);
		lua_insert(L, -2); /* shell, value */
		lua_rawset(L, table);
	}
}

static void walk_items(struct walk *walk, int table)
{
	lua_State *L = walk->L;
	int keys = 0;

	for (lua_pushnil(L); lua_next(L, table) != 0;) {
		if (find_value(walk)) {
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, table);
		} else {
			lua_pop(L, 1);
		}
		if (lua_type(L, -1) == LUA_TFUNCTION || (lua_type(L, -1) == LUA_TTABLE && !shell_is(L, -1))) {
			if (keys == 0) {
				lua_newtable(L);
				lua_insert(L, -2);
				keys = lua_gettop(L) - 1;
			}
			lua_pushvalue(L, -1);
			lua_rawseti(L, keys, (lua_Integer)lua_rawlen(L, keys) + 1);
		}
	}
	if (keys != 0) {
		replace_keys(walk, table, keys);
		lua_remove(L, keys);
	}
}

/* A class's methods are reached by its objects' metatable. */
static void walk_table(struct walk *walk, int table)
{
	lua_State *L = walk->L;

	walk_items(walk, table);
	if (!lua_getmetatable(L, table))
		return;
	lua_pushliteral(L, "__index");
	if (lua_rawget(L, -2) == LUA_TTABLE && find_value(walk)) {
		lua_pushliteral(L, "__index");
		lua_insert(L, -2);
		lua_rawset(L, -3);
	} else {
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static int append_dump(lua_State *L, const void *bytes, size_t length, void *buffer)
{
	(void)L;
	buffer_append(buffer, bytes, length);
	return 0;
}

/* Which upvalues of the function at `function` are assigned by it or by one inside it. All, if that cannot be told. */
static void find_assigned(lua_State *L, int function, bool assigned[BYTECODE_UPVALUES])
{
	struct buffer *dump = bridge_push_buffer(L);

	lua_pushvalue(L, function);
	lua_dump(L, append_dump, dump, 1);
	script_check_buffer(L, dump);
	if (!bytecode_assigned_upvalues(dump->data, dump->length, assigned))
		for (int i = 0; i < BYTECODE_UPVALUES; i++)
			assigned[i] = true;
	buffer_free(dump);
	lua_pop(L, 2);
}

/* The variable, whose value is on top, is set back from now on: once, though several functions share it. */
static void watch_once(struct walk *walk, int function, int upvalue)
{
	lua_State *L = walk->L;
	void *identity = lua_upvalueid(L, function, upvalue);
	bool watched = lua_rawgetp(L, walk->watched, identity) != LUA_TNIL;

	lua_pop(L, 1);
	if (watched)
		return;
	lua_pushboolean(L, 1);
	lua_rawsetp(L, walk->watched, identity);
	variables_watch(L, function, upvalue);
}

static void walk_function(struct walk *walk, int function)
{
	lua_State *L = walk->L;
	bool assigned[BYTECODE_UPVALUES];

	if (lua_iscfunction(L, function)) {
		if (lua_getupvalue(L, function, 1) == NULL)
			return;
		if (lua_type(L, -1) == LUA_TSTRING)
			luaL_error(L, "%s: what string.gmatch returns is kept outside of functions: it goes on from call to call",
				walk->what);
		lua_pop(L, 1);
		return;
	}
	find_assigned(L, function, assigned);
	for (int i = 1; lua_getupvalue(L, function, i) != NULL; i++) {
		if (find_value(walk)) {
			lua_pushvalue(L, -1);
			lua_setupvalue(L, function, i);
		}
		if (i <= BYTECODE_UPVALUES && assigned[i - 1])
			watch_once(walk, function, i);
		lua_pop(L, 1);
	}
}

static void walk_all(struct walk *walk)
{
	lua_State *L = walk->L;

	while (walk->pending_count > 0) {
		script_spend(L, 1);
		lua_rawgeti(L, walk->pending, walk->pending_count);
		lua_pushnil(L);
		lua_rawseti(L, walk->pending, walk->pending_count--);
		if (lua_type(L, -1) == LUA_TTABLE)
			walk_table(walk, lua_gettop(L));
		else
			walk_function(walk, lua_gettop(L));
		lua_pop(L, 1);
	}
}

void isolation_seal_module(lua_State *L, const char *what)
{
	struct walk walk;
	int value = lua_gettop(L);

	variables_open(L);
	begin_walk(&walk, L, shell_refuse_write, what);
	lua_pushvalue(L, value);
	find_value(&walk);
	lua_replace(L, value);
	walk_all(&walk);
	lua_settop(L, value);
}

void isolation_seal_script(lua_State *L, const char *what)
{
	struct walk walk;
	int list = lua_gettop(L);

	variables_open(L);
	variables_set_back(L); /* those of modules: loading is no call */
	begin_walk(&walk, L, isolation_write_own, what);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
		lua_rawgeti(L, list, i);
		find_value(&walk);
		lua_pop(L, 1);
	}
	walk_all(&walk);
	lua_settop(L, list - 1);
}
