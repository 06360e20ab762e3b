/* outgoing_form.c - the parts of a form that a script sends: fields and files. Engine thread, inside the coroutine's protected run. */
#include "script/outgoing_parts.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "script/isolation.h"
#include "script/refusal.h"

/* A text field of the table on top, or NULL. */
static const char *part_text(lua_State *L, int anchor, const char *name, size_t *length)
{
	const char *text = NULL;

	if (lua_getfield(L, -1, name) == LUA_TSTRING)
		text = outgoing_borrow(L, anchor, -1, length);
	lua_pop(L, 1);
	return text;
}

/* One that stands in a line of the part's head. */
static const char *part_line(lua_State *L, int anchor, const char *name)
{
	const char *text = NULL;
	size_t length;

	if (lua_getfield(L, -1, name) == LUA_TSTRING) {
		text = outgoing_borrow(L, anchor, -1, &length);
		outgoing_check_line(L, text, length, LIMIT_OUTGOING_NAME_BYTES, "form: the %s of a part", name);
	}
	lua_pop(L, 1);
	return text;
}

/* Quartets of the alphabet, the last with up to two = at its end: what EVP_DecodeBlock() takes and decodes to what was meant. */
static bool is_base64(const char *text, size_t length)
{
	size_t padding = 0;

	if (length % 4 != 0)
		return false;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	for (size_t i = 0; i < length - padding; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

/* data:image/png;base64,AAAA: the type goes to content_type unless the part has one. */
static void split_data_uri(lua_State *L, int anchor, struct outgoing_part *part, const char *uri, size_t length)
{
	const char *comma = memchr(uri, ',', length < LIMIT_OUTGOING_NAME_BYTES ? length : LIMIT_OUTGOING_NAME_BYTES);
	size_t head;

	if (length < 5 || memcmp(uri, "data:", 5) != 0 || comma == NULL)
		luaL_error(L, "ctx.request: form: data_uri must be data:TYPE;base64,...");
	head = (size_t)(comma - uri);
	part->base64 = head >= 7 && memcmp(comma - 7, ";base64", 7) == 0;
	part->data = comma + 1;
	part->data_length = length - head - 1;
	if (part->base64 && !is_base64(part->data, part->data_length))
		refusal_raise(L, NULL, lua_pushfstring(L, "the data URI of the file '%s' is not base64", part->name));
	if (part->content_type == NULL && head > 5) {
		lua_pushlstring(L, uri + 5, strcspn(uri + 5, ";,"));
		part->content_type = outgoing_borrow(L, anchor, -1, &length);
		outgoing_check_line(L, part->content_type, length, LIMIT_OUTGOING_NAME_BYTES, "form: the type in data_uri", NULL);
		lua_pop(L, 1);
	}
}

/* What a field has: text, or what has one way to be written. */
static void read_part_value(lua_State *L, int anchor, struct outgoing_part *part)
{
	int type = lua_getfield(L, -1, "value");

	if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
		luaL_tolstring(L, -1, NULL);
		part->value = outgoing_borrow(L, anchor, -1, &part->value_length);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (part->value == NULL)
		luaL_error(L, "ctx.request: form: part '%s' needs value, data or data_uri", part->name);
}

static void read_part(lua_State *L, int anchor, struct outgoing_part *part)
{
	size_t length = 0;
	const char *uri;

	*part = (struct outgoing_part){ 0 };
	part->name = part_line(L, anchor, "name");
	if (part->name == NULL)
		luaL_error(L, "ctx.request: form: each part needs a name");
	part->filename = part_line(L, anchor, "filename");
	part->content_type = part_line(L, anchor, "content_type");
	part->data = part_text(L, anchor, "data", &part->data_length);
	uri = part_text(L, anchor, "data_uri", &length);
	if (uri != NULL)
		split_data_uri(L, anchor, part, uri, length);
	if (part->data == NULL)
		read_part_value(L, anchor, part);
	else if (part->filename == NULL)
		part->filename = part->name;
}

void outgoing_read_form(lua_State *L, int anchor, struct outgoing *outgoing)
{
	size_t count;

	isolation_plain(L, -1);
	count = (size_t)lua_rawlen(L, -1);
	if (count > OUTGOING_PARTS)
		luaL_error(L, "ctx.request: form: more than %d parts", OUTGOING_PARTS);
	outgoing->parts = memory_new_array(OUTGOING_PARTS, sizeof *outgoing->parts);
	for (size_t i = 0; i < count; i++) {
		if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TTABLE)
			luaL_error(L, "ctx.request: form: a list of { name =, value = } is expected");
		read_part(L, anchor, &outgoing->parts[i]);
		lua_pop(L, 1);
	}
	outgoing->part_count = count;
}
