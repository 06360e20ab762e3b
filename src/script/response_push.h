/* response_push.h - what came back, as ctx.request returns it (docs/provider-scripts.md). */
#pragma once

#include <lua.h>

#include "net/response.h"

/* Pushes the two results of ctx.request: the response table and nothing, or nil and { kind =, message = }. Returns 1 or 2.
 * The body is the script's afterwards. [-0, +1|2, m] */
int response_push(lua_State *L, struct response *response);
