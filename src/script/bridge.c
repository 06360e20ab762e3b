/* bridge.c - JSON to Lua and back.
 *
 * Why not lua-cjson here: on Lua 5.4 it decodes 1 as 1.0, rounds integers past 2^53 and turns [] into {} (design 10). The interface
 * is the same. Runs inside protected calls only: everything that allocates may raise. */
#include "script/bridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "script/isolation.h"
#include "script/state.h"

#define WIDE_TYPE "providerd.integer"
#define HELD_TYPE "bytes"
#define MOST_FIELDS_ON_STACK 32
#define STEPS_OF_A_VALUE 4
#define STEPS_OF_A_SORTED_NAME 16

static const char array_key; /* its address is the registry key of the arrays' metatable */

/* ---- wide integers: opaque values that go out as they came in ---- */

static int wide_text(lua_State *L)
{
	const uint64_t *value = luaL_checkudata(L, 1, WIDE_TYPE);
	char text[24];
	struct buffer digits;

	buffer_init(&digits, sizeof text);
	buffer_unsigned(&digits, *value);
	snprintf(text, sizeof text, "%s", digits.failed ? "?" : digits.data);
	buffer_free(&digits);
	lua_pushstring(L, text);
	return 1;
}

static int wide_equal(lua_State *L)
{
	const uint64_t *a = luaL_checkudata(L, 1, WIDE_TYPE), *b = luaL_checkudata(L, 2, WIDE_TYPE);

	lua_pushboolean(L, *a == *b);
	return 1;
}

static void push_wide(lua_State *L, uint64_t value)
{
	uint64_t *held = lua_newuserdatauv(L, sizeof *held, 0);

	*held = value;
	luaL_setmetatable(L, WIDE_TYPE);
}

/* ---- bytes that stay in C ---- */

struct held {
	struct buffer bytes;
	bool json;
};

static int free_held(lua_State *L)
{
	struct held *held = lua_touserdata(L, 1);

	script_state_of(L)->bytes_held -= held->bytes.capacity;
	buffer_free(&held->bytes);
	return 0;
}

static struct held *push_held(lua_State *L, bool json)
{
	struct held *held = lua_newuserdatauv(L, sizeof *held, 0);

	*held = (struct held){ .json = json };
	buffer_init(&held->bytes, LIMIT_CALL_TEXT_BYTES);
	luaL_setmetatable(L, HELD_TYPE);
	return held;
}

void bridge_push_bytes(lua_State *L, struct buffer *bytes, bool json)
{
	struct held *held = push_held(L, json);

	held->bytes = *bytes;
	*bytes = (struct buffer){ .maximum = bytes->maximum };
	script_state_of(L)->bytes_held += held->bytes.capacity;
}

static void push_whole(lua_State *L, size_t start, size_t length)
{
	struct held *held = push_held(L, true);

	buffer_append(&held->bytes, script_state_of(L)->whole + start, length);
	script_state_of(L)->bytes_held += held->bytes.capacity;
	script_check_buffer(L, &held->bytes);
}

static void write_base64(struct buffer *out, const struct buffer *bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *from = (const unsigned char *)bytes->data;
	size_t length = (bytes->length + 2) / 3 * 4;
	char *to = buffer_reserve(out, length + 2);

	if (to == NULL)
		return;
	*to++ = '"';
	for (size_t i = 0; i < bytes->length; i += 3) {
		size_t left = bytes->length - i;
		unsigned group =
			(unsigned)from[i] << 16 | (left > 1 ? (unsigned)from[i + 1] << 8 : 0) | (left > 2 ? from[i + 2] : 0u);

		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[group & 63] : '=';
	}
	*to++ = '"';
	*to = '\0';
	out->length += length + 2;
}

void bridge_open(lua_State *L)
{
	static const luaL_Reg methods[] = { { "__tostring", wide_text }, { "__eq", wide_equal }, { NULL, NULL } };

	luaL_newmetatable(L, WIDE_TYPE);
	luaL_setfuncs(L, methods, 0);
	lua_pop(L, 1);
	luaL_newmetatable(L, HELD_TYPE);
	lua_pushcfunction(L, free_held);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
}

