/* isolation.c - shells, each call's own contents, and variables that are set back. Engine thread; sealing: the loader's.
 *
 * A shell is an empty table, so every read of it goes by its metatable's __index, and every write by __newindex. The metatable also has
 * the contents as they were loaded; __index leads to these, or, while a call runs that has written, to this call's copy. Scripts can reach
 * neither (no getmetatable, rawget or debug), and pairs and next give the shell's keys, not the contents. */
#include "script/isolation.h"

#include <lauxlib.h>

#include "base/buffer.h"
#include "script/bridge.h"
#include "script/bytecode.h"
#include "script/call.h"
#include "script/sandbox.h"
#include "script/state.h"

static const char loaded_key;	 /* its address is the key, in a shell's metatable, of the contents as they were loaded */
static const char variables_key; /* in the registry: function, upvalue, value as it was loaded, function, ... */
static const char nothing;	 /* its address stands for nil among kept values */

/* ---- shells ---- */

static int refuse_assignment(lua_State *L)
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
	lua_rawsetp(L, -2, &loaded_key);
}

/* Pushes the contents of the shell at `index` as they were loaded; nothing when it is no shell. */
static bool push_loaded(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
		return false;
	if (lua_rawgetp(L, -1, &loaded_key) == LUA_TTABLE) {
		lua_remove(L, -2);
		return true;
	}
	lua_pop(L, 2);
	return false;
}

static bool is_shell(lua_State *L, int index)
{
	bool shell = push_loaded(L, index);

	if (shell)
		lua_pop(L, 1);
	return shell;
}

/* Pushes what a shell leads to now. */
static bool push_contents(lua_State *L, int index)
{
	if (!push_loaded(L, index))
		return false;
	lua_pop(L, 1);
	lua_getmetatable(L, index);
	lua_pushliteral(L, "__index");
	lua_rawget(L, -2);
	lua_remove(L, -2);
	return true;
}

bool isolation_is_pristine(lua_State *L, int index)
{
	bool pristine;

	index = lua_absindex(L, index);
	if (!push_loaded(L, index))
		return false;
	push_contents(L, index);
	pristine = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return pristine;
}

void isolation_plain(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (push_contents(L, index))
		lua_replace(L, index);
}

/* Pushes a shell for the contents at `index`. */
static void push_shell(lua_State *L, int index, lua_CFunction on_write)
{
	index = lua_absindex(L, index);
	lua_createtable(L, 0, 0);
	lua_createtable(L, 0, 4);
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
	push_shell(L, -1, refuse_assignment);
	lua_remove(L, -2);
}

/* ---- what a call writes ---- */

/* Pushes the call's own contents by shell, and the values of variables by their place. */
static void push_own(lua_State *L, struct script_call *call)
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

static void lead_to(lua_State *L, int shell, int contents)
{
	contents = lua_absindex(L, contents);
	lua_getmetatable(L, shell);
	lua_pushliteral(L, "__index");
	lua_pushvalue(L, contents);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

/* Pushes the contents of the shell at `index` that the running call may write to. */
static void push_own_contents(lua_State *L, int index)
{
	struct script_call *call = script_state_of(L)->call;

	if (call == NULL || call->thread == NULL)
		luaL_error(L, "a table of the script cannot be changed now");
	push_own(L, call);
	lua_pushvalue(L, index);
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pop(L, 1);
		push_loaded(L, index);
		copy_contents(L);
		lua_pushvalue(L, index);
		lua_pushvalue(L, -2);
		lua_rawset(L, -4);
		lead_to(L, index, -1);
	}
	lua_remove(L, -2);
}

static int write_own(lua_State *L)
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
	if (!is_shell(L, index))
		return true;
	lua_getmetatable(L, index);
	lua_getfield(L, -1, "__newindex");
	writable = lua_tocfunction(L, -1) == write_own;
	lua_pop(L, 2);
	if (!writable)
		return false;
	push_own_contents(L, index);
	lua_replace(L, index);
	return true;
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

/* The order of a shell's keys is that of the contents as they were loaded, then come the new ones: a loop that writes, and so makes the call's own
 * contents on its way, goes on where it was. */
