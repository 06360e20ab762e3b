/* bridge_write.c - Lua values as JSON text: the same value always gives the same bytes. Inside protected calls; what is large is counted
 * (script_spend()). */
#include "script/bridge_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "script/isolation.h"
#include "script/state.h"

#define MOST_FIELDS_ON_STACK 32
#define STEPS_OF_A_VALUE 4
#define STEPS_OF_A_SORTED_NAME 16

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

static void write_lua_value(lua_State *L, int index, struct buffer *out, struct form form);

static void write_lua_array(lua_State *L, int index, struct buffer *out, struct form form)
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
		write_lua_value(L, lua_gettop(L), out, deeper(form));
		lua_pop(L, 1);
	}
	buffer_char(out, ']');
}

struct field {
	const char *name;
	size_t length;
	int value; /* where on the stack it lies; 0: it is looked up */
};

static int compare_lua_fields(const void *a, const void *b)
{
	const struct field *x = a, *y = b;

	return text_compare(x->name, x->length, y->name, y->length);
}

static void check_object_key(lua_State *L)
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
		check_object_key(L);
		if (count == MOST_FIELDS_ON_STACK)
			return -1;
		field.name = lua_tolstring(L, -2, &field.length);
		field.value = lua_gettop(L);
		for (at = count++; at > 0 && compare_lua_fields(&few[at - 1], &field) > 0; at--)
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
		check_object_key(L);
		++*count;
	}
	script_spend(L, (size_t)*count * STEPS_OF_A_SORTED_NAME);
	fields = lua_newuserdatauv(L, (size_t)*count * sizeof *fields, 0);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), filled++) {
		fields[filled].name = lua_tolstring(L, -2, &fields[filled].length);
		fields[filled].value = 0;
	}
	qsort(fields, (size_t)*count, sizeof *fields, compare_lua_fields);
	return fields;
}

static void write_lua_field(lua_State *L, int index, const struct field *field, struct buffer *out, struct form form)
{
	json_write_string(out, field->name, field->length);
	buffer_char(out, ':');
	if (field->value != 0) {
		write_lua_value(L, field->value, out, deeper(form));
		return;
	}
	lua_pushlstring(L, field->name, field->length);
	lua_rawget(L, index);
	write_lua_value(L, lua_gettop(L), out, deeper(form));
	lua_pop(L, 1);
}

static void write_lua_object(lua_State *L, int index, struct buffer *out, struct form form)
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
		write_lua_field(L, index, &fields[i], out, form);
	}
	buffer_char(out, '}');
	lua_settop(L, top);
}

static void write_lua_base64(struct buffer *out, const struct buffer *bytes)
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

static void write_lua_number(lua_State *L, int index, struct buffer *out, struct form form)
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

static void write_lua_userdata(lua_State *L, int index, struct buffer *out)
{
	const uint64_t *wide = bridge_wide(L, index);
	const struct held *held = wide == NULL ? bridge_held(L, index) : NULL;

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
		write_lua_base64(out, &held->bytes);
}

static void write_lua_table(lua_State *L, int index, struct buffer *out, struct form form)
{
	lua_pushvalue(L, index);
	isolation_plain(L, -1);
	if (lua_rawlen(L, -1) > 0 || bridge_is_marked(L, -1))
		write_lua_array(L, lua_gettop(L), out, form);
	else
		write_lua_object(L, lua_gettop(L), out, form);
	lua_pop(L, 1);
}

static void write_lua_value(lua_State *L, int index, struct buffer *out, struct form form)
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
	case LUA_TNUMBER: write_lua_number(L, index, out, form); break;
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &length);
		script_spend(L, length / SCRIPT_BYTES_OF_A_STEP);
		json_write_string(out, text, length);
		break;
	case LUA_TTABLE: write_lua_table(L, index, out, form); break;
	case LUA_TLIGHTUSERDATA: buffer_text(out, "null"); break;
	case LUA_TUSERDATA: write_lua_userdata(L, index, out); break;
	default: luaL_error(L, "JSON: a %s has no JSON form", luaL_typename(L, index));
	}
	if (out->failed && !out->starved && out->maximum < LIMIT_SCRIPT_MEMORY_BYTES)
		luaL_error(L, "JSON: the value is too large");
	script_check_buffer(L, out); /* a few tables that share tables make a text without end */
}

void bridge_write(lua_State *L, int index, struct buffer *out)
{
	write_lua_value(L, lua_absindex(L, index), out, (struct form){ .depth = 0 });
}

void bridge_write_result(lua_State *L, int index, struct buffer *out)
{
	write_lua_value(L, lua_absindex(L, index), out, (struct form){ .forgive = true });
}
