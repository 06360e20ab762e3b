/* estimate.h - what a script says a job costs, as the answer's `estimates` (docs/api.md) and as micro-dollars. */
#pragma once

#include <lua.h>

struct script_call;

/* Reads the two results of estimate() at `index` and `index` + 1: a table, or nil and what is missing. Appends the JSON object to call->estimates: figures
 * that are not known are null, never 0. call->estimate_micro_usd and its high end are -1 when not known, and no positive figure becomes 0;
 * call->estimate_free: the script says that there is nothing to pay. [-0, +0, e] */
void estimate_write(lua_State *L, int index, struct script_call *call);