/* ---- JSON to Lua ---- */

static void mark_array(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	lua_setmetatable(L, -2);
}

static void push_array(lua_State *L, const json_t *value)
{
	size_t count = json_array_size(value);

	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		bridge_push(L, json_array_get(value, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	mark_array(L);
}

static void push_object(lua_State *L, const json_t *value)
{
	const char *key;
	json_t *item;

	lua_createtable(L, 0, (int)json_object_size(value));
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		lua_pushstring(L, key);
		bridge_push(L, item);
		lua_rawset(L, -3);
	}
}

void bridge_push_partly(lua_State *L, const json_t *value, const char *text)
{
	script_state_of(L)->whole = text;
	bridge_push(L, value);
}

void bridge_push(lua_State *L, const json_t *value)
{
	uint64_t wide;
	size_t start, length;

	luaL_checkstack(L, 4, "JSON too deep");
	if (value == NULL) {
		lua_newtable(L);
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT: push_object(L, value); break;
	case JSON_ARRAY: push_array(L, value); break;
	case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
	case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
	case JSON_TRUE: lua_pushboolean(L, 1); break;
	case JSON_FALSE: lua_pushboolean(L, 0); break;
	case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
	case JSON_STRING:
		if (json_wide(value, &wide))
			push_wide(L, wide);
		else if (json_whole(value, &start, &length))
			push_whole(L, start, length);
		else
			lua_pushlstring(L, json_string_value(value), json_string_length(value));
		break;
	}
}

/* ---- Lua to JSON ---- */

/* How a value is written. */
struct form {
	int depth;    /* of the table that it is in */
	bool forgive; /* numbers that are none become null */
};

static struct form deeper(struct form form)
{
	form.depth++;
	return form;
}

static void write_value(lua_State *L, int index, struct buffer *out, struct form form);

static bool is_marked(lua_State *L, int index)
{
	bool marked;

	if (!lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	marked = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return marked;
}

bool bridge_is_array(lua_State *L, int index)
{
	bool array;

	if (lua_type(L, index) != LUA_TTABLE)
		return false;
	lua_pushvalue(L, index);
	isolation_plain(L, -1);
	array = lua_rawlen(L, -1) > 0 || is_marked(L, -1);
	lua_pop(L, 1);
	return array;
}

static void write_array(lua_State *L, int index, struct buffer *out, struct form form)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, index), found = 0;

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		if (!lua_isinteger(L, -2))
			luaL_error(L, "JSON: a table has both list items and the key '%s'", luaL_tolstring(L, -2, NULL));
		found++;
	}
	if (found != count)
		luaL_error(L, "JSON: a list has holes (%d of %d items)", (int)found, (int)count);
	buffer_char(out, '[');
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			buffer_char(out, ',');
		lua_rawgeti(L, index, i);
		write_value(L, lua_gettop(L), out, deeper(form));
		lua_pop(L, 1);
	}
	buffer_char(out, ']');
}

struct field {
	const char *name;
	size_t length;
	int value; /* where on the stack it lies; 0: it is looked up */
};

static int compare_fields(const void *a, const void *b)
{
	const struct field *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->length < y->length ? x->length : y->length);

	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static void check_key(lua_State *L)
{
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "JSON: an object's key must be text, not %s", luaL_typename(L, -2));
}

/* Names and values of a small object, which stay on the stack. Sorted as they come. -1: there are too many. */
static int take_fields(lua_State *L, int index, struct field few[MOST_FIELDS_ON_STACK])
{
	struct field field;
	int count = 0, at;

	luaL_checkstack(L, 2 * MOST_FIELDS_ON_STACK + 4, "JSON too deep");
	for (lua_pushnil(L); lua_next(L, index); lua_pushvalue(L, -2)) {
		check_key(L);
		if (count == MOST_FIELDS_ON_STACK)
			return -1;
		field.name = lua_tolstring(L, -2, &field.length);
		field.value = lua_gettop(L);
		for (at = count++; at > 0 && compare_fields(&few[at - 1], &field) > 0; at--)
			few[at] = few[at - 1];
		few[at] = field;
	}
	return count;
}

