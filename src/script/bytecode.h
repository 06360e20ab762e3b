/* bytecode.h - what a compiled function can do to the variables that it shares with others. For this folder only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define BYTECODE_UPVALUES 256 /* Lua allows a function 255 */

/* Marks in `assigned` the upvalues that the function of this dump (lua_dump, stripped), or one inside it, assigns. False: the dump is not
 * one of Lua 5.4 as we know it, and nothing can be said. */
bool bytecode_assigned_upvalues(const char *dump, size_t length, bool assigned[BYTECODE_UPVALUES]);
