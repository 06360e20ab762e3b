/* bridge_parts.h - the values of bridge.h that are no plain Lua: wide integers, held bytes, marked arrays. For bridge*.c only. */
#pragma once

#include <stdint.h>

#include "script/bridge.h"

/* Bytes that stay in C, as a userdata. */
struct held {
	struct buffer bytes;
	bool json; /* a piece of JSON as it came; else bytes of any kind */
};

/* Pushes empty bytes; whoever fills them counts their capacity in script_state.bytes_held. [-0, +1, m] */
struct held *bridge_push_held(lua_State *L, bool json);

/* The value at `index` as one of these, or NULL. [-0, +0, -] */
const struct held *bridge_held(lua_State *L, int index);
const uint64_t *bridge_wide(lua_State *L, int index);

/* The table on top is an array from now on, though it may be empty; whether the one at `index`, no shell, was marked. [-0, +0, -] */
void bridge_mark_array(lua_State *L);
bool bridge_is_marked(lua_State *L, int index);

/* The usual way of bridge_read(), without a tree. False: the text is not JSON, or not of this way, and what lies on the stack is to be dropped. [-0, +n, m] */
bool bridge_read_plain(lua_State *L, const char *text, size_t length);
