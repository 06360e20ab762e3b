/* isolation.h - every call of a script finds it as it was loaded, whatever other calls did to its tables and variables.
 *
 * After loading, each table that the script's functions can reach is emptied of its contents, so to say: scripts hold a shell, whose
 * metatable leads to the contents. What belongs to a module of lua/ is read-only. What belongs to the script is copied when a call
 * first writes to it, for that call alone. Variables that a function may assign are set back when a call ends or waits, and set again when it goes
 * on. So calls of one script that take turns do not meet either. A call that writes nothing pays for the way through the shell only. */
#pragma once

#include <stdbool.h>

#include <lua.h>

struct script_call;

/* The table on top becomes one that can be read but not written; what it holds stays as it is. [-1, +1, m] */
void isolation_make_read_only(lua_State *L);

/* The same with the value on top, all that can be reached from it, and the variables of functions. A `what` is named when it cannot be
 * done: "providers/fal/x.lua". [-1, +1, e] */
void isolation_seal_module(lua_State *L, const char *what);

/* What can be reached from the functions of the list on top, which are a script's, becomes each call's own. [-1, +0, e] */
void isolation_seal_script(lua_State *L, const char *what);

/* Marks the metatable on top as that of a shell, which leads to the table in its __index. [-0, +0, m] */
void isolation_mark_shell(lua_State *L);

/* Replaces a shell at `index` by its contents, for C functions that read tables raw. They must not be written to. [-0, +0, -] */
void isolation_plain(lua_State *L, int index);

/* Whether the table at `index` is a shell, and as it was loaded for the call that runs. [-0, +0, -] */
bool isolation_is_pristine(lua_State *L, int index);

/* Replaces a shell at `index` by contents that the running call may write to; false when it is read-only. [-0, +0, e] */
bool isolation_own(lua_State *L, int index);

/* next and pairs as scripts have them: lua_CFunctions. */
int isolation_next(lua_State *L);
int isolation_pairs(lua_State *L);

/* Around each stretch of a call: puts in place what the call changed before; puts the script back as it was loaded, and keeps (`keep`) what was
 * changed for the next stretch. Outside of a budget: what they allocate always succeeds. [-0, +0, -] */
void isolation_enter(struct script_call *call);
void isolation_leave(struct script_call *call, bool keep);
