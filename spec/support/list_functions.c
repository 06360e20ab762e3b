/* list_functions.c - prints the name of every C function that a script can reach: all of its environment, of require "cjson" and of ctx is walked,
 * metatables too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "script/call.h"
#include "script/context.h"
#include "script/library.h"
#include "script/sandbox.h"

#define SEEN 1 /* where on the stack the table of what was walked lies */

/* Whether the value on top is new; then it is remembered. */
static bool is_new(lua_State *L)
{
	bool is;

	lua_pushvalue(L, -1);
	is = lua_rawget(L, SEEN) == LUA_TNIL;
	lua_pop(L, 1);
	if (is) {
		lua_pushvalue(L, -1);
		lua_pushboolean(L, 1);
		lua_rawset(L, SEEN);
	}
	return is;
}

/* Whether a key of a metatable leads to what the table itself seems to have: __index, and the contents of what is read-only. */
static bool is_way_through(lua_State *L, int index)
{
	return lua_isinteger(L, index) || (lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), "__index") == 0);
}

/* The value on top, and all that is in it. */
static void walk(lua_State *L, const char *path)
{
	char name[256];

	luaL_checkstack(L, 8, NULL);
	if (lua_iscfunction(L, -1)) {
		printf("%s\n", path);
		return;
	}
	if ((lua_type(L, -1) != LUA_TSTRING || strcmp(path, "text") == 0) && lua_getmetatable(L, -1)) {
		snprintf(name, sizeof name, "%s<meta>", path);
		walk(L, name);
		lua_pop(L, 1);
	}
	if (!lua_istable(L, -1) || !is_new(L))
		return;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		bool through = lua_istable(L, -1) && is_way_through(L, -2);

		if (through)
			snprintf(name, sizeof name, "%.*s", (int)(strlen(path) - strlen("<meta>")), path);
		else
			snprintf(name, sizeof name, "%s%s%s", path, *path != '\0' ? "." : "", luaL_tolstring(L, -2, NULL));
		if (!through)
			lua_pop(L, 1);
		walk(L, name);
	}
}

static int list(lua_State *L)
{
	struct script_call call = { .dry_run = true, .kind = kind_named("image") };

	lua_settop(L, 0);
	lua_newtable(L);
	sandbox_push_environment(L);
	walk(L, "");
	lua_getfield(L, -1, "require");
	lua_pushliteral(L, "cjson");
	lua_call(L, 1, 1);
	walk(L, "cjson");
	lua_pushliteral(L, "");
	walk(L, "text");
	context_push(L, &call);
	walk(L, "ctx");
	return 0;
}

int main(void)
{
	struct script_library *library = script_library_read("lua", "providers");
	struct script_state *state;

	if (library == NULL)
		return EXIT_FAILURE;
	state = script_state_new(library);
	lua_pushcfunction(state->L, list);
	if (lua_pcall(state->L, 0, 0, 0) != LUA_OK) {
		fprintf(stderr, "%s\n", lua_tostring(state->L, -1));
		return EXIT_FAILURE;
	}
	script_state_free(state);
	script_library_release(library);
	return EXIT_SUCCESS;
}
