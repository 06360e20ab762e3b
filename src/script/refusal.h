/* refusal.h - { field =, message =, allowed = }, as scripts say it and C for them: bad input of prepare, and what submit cannot express. */
#pragma once

#include <stdbool.h>

#include <lua.h>

#include "base/buffer.h"
#include "base/error.h"

struct script_call;

/* Raises one: it is the user's value that stands in the way, and no fault of the script's. `field` may be NULL. [-0, +0, e] */
void refusal_raise(lua_State *L, const char *field, const char *message);

/* The table at `index` (the first, when it is a list, which it then takes the place of) as an ERROR_INVALID. [-0, +0, e] */
void refusal_to_error(lua_State *L, int index, struct error *error);

/* Adds every refusal of the table (or list of them) at `index` to the call's warnings and refusals:
 * "parameters.resolution: message; possible: 720p, 1080p". [-0, +0, e] */
void refusal_collect(lua_State *L, int index, struct script_call *call);

/* Appends the table at `index` to `out` as one JSON text, "parameters.resolution: message; possible: 720p, 1080p", and a comma. [-0, +0, e] */
void refusal_write(lua_State *L, int index, struct script_call *call, struct buffer *out);

/* The error value on top of a coroutine that has ended (popped): as bad input into call->error, or as refusals. [-1, +0, -] */
void refusal_take_error(lua_State *thread, struct script_call *call, bool as_bad_input);
