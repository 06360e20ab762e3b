/* isolation_parts.h - what the files of isolation.h share: shells, what a call writes, variables. For isolation*.c only.
 *
 * A shell is an empty table, so every read of it goes by its metatable's __index, and every write by __newindex. The metatable also has
 * the contents as they were loaded; __index leads to these, or, while a call runs that has written, to this call's copy. Scripts can reach
 * neither (no getmetatable, rawget or debug), and pairs and next give the shell's keys, not the contents. */
#pragma once

#include "script/isolation.h"

/* ---- isolation_shell.c ---- */

bool shell_is(lua_State *L, int index);

/* Pushes the contents of the shell at `index` as they were loaded. False: it is no shell, and nothing is pushed. [-0, +0|1, -] */
bool shell_push_loaded(lua_State *L, int index);

/* Pushes a shell for the contents at `index`; `on_write` is its __newindex. [-0, +1, m] */
void shell_push_new(lua_State *L, int index, lua_CFunction on_write);

/* The __newindex of what nobody may write to. [e] */
int shell_refuse_write(lua_State *L);

/* From now on the shell leads to these contents. [-0, +0, -] */
void shell_lead_to(lua_State *L, int shell, int contents);

/* ---- isolation.c ---- */

/* Pushes the table of what the call changed: its own contents by shell, and values of variables by their place. [-0, +1, m] */
void isolation_push_own(lua_State *L, struct script_call *call);

/* The __newindex of a script's shells: the write goes to the running call's own contents. [e] */
int isolation_write_own(lua_State *L);

/* ---- isolation_variables.c: the upvalues that a script's functions may assign ---- */

/* Prepares a state, once or more often. [-0, +0, m] */
void variables_open(lua_State *L);

/* The upvalue of the function at `function`, whose value is on top, is set back from now on. Once for each variable. [-0, +0, m] */
void variables_watch(lua_State *L, int function, int upvalue);

/* Sets all back to what they were when they were watched. Allocates nothing. [-0, +0, -] */
void variables_set_back(lua_State *L);

/* Keeps with the call what differs from that; puts it in place again from the call's table at `own`. [-0, +0, m] */
void variables_keep(lua_State *L, struct script_call *call);
void variables_put(lua_State *L, int own);
