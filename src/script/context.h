/* context.h - the ctx that a script's functions get (docs/provider-scripts.md, ctx). */
#pragma once

#include <lua.h>

struct script_call;

/* Pushes a new ctx for the call. [-0, +1, m] */
void context_push(lua_State *L, struct script_call *call);
