/* sim_form.c - a multipart/form-data body (http/form.h) as a Lua value, for the vendor scripts. Runs on their thread.
 *
 * What is not well-formed gives nil: a vendor would refuse it too. */
#include "sim/internal.h"

#include <lauxlib.h>

#include "http/form.h"

static void set_span(lua_State *L, const char *name, struct form_span span)
{
	if (span.at == NULL)
		return;
	lua_pushlstring(L, span.at, span.length);
	lua_setfield(L, -2, name);
}

/* Adds the part to the list on top. A file has `data`, a field `value`. */
static void push_part(lua_State *L, const struct form_part *part, int number)
{
	lua_createtable(L, 0, 4);
	set_span(L, "name", part->name);
	set_span(L, part->filename.at != NULL ? "data" : "value", part->content);
	set_span(L, "filename", part->filename);
	set_span(L, "content_type", part->type);
	lua_rawseti(L, -2, number);
}

void sim_form_push(lua_State *L, const char *content_type, const char *body, size_t length)
{
	struct form_reader reader;
	struct form_part part;
	struct error error;

	if (form_open(&reader, content_type, body, length, &error) != ERROR_NONE) {
		lua_pushnil(L);
		return;
	}
	lua_newtable(L);
	while (form_next(&reader, &part, &error))
		push_part(L, &part, reader.parts);
	if (error.code != ERROR_NONE) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
}