static int next_of_shell(lua_State *L)
{
	enum { LOADED = 3, OWN };
	bool new_key = false;

	push_loaded(L, 1);
	push_contents(L, 1);
	lua_pushvalue(L, 2);
	if (!lua_isnil(L, 2)) {
		lua_pushvalue(L, 2);
		new_key = lua_rawget(L, LOADED) == LUA_TNIL;
		lua_pop(L, 1);
	}
	if (!new_key && next_key(L, LOADED, OWN, 0))
		return 2;
	if (lua_rawequal(L, LOADED, OWN))
		return 0;
	if (!new_key)
		lua_pushnil(L);
	return next_key(L, OWN, OWN, LOADED) ? 2 : 0;
}

int isolation_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (is_shell(L, 1)) {
		if (next_of_shell(L) == 2)
			return 2;
	} else if (lua_next(L, 1) != 0) {
		return 2;
	}
	lua_pushnil(L);
	return 1;
}

int isolation_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushcfunction(L, isolation_next);
	lua_insert(L, 1);
	lua_pushnil(L);
	return 3;
}

/* ---- sealing: a walk over all that can be reached ---- */

/* On the stack, from `base` on: what was found and waits to be looked into; what was found, with the shells of tables; the variables that are
 * watched, by their identity. */
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
static bool find(struct walk *walk)
{
	lua_State *L = walk->L;
	int type = lua_type(L, -1);

	if ((type != LUA_TTABLE && type != LUA_TFUNCTION) || is_shell(L, -1))
		return false;
	lua_pushvalue(L, -1);
	if (lua_rawget(L, walk->found) != LUA_TNIL) {
		lua_remove(L, -2);
		return type == LUA_TTABLE;
	}
	lua_pop(L, 1);
	note_pending(walk, -1);
	if (type == LUA_TTABLE)
		push_shell(L, -1, walk->on_write);
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
		find(walk);
		lua_insert(L, -2); /* shell, value */
		lua_rawset(L, table);
	}
}

static void walk_items(struct walk *walk, int table)
{
	lua_State *L = walk->L;
	int keys = 0;

	for (lua_pushnil(L); lua_next(L, table) != 0;) {
		if (find(walk)) {
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, table);
		} else {
			lua_pop(L, 1);
		}
		if (lua_type(L, -1) == LUA_TFUNCTION || (lua_type(L, -1) == LUA_TTABLE && !is_shell(L, -1))) {
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
	if (lua_rawget(L, -2) == LUA_TTABLE && find(walk)) {
		lua_pushliteral(L, "__index");
		lua_insert(L, -2);
		lua_rawset(L, -3);
	} else {
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static int write_dump(lua_State *L, const void *bytes, size_t length, void *buffer)
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
	lua_dump(L, write_dump, dump, 1);
	script_check_buffer(L, dump);
	if (!bytecode_assigned_upvalues(dump->data, dump->length, assigned))
		for (int i = 0; i < BYTECODE_UPVALUES; i++)
			assigned[i] = true;
	buffer_free(dump);
	lua_pop(L, 2);
}

/* The variable, whose value is on top, is set back from now on. One that several functions share is watched once. */
static void watch_variable(struct walk *walk, int function, int upvalue)
{
	lua_State *L = walk->L;
	void *identity = lua_upvalueid(L, function, upvalue);
	lua_Integer count;

	if (lua_rawgetp(L, walk->watched, identity) != LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	lua_pop(L, 1);
	lua_pushboolean(L, 1);
	lua_rawsetp(L, walk->watched, identity);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	count = (lua_Integer)lua_rawlen(L, -1);
	lua_pushvalue(L, function);
	lua_rawseti(L, -2, count + 1);
	lua_pushinteger(L, upvalue);
	lua_rawseti(L, -2, count + 2);
	lua_pushvalue(L, -2);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushlightuserdata(L, (void *)(uintptr_t)&nothing);
	}
	lua_rawseti(L, -2, count + 3);
	lua_pop(L, 1);
	script_state_of(L)->variables++;
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
		if (find(walk)) {
			lua_pushvalue(L, -1);
			lua_setupvalue(L, function, i);
		}
		if (i <= BYTECODE_UPVALUES && assigned[i - 1])
			watch_variable(walk, function, i);
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

static void ensure_variables(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key) == LUA_TNIL) {
		lua_newtable(L);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &variables_key);
	}
	lua_pop(L, 1);
}

