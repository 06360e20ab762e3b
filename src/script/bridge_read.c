/* bridge_read.c - JSON text as Lua's values, without a tree between them. Inside protected calls: everything that allocates may raise.
 *
 * Reads what is well-formed as base/json_parse.c and bridge_push() do. What is not, and what is rare, it gives up: the tree's way says what it is, or what is
 * wrong with it. */
#include "script/bridge_parts.h"

#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/json_parse.h"
#include "base/limits.h"
#include "base/text.h"

#define CONTAINER_WEIGHT 8 /* as LIMIT_JSON_VALUES counts them */
#define WAITING_MEMBERS 16 /* of an object, on the stack, until its table is made in their number */
#define WAITING_ITEMS 16   /* the same of a list's first ones */
#define INTEGER_DIGITS 18  /* a number of so many fits in 64 bits */
#define EXACT_DIGITS 15	   /* one of so many is a double too, and so are the powers of ten up to it */

struct reading {
	lua_State *L;
	const char *at, *end;
	size_t weight;
	int depth;
};

/* An object whose members are read. */
struct object {
	const char *name; /* the newest one */
	size_t name_length;
	int members;
	int waiting; /* of these, on top of the stack */
	bool made;   /* the table lies below them */
	bool sorted; /* each name is behind the one before it, so none is there twice */
};

static bool read_value(struct reading *from);

static void skip_blanks(struct reading *from)
{
	while (from->at < from->end && (*from->at == ' ' || *from->at == '\n' || *from->at == '\t' || *from->at == '\r'))
		from->at++;
}

/* Takes the byte if it is the next one after blanks. */
static bool take(struct reading *from, char byte)
{
	skip_blanks(from);
	if (from->at == from->end || *from->at != byte)
		return false;
	from->at++;
	return true;
}

static bool weigh(struct reading *from, size_t values)
{
	from->weight += values;
	return from->weight <= LIMIT_JSON_VALUES;
}

/* ---- texts ---- */

static bool skip_escape(struct reading *from)
{
	size_t length = from->end - from->at > 1 && from->at[1] == 'u' ? 6 : 2;

	if ((size_t)(from->end - from->at) < length || from->at[1] == '\0' || strchr("\"\\/bfnrtu", from->at[1]) == NULL)
		return false;
	for (size_t i = 2; i < length; i++)
		if (text_hex_value((unsigned char)from->at[i]) == -1)
			return false;
	from->at += length;
	return true;
}

/* Moves behind the quote that ends a text. */
static bool skip_text(struct reading *from, bool *escaped)
{
	size_t length;

	for (;;) {
		from->at += text_plain_length(from->at, (size_t)(from->end - from->at));
		if (from->at == from->end || (unsigned char)*from->at < 0x20)
			return false;
		if (*from->at == '"')
			break;
		if (*from->at == '\\') {
			*escaped = true;
			if (!skip_escape(from))
				return false;
			continue;
		}
		length = text_character_length((const unsigned char *)from->at, (size_t)(from->end - from->at));
		if (length == 0)
			return false;
		from->at += length;
	}
	from->at++;
	return true;
}

static bool push_decoded(lua_State *L, const char *text, size_t length)
{
	char *decoded = lua_newuserdatauv(L, length, 0);

	if (!json_decode_text(text, length, decoded, &length) || *decoded == '\x7f')
		return false;
	lua_pushlstring(L, decoded, length);
	lua_remove(L, -2);
	return true;
}

/* Pushes the text whose quote was taken. One that may be a mark of the tree's (json_wide()) is left to it. */
static bool read_text(struct reading *from)
{
	const char *text = from->at;
	bool escaped = false;
	size_t length;

	if (!skip_text(from, &escaped) || *text == '\x7f')
		return false;
	length = (size_t)(from->at - 1 - text);
	if (escaped)
		return push_decoded(from->L, text, length);
	lua_pushlstring(from->L, text, length);
	return true;
}

/* ---- numbers and words ---- */

/* Takes up to so many digits; how many. */
static int take_digits(struct reading *from, int most, int64_t *value)
{
	int count = 0;

	for (; count < most && from->at < from->end && *from->at >= '0' && *from->at <= '9'; count++)
		*value = *value * 10 + (*from->at++ - '0');
	return count;
}

/* Whole ones that 64 bits have room for, and others of up to 15 digits: a quotient of two exact numbers is the nearest double, as strtod() would find it. */
static bool read_number(struct reading *from)
{
	static const double powers[EXACT_DIGITS + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
		1e14, 1e15 };
	bool negative = *from->at == '-', real;
	int digits, fraction = 0;
	const char *first;
	int64_t value = 0;

	from->at += negative;
	first = from->at;
	digits = take_digits(from, INTEGER_DIGITS, &value);
	if (digits == 0 || (digits > 1 && *first == '0'))
		return false;
	real = from->at < from->end && *from->at == '.';
	if (real) {
		from->at++;
		fraction = take_digits(from, INTEGER_DIGITS - digits, &value);
		if (fraction == 0 || digits + fraction > EXACT_DIGITS)
			return false;
	}
	if (from->at < from->end && (*from->at == 'e' || *from->at == 'E'))
		return false;
	if (real)
		lua_pushnumber(from->L, (negative ? -(double)value : (double)value) / powers[fraction]);
	else
		lua_pushinteger(from->L, negative ? -value : value);
	return true;
}