/* Names of an object of any size. The list is a userdata on the stack, so that an error leaks nothing; the table anchors the names. */
static struct field *list_fields(lua_State *L, int index, int *count)
{
	struct field *fields;
	int filled = 0;

	*count = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		check_key(L);
		++*count;
	}
	script_spend(L, (size_t)*count * STEPS_OF_A_SORTED_NAME);
	fields = lua_newuserdatauv(L, (size_t)*count * sizeof *fields, 0);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), filled++) {
		fields[filled].name = lua_tolstring(L, -2, &fields[filled].length);
		fields[filled].value = 0;
	}
	qsort(fields, (size_t)*count, sizeof *fields, compare_fields);
	return fields;
}

static void write_field(lua_State *L, int index, const struct field *field, struct buffer *out, struct form form)
{
	json_write_string(out, field->name, field->length);
	buffer_char(out, ':');
	if (field->value != 0) {
		write_value(L, field->value, out, deeper(form));
		return;
	}
	lua_pushlstring(L, field->name, field->length);
	lua_rawget(L, index);
	write_value(L, lua_gettop(L), out, deeper(form));
	lua_pop(L, 1);
}

static void write_object(lua_State *L, int index, struct buffer *out, struct form form)
{
	struct field few[MOST_FIELDS_ON_STACK], *fields = few;
	int top = lua_gettop(L), count = take_fields(L, index, few);

	if (count == -1) {
		lua_settop(L, top);
		fields = list_fields(L, index, &count);
	}
	buffer_char(out, '{');
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_char(out, ',');
		write_field(L, index, &fields[i], out, form);
	}
	buffer_char(out, '}');
	lua_settop(L, top);
}

static void write_number(lua_State *L, int index, struct buffer *out, struct form form)
{
	if (lua_isinteger(L, index))
		buffer_integer(out, lua_tointeger(L, index));
	else if (isfinite(lua_tonumber(L, index)))
		json_write_double(out, lua_tonumber(L, index));
	else if (form.forgive)
		buffer_text(out, "null");
	else
		luaL_error(L, "JSON: %f is not a JSON number", lua_tonumber(L, index));
}

static void write_userdata(lua_State *L, int index, struct buffer *out)
{
	const uint64_t *wide = luaL_testudata(L, index, WIDE_TYPE);
	const struct held *held = wide == NULL ? luaL_testudata(L, index, HELD_TYPE) : NULL;

	if (wide != NULL) {
		buffer_unsigned(out, *wide);
		return;
	}
	if (held == NULL)
		luaL_error(L, "JSON: this value has no JSON form");
	script_spend(L, held->bytes.length / SCRIPT_BYTES_OF_A_STEP);
	if (held->json)
		buffer_append(out, held->bytes.data, held->bytes.length);
	else
		write_base64(out, &held->bytes);
}

static void write_table(lua_State *L, int index, struct buffer *out, struct form form)
{
	lua_pushvalue(L, index);
	isolation_plain(L, -1);
	if (lua_rawlen(L, -1) > 0 || is_marked(L, -1))
		write_array(L, lua_gettop(L), out, form);
	else
		write_object(L, lua_gettop(L), out, form);
	lua_pop(L, 1);
}

static void write_value(lua_State *L, int index, struct buffer *out, struct form form)
{
	const char *text;
	size_t length;

	if (form.depth > LIMIT_JSON_DEPTH)
		luaL_error(L, "JSON: nested deeper than %d levels (a table inside itself?)", LIMIT_JSON_DEPTH);
	luaL_checkstack(L, 8, "JSON too deep");
	script_spend(L, STEPS_OF_A_VALUE); /* tables that share tables are larger on paper than in memory */
	switch (lua_type(L, index)) {
	case LUA_TNIL: buffer_text(out, "null"); break;
	case LUA_TBOOLEAN: json_write_bool(out, lua_toboolean(L, index)); break;
	case LUA_TNUMBER: write_number(L, index, out, form); break;
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &length);
		script_spend(L, length / SCRIPT_BYTES_OF_A_STEP);
		json_write_string(out, text, length);
		break;
	case LUA_TTABLE: write_table(L, index, out, form); break;
	case LUA_TLIGHTUSERDATA: buffer_text(out, "null"); break;
	case LUA_TUSERDATA: write_userdata(L, index, out); break;
	default: luaL_error(L, "JSON: a %s has no JSON form", luaL_typename(L, index));
	}
	if (out->failed && !out->starved && out->maximum < LIMIT_SCRIPT_MEMORY_BYTES)
		luaL_error(L, "JSON: the value is too large");
	script_check_buffer(L, out); /* a few tables that share tables make a text without end */
}

