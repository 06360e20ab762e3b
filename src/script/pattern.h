/* pattern.h - find, match, gmatch, gsub and rep with a bound on what they may cost: C code that no hook can interrupt (tech 3.3). */
#pragma once

#include <lua.h>

/* Stack: the table to fill, the string library. Adds the guarded functions, pops the library. [-1, +0, m] */
void pattern_add_guarded(lua_State *L);