static bool take_word(struct reading *from, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(from->end - from->at) < length || memcmp(from->at, word, length) != 0)
		return false;
	from->at += length;
	return true;
}

/* ---- lists and objects ---- */

/* Moves the members that wait into the table. */
static void put_members(lua_State *L, struct object *object)
{
	int place = -2 * object->waiting - 1;

	if (!object->made) {
		lua_createtable(L, 0, object->waiting);
		lua_insert(L, place);
		object->made = true;
	}
	for (; object->waiting > 0; object->waiting--, place += 2)
		lua_rawset(L, place);
}

/* Pushes a name, after its quote, and notes whether it is behind the one before it. */
static bool read_name(struct reading *from, struct object *object)
{
	const char *name = from->at;
	size_t length;

	if (!read_text(from))
		return false;
	length = (size_t)(from->at - 1 - name);
	if (memchr(name, '\\', length) != NULL)
		object->sorted = false; /* what it says is another text than what is compared here */
	else if (object->members > 0 && object->sorted)
		object->sorted = text_compare(object->name, object->name_length, name, length) < 0;
	object->name = name;
	object->name_length = length;
	return true;
}

/* Whether the table on top has as many members as were put in. */
static bool has_all(lua_State *L, int members)
{
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		members--;
	return members == 0;
}

static bool read_member(struct reading *from, struct object *object)
{
	if (object->waiting == 0)
		luaL_checkstack(from->L, 2 * WAITING_MEMBERS + 6, "JSON too deep");
	if (object->members > 0 && !weigh(from, 1))
		return false;
	if (!take(from, '"') || !read_name(from, object) || !take(from, ':') || !read_value(from))
		return false;
	object->members++;
	if (++object->waiting == WAITING_MEMBERS)
		put_members(from->L, object);
	return true;
}

static bool read_object(struct reading *from)
{
	struct object object = { .sorted = true };

	if (!take(from, '}')) {
		do {
			if (!read_member(from, &object))
				return false;
		} while (take(from, ','));
		if (!take(from, '}'))
			return false;
	}
	put_members(from->L, &object);
	return object.sorted || has_all(from->L, object.members);
}

/* Moves the first items, which wait on the stack, into their list. */
static void put_items(lua_State *L, int items)
{
	int place = -items - 1;

	lua_createtable(L, items, 0);
	lua_insert(L, place);
	for (; items > 0; items--, place++)
		lua_rawseti(L, place, items);
}

static bool read_items(struct reading *from)
{
	lua_State *L = from->L;
	lua_Integer count = 0;

	luaL_checkstack(L, WAITING_ITEMS + 6, "JSON too deep");
	do {
		if ((count > 0 && !weigh(from, 1)) || !read_value(from))
			return false;
		if (++count > WAITING_ITEMS)
			lua_rawseti(L, -2, count);
		else if (count == WAITING_ITEMS)
			put_items(L, WAITING_ITEMS);
	} while (take(from, ','));
	if (count < WAITING_ITEMS)
		put_items(L, (int)count);
	return take(from, ']');
}

static bool read_array(struct reading *from)
{
	if (take(from, ']'))
		lua_newtable(from->L);
	else if (!read_items(from))
		return false;
	bridge_mark_array(from->L);
	return true;
}

static bool read_container(struct reading *from)
{
	bool array = *from->at++ == '[', good;

	if (from->depth == LIMIT_JSON_DEPTH || !weigh(from, CONTAINER_WEIGHT))
		return false;
	from->depth++;
	good = array ? read_array(from) : read_object(from);
	from->depth--;
	return good;
}

/* Pushes the value. False: it is given up, and anything may lie on the stack. */
static bool read_value(struct reading *from)
{
	skip_blanks(from);
	if (from->at == from->end)
		return false;
	switch (*from->at) {
	case '{':
	case '[': return read_container(from);
	case '"': from->at++; return read_text(from);
	case 't': lua_pushboolean(from->L, 1); return take_word(from, "true");
	case 'f': lua_pushboolean(from->L, 0); return take_word(from, "false");
	case 'n': lua_pushlightuserdata(from->L, NULL); return take_word(from, "null");
	default: return read_number(from);
	}
}

bool bridge_read_plain(lua_State *L, const char *text, size_t length)
{
	struct reading from = { .L = L, .at = text, .end = text + length };

	luaL_checkstack(L, 6, "JSON too deep");
	if (!read_value(&from))
		return false;
	skip_blanks(&from);
	return from.at == from.end;
}

bool bridge_read(lua_State *L, const char *text, size_t length, struct error *error)
{
	int top = lua_gettop(L);
	json_t **value;

	if (bridge_read_plain(L, text, length))
		return true;
	lua_settop(L, top);
	value = bridge_push_json(L);
	*value = json_read(text, length, error);
	if (*value == NULL) {
		lua_settop(L, top);
		return false;
	}
	bridge_push(L, *value);
	json_decref(*value);
	*value = NULL;
	lua_remove(L, -2);
	return true;
}
