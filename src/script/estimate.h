/* estimate.h - what a script says a job costs, as the answer's `estimates` (docs/api.md) and as micro-dollars. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/buffer.h"

/* Reads the two results of estimate() at `index` and `index` + 1: a table, or nil and what is missing. Appends the JSON object: figures
 * that are not known are null, never 0. *expected and *high are micro-dollars, -1 when not known, and no positive
 * figure becomes 0; *free: the script says that there is nothing to pay. [-0, +0, e] */
void estimate_write(lua_State *L, int index, struct buffer *out, int64_t *expected, int64_t *high, bool *free);
