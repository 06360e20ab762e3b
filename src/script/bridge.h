/* bridge.h - between JSON and Lua values, exactly: an empty array stays one, integers stay integers to 64 bits, unsigned
 * too. Scripts see it as `require "cjson"`. */
#pragma once

#include <lua.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/* Prepares a new state (metatables of arrays and wide integers). May raise (memory). [-0, +0, m] */
void bridge_open(lua_State *L);

/* Pushes the module table: encode, decode, null, array, is_array. [-0, +1, m] */
void bridge_push_module(lua_State *L);

/* Pushes a JSON value; null becomes the light userdata NULL (cjson.null). NULL pushes an empty table. May raise (memory). [-0, +1, m] */
void bridge_push(lua_State *L, const json_t *value);

/* Pushes the value of a JSON text: as bridge_push() of what json_read() makes of it. False: there is none, and nothing is pushed. May raise (memory). [-0, +1|0, m] */
bool bridge_read(lua_State *L, const char *text, size_t length, struct error *error);

/* Appends the value at `index` as JSON text: keys sorted, so that the same value always gives the same bytes. A value that JSON cannot say
 * (function, NaN, a table with both list and named keys, too deep) raises an error that says why. [-0, +0, e] */
void bridge_write(lua_State *L, int index, struct buffer *out);

/* The same of what became of a job: a number that is none (0/0, a vendor's 1e999) is not known, so it is written as null. [-0, +0, e] */
void bridge_write_result(lua_State *L, int index, struct buffer *out);

/* Bytes that a script may keep, hand on and not look into: they stay in C. Where they stand in a value that is written, they are base64 text,
 * or JSON as it came. Takes the buffer's memory over. [-0, +1, m] */
void bridge_push_bytes(lua_State *L, struct buffer *bytes, bool json);

/* Pushes the tree that json_read_partly() made of `text`. [-0, +1, m] */
void bridge_push_partly(lua_State *L, const json_t *value, const char *text);

/* Pushes an empty buffer that Lua's collector frees, whatever raises. The pointer is valid while the value is on the stack. [-0, +1, m] */
struct buffer *bridge_push_buffer(lua_State *L);

/* Pushes an empty place for a JSON tree that Lua's collector frees, whatever raises. [-0, +1, m] */
json_t **bridge_push_json(lua_State *L);
