/* table_functions.h - what of Lua's table library a script gets in a form that counts its work. */
#pragma once

#include <lua.h>

/* Replaces functions in the table on top, Lua's table library. [-0, +0, m] */
void table_functions_open(lua_State *L);
