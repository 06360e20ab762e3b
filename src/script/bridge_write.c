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
#define FIELDS_AT_ONCE 8 /* the stack is asked for places of so many */
#define STEPS_OF_A_VALUE 4
#define STEPS_OF_A_SORTED_NAME 16
#define STEPS_AT_ONCE 256 /* so many are counted together */

/* One run of the writer. */
struct writing {
	lua_State *L;
	struct buffer *out;
	size_t steps; /* that are not counted yet */
	int depth;    /* of the table that it is in */
	bool forgive; /* numbers that are none become null */
};

static void write_lua_value(struct writing *to, int index);

/* Counts what was written, and looks at what it has become. */
static void settle(struct writing *to)
{
	const struct buffer *out = to->out;

	script_spend(to->L, to->steps);
	to->steps = 0;
	if (out->failed && !out->starved && out->maximum < LIMIT_SCRIPT_MEMORY_BYTES)
		luaL_error(to->L, "JSON: the value is too large");
	script_check_buffer(to->L, out); /* a few tables that share tables make a text without end */
}

static void write_lua_array(struct writing *to, int index)
{
	lua_State *L = to->L;
	lua_Integer count = (lua_Integer)lua_rawlen(L, index), found = 0;

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		if (!lua_isinteger(L, -2))
			luaL_error(L, "JSON: a table has both list items and the key '%s'", luaL_tolstring(L, -2, NULL));
		found++;
	}
	if (found != count)
		luaL_error(L, "JSON: a list has holes (%d of %d items)", (int)found, (int)count);
	buffer_char(to->out, '[');
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			buffer_char(to->out, ',');
		lua_rawgeti(L, index, i);
		write_lua_value(to, index + 1);
		lua_pop(L, 1);
	}
	buffer_char(to->out, ']');
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

/* Most names differ in their first bytes. (Each ends in a NUL.) */
static bool comes_after(const struct field *x, const struct field *y)
{
	if (*x->name != *y->name)
		return (unsigned char)*x->name > (unsigned char)*y->name;
	return compare_lua_fields(x, y) > 0;
}

static void check_object_key(lua_State *L)
{
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "JSON: an object's key must be text, not %s", luaL_typename(L, -2));
}

/* Names and values of a small object, which stay on the stack above `index`, its top. Sorted as they come. -1: there are too many. */
static int take_fields(lua_State *L, int index, struct field few[MOST_FIELDS_ON_STACK])
{
	struct field field;
	int count = 0, at;

	for (lua_pushnil(L); lua_next(L, index); lua_pushvalue(L, -2)) {
		check_object_key(L);
		if (count == MOST_FIELDS_ON_STACK)
			return -1;
		if (count % FIELDS_AT_ONCE == 0)
			luaL_checkstack(L, 2 * FIELDS_AT_ONCE + 8, "JSON too deep");
		field.name = lua_tolstring(L, -2, &field.length);
		field.value = index + 2 * count + 2;
		for (at = count++; at > 0 && comes_after(&few[at - 1], &field); at--)
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

static void write_lua_field(struct writing *to, int index, const struct field *field)
{
	lua_State *L = to->L;

	json_write_string(to->out, field->name, field->length);
	buffer_char(to->out, ':');
	if (field->value != 0) {
		write_lua_value(to, field->value);
		return;
	}
	lua_pushlstring(L, field->name, field->length);
	lua_rawget(L, index);
	write_lua_value(to, lua_gettop(L));
	lua_pop(L, 1);
}

/* `index` is the stack's top. */
static void write_lua_object(struct writing *to, int index)
{
	lua_State *L = to->L;
	struct field few[MOST_FIELDS_ON_STACK], *fields = few;
	int count = take_fields(L, index, few);

	if (count == -1) {
		lua_settop(L, index);
		fields = list_fields(L, index, &count);
	}
	buffer_char(to->out, '{');
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_char(to->out, ',');
		write_lua_field(to, index, &fields[i]);
	}
	buffer_char(to->out, '}');
	lua_settop(L, index);
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

static void write_lua_number(struct writing *to, int index)
{
	lua_State *L = to->L;
	double number;

	if (lua_isinteger(L, index)) {
		buffer_integer(to->out, lua_tointeger(L, index));
		return;
	}
	number = lua_tonumber(L, index);
	if (isfinite(number))
		json_write_double(to->out, number);
	else if (to->forgive)
		buffer_text(to->out, "null");
	else
		luaL_error(L, "JSON: %f is not a JSON number", number);
}

static void write_lua_string(struct writing *to, int index)
{
	size_t length;
	const char *text = lua_tolstring(to->L, index, &length);

	to->steps += length / SCRIPT_BYTES_OF_A_STEP;
	if (to->steps >= STEPS_AT_ONCE)
		settle(to);
	json_write_string(to->out, text, length);
}

static void write_lua_userdata(struct writing *to, int index)
{
	lua_State *L = to->L;
	const uint64_t *wide = bridge_wide(L, index);
	const struct held *held = wide == NULL ? bridge_held(L, index) : NULL;

	if (wide != NULL) {
		buffer_unsigned(to->out, *wide);
		return;
	}
	if (held == NULL)
		luaL_error(L, "JSON: this value has no JSON form");
	to->steps += held->bytes.length / SCRIPT_BYTES_OF_A_STEP;
	settle(to);
	if (held->json)
		buffer_append(to->out, held->bytes.data, held->bytes.length);
	else
		write_lua_base64(to->out, &held->bytes);
}

static void write_lua_table(struct writing *to, int index)
{
	lua_State *L = to->L;
	int contents;

	to->depth++;
	luaL_checkstack(L, 10, "JSON too deep");
	lua_pushvalue(L, index);
	isolation_plain(L, -1);
	contents = lua_gettop(L);
	if (lua_rawlen(L, contents) > 0 || bridge_is_marked(L, contents))
		write_lua_array(to, contents);
	else
		write_lua_object(to, contents);
	lua_pop(L, 1);
	to->depth--;
}

static void write_lua_value(struct writing *to, int index)
{
	lua_State *L = to->L;
	int type = lua_type(L, index);

	if (to->depth > LIMIT_JSON_DEPTH)
		luaL_error(L, "JSON: nested deeper than %d levels (a table inside itself?)", LIMIT_JSON_DEPTH);
	to->steps += STEPS_OF_A_VALUE; /* tables that share tables are larger on paper than in memory */
	if (to->steps >= STEPS_AT_ONCE)
		settle(to);
	switch (type) {
	case LUA_TLIGHTUSERDATA:
	case LUA_TNIL: buffer_text(to->out, "null"); break;
	case LUA_TBOOLEAN: json_write_bool(to->out, lua_toboolean(L, index)); break;
	case LUA_TNUMBER: write_lua_number(to, index); break;
	case LUA_TSTRING: write_lua_string(to, index); break;
	case LUA_TTABLE: write_lua_table(to, index); break;
	case LUA_TUSERDATA: write_lua_userdata(to, index); break;
	default: luaL_error(L, "JSON: a %s has no JSON form", lua_typename(L, type));
	}
}

static void write_all(lua_State *L, int index, struct buffer *out, bool forgive)
{
	struct writing to = { .L = L, .out = out, .forgive = forgive };

	luaL_checkstack(L, 8, "JSON too deep");
	write_lua_value(&to, lua_absindex(L, index));
	settle(&to);
}

void bridge_write(lua_State *L, int index, struct buffer *out)
{
	write_all(L, index, out, false);
}

void bridge_write_result(lua_State *L, int index, struct buffer *out)
{
	write_all(L, index, out, true);
}
