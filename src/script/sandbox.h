/* sandbox.h - the environment that script code sees: an allow-list, frozen (docs/provider-scripts.md, "What a script may use"). */
#pragma once

#include <lua.h>

/* Builds the environment in a new state and keeps it in the registry. [-0, +0, m] */
void sandbox_build(lua_State *L);

/* Pushes the environment. [-0, +1, -] */
void sandbox_push_environment(lua_State *L);

/* The table on top becomes what `require` gives for this name, read-only, in this state alone. [-1, +0, m] */
void sandbox_add_module(lua_State *L, const char *name);

/* Loads `text` (text chunks only) with the environment as its only upvalue; `chunk` is "@providers/x.lua". Pushes the function, or
 * an error message. Returns a lua status. [-0, +1, -] */
int sandbox_load(lua_State *L, const char *text, size_t length, const char *chunk);