void isolation_seal_module(lua_State *L, const char *what)
{
	struct walk walk;
	int value = lua_gettop(L);

	ensure_variables(L);
	begin_walk(&walk, L, refuse_assignment, what);
	lua_pushvalue(L, value);
	find(&walk);
	lua_replace(L, value);
	walk_all(&walk);
	lua_settop(L, value);
}

/* ---- around a stretch of a call ---- */

/* Sets variable number `place` (1, 4, 7, ...) of the list on top to the value that is pushed above it (popped). */
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

/* Allocates nothing, so it cannot fail. */
static void set_variables_back(lua_State *L)
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

/* It was changed once, and is now as it was loaded. */
static void forget_variable(lua_State *L, struct script_call *call, lua_Integer place)
{
	if (call->own_reference == LUA_NOREF)
		return;
	push_own(L, call);
	lua_pushnil(L);
	lua_rawseti(L, -2, place);
	lua_pop(L, 1);
}

/* Keeps what was changed with the call. Protected. */
static int keep_variables(lua_State *L)
{
	struct script_state *state = script_state_of(L);

	lua_settop(L, 0);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	for (int i = 0; i < state->variables; i++) {
		if (!push_changed(L, 3 * i + 1)) {
			forget_variable(L, state->call, 3 * i + 1);
			continue;
		}
		push_own(L, state->call);
		if (lua_isnil(L, -2))
			lua_pushlightuserdata(L, (void *)(uintptr_t)&nothing);
		else
			lua_pushvalue(L, -2);
		lua_rawseti(L, -2, 3 * i + 1);
		lua_pop(L, 2);
	}
	return 0;
}

/* Makes the shells that the call has written to lead to its own contents, or to those that were loaded. */
static void lead_all(lua_State *L, int own, bool to_own)
{
	for (lua_pushnil(L); lua_next(L, own) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TTABLE)
			continue;
		if (to_own) {
			lead_to(L, lua_gettop(L) - 1, -1);
		} else {
			push_loaded(L, lua_gettop(L) - 1);
			lead_to(L, lua_gettop(L) - 2, -1);
			lua_pop(L, 1);
		}
	}
}

void isolation_enter(struct script_call *call)
{
	lua_State *L = call->provider->state->L;
	int top = lua_gettop(L);

	if (call->own_reference == LUA_NOREF)
		return;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &variables_key);
	lua_rawgeti(L, LUA_REGISTRYINDEX, call->own_reference);
	lead_all(L, top + 2, true);
	for (lua_pushnil(L); lua_next(L, top + 2) != 0;) { /* list, own, place, value */
		if (!lua_isinteger(L, -2)) {
			lua_pop(L, 1);
			continue;
		}
		lua_pushvalue(L, top + 1);
		lua_insert(L, -2);
		set_variable(L, lua_tointeger(L, -3));
		lua_pop(L, 1);
	}
	lua_settop(L, top);
}

bool isolation_leave(struct script_call *call, bool keep)
{
	struct script_state *state = call->provider->state;
	lua_State *L = state->L;
	int top = lua_gettop(L);
	bool kept = true;

	if (keep && state->variables > 0) {
		lua_pushcfunction(L, keep_variables);
		kept = lua_pcall(L, 0, 0, 0) == LUA_OK;
		lua_settop(L, top);
	}
	set_variables_back(L);
	if (call->own_reference == LUA_NOREF)
		return kept;
	lua_rawgeti(L, LUA_REGISTRYINDEX, call->own_reference);
	lead_all(L, lua_gettop(L), false);
	lua_settop(L, top);
	if (!keep || !kept) {
		luaL_unref(L, LUA_REGISTRYINDEX, call->own_reference);
		call->own_reference = LUA_NOREF;
	}
	return kept;
}

void isolation_seal_script(lua_State *L, const char *what)
{
	struct walk walk;
	int list = lua_gettop(L);

	ensure_variables(L);
	set_variables_back(L); /* those of modules: loading is no call */
	begin_walk(&walk, L, write_own, what);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
		lua_rawgeti(L, list, i);
		find(&walk);
		lua_pop(L, 1);
	}
	walk_all(&walk);
	lua_settop(L, list - 1);
}
