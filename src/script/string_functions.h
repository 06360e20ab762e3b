/* string_functions.h - what of Lua's string library a script gets in a form that counts its work, pattern functions included. */
#pragma once

#include <lua.h>

/* Replaces functions in the table on top, Lua's string library, which no other state may share. [-0, +0, m] */
void string_functions_open(lua_State *L);