void bridge_write(lua_State *L, int index, struct buffer *out)
{
	write_value(L, lua_absindex(L, index), out, (struct form){ .depth = 0 });
}

void bridge_write_result(lua_State *L, int index, struct buffer *out)
{
	write_value(L, lua_absindex(L, index), out, (struct form){ .forgive = true });
}

/* ---- the cjson module ---- */

static int free_guarded_buffer(lua_State *L)
{
	buffer_free(lua_touserdata(L, 1));
	return 0;
}

struct buffer *bridge_push_buffer(lua_State *L)
{
	struct buffer *buffer = lua_newuserdatauv(L, sizeof *buffer, 0);

	buffer_init(buffer, LIMIT_SCRIPT_MEMORY_BYTES);
	if (luaL_newmetatable(L, "providerd.buffer")) {
		lua_pushcfunction(L, free_guarded_buffer);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return buffer;
}

static int module_encode(lua_State *L)
{
	struct buffer *out;

	luaL_checkany(L, 1);
	out = bridge_push_buffer(L);
	bridge_write(L, 1, out);
	lua_pushlstring(L, out->data, out->length);
	buffer_free(out);
	return 1;
}

static int free_guarded_value(lua_State *L)
{
	json_t **value = lua_touserdata(L, 1);

	json_decref(*value);
	*value = NULL;
	return 0;
}

json_t **bridge_push_json(lua_State *L)
{
	json_t **value = lua_newuserdatauv(L, sizeof *value, 0);

	*value = NULL;
	if (luaL_newmetatable(L, "providerd.json")) {
		lua_pushcfunction(L, free_guarded_value);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return value;
}

static int module_decode(lua_State *L)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	json_t **value = bridge_push_json(L);
	struct error error;

	script_spend(L, length);
	*value = json_read(text, length, &error);
	if (*value == NULL && error.code == ERROR_MEMORY)
		script_stop_starved(L);
	if (*value == NULL)
		return luaL_error(L, "%s", error.message);
	bridge_push(L, *value);
	json_decref(*value);
	*value = NULL;
	return 1;
}

/* The JSON of a value as bytes that stay in C. */
static int module_bytes(lua_State *L)
{
	struct held *held;

	luaL_checkany(L, 1);
	held = push_held(L, false);
	bridge_write(L, 1, &held->bytes);
	script_state_of(L)->bytes_held += held->bytes.capacity;
	return 1;
}

/* Whether a value is a part of an answer that was left whole. */
static int module_is_whole(lua_State *L)
{
	const struct held *held = lua_gettop(L) > 0 ? luaL_testudata(L, 1, HELD_TYPE) : NULL;

	lua_pushboolean(L, held != NULL && held->json);
	return 1;
}

static int module_array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	isolation_plain(L, 2);
	if (is_marked(L, 2)) {
		lua_settop(L, 1);
		return 1;
	}
	lua_copy(L, 1, 2);
	if (!isolation_own(L, 2) || lua_getmetatable(L, 2))
		return luaL_error(L, "cjson.array: this table has a metatable already");
	mark_array(L);
	lua_settop(L, 1);
	return 1;
}

static int module_is_array(lua_State *L)
{
	lua_pushboolean(L, bridge_is_array(L, 1));
	return 1;
}

void bridge_push_module(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "encode", module_encode },
		{ "decode", module_decode },
		{ "array", module_array },
		{ "is_array", module_is_array },
		{ "bytes", module_bytes },
		{ "is_whole", module_is_whole },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
}
