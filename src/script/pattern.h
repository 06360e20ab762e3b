/* pattern.h - string.find, match, gmatch and gsub for scripts: Lua's, but every step of the matcher counts (script_spend()). */
#pragma once

#include <lua.h>

/* Sets the four in the table on top, the string library. [-0, +0, m] */
void pattern_open(lua_State *L);
