/* refusal.c - from a script's words to the answer's texts. Engine thread. */
#include "script/refusal.h"

#include <stdio.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "script/call.h"

void refusal_raise(lua_State *L, const char *field, const char *message)
{
	lua_createtable(L, 0, 2);
	lua_pushstring(L, field);
	lua_setfield(L, -2, "field");
	lua_pushstring(L, message);
	lua_setfield(L, -2, "message");
	lua_error(L);
}

static const char *refusal_text(lua_State *L, int index, const char *name, const char *otherwise)
{
	const char *text = otherwise;

	if (lua_getfield(L, index, name) == LUA_TSTRING)
		text = lua_tostring(L, -1);
	lua_pop(L, 1); /* still anchored by the table */
	return text;
}

void refusal_to_error(lua_State *L, int index, struct error *error)
{
	const char *field, *message;

	index = lua_absindex(L, index);
	if (lua_type(L, index) == LUA_TSTRING) {
		error_set(error, ERROR_INVALID, "", "%s", lua_tostring(L, index));
		return;
	}
	if (lua_type(L, index) != LUA_TTABLE) {
		error_set(error, ERROR_INVALID, "", "the provider refused this request without saying why");
		return;
	}
	if (lua_geti(L, index, 1) == LUA_TTABLE)
		lua_replace(L, index);
	else
		lua_pop(L, 1);
	field = refusal_text(L, index, "field", "");
	message = refusal_text(L, index, "message", "is not accepted by this provider");
	error_set(error, ERROR_INVALID, field, "%s", message);
}

/* The possible values, as text after the message. */
static void add_allowed(lua_State *L, int index, struct buffer *text)
{
	const char *separator = "; possible: ";

	if (lua_getfield(L, index, "allowed") == LUA_TTABLE) {
		lua_Integer count = luaL_len(L, -1);

		for (lua_Integer i = 1; i <= count && !text->failed; i++) { /* a full buffer takes no more */
			lua_geti(L, -1, i);
			buffer_text(text, separator);
			buffer_text(text, luaL_tolstring(L, -1, NULL));
			separator = ", ";
			lua_pop(L, 2);
		}
	}
	lua_pop(L, 1);
}

void refusal_write(lua_State *L, int index, struct script_call *call, struct buffer *out)
{
	const char *field = refusal_text(L, index, "field", "");
	char text_data[1024];
	struct buffer text = { .data = text_data, .capacity = sizeof text_data, .maximum = sizeof text_data - 1 };

	/* a fixed buffer: nothing to free when something below raises; what is longer is cut */
	if (*field != '\0') {
		buffer_text(&text, script_call_prefix(call));
		buffer_text(&text, *script_call_prefix(call) != '\0' ? "." : "");
		buffer_text(&text, field);
		buffer_text(&text, ": ");
	}
	buffer_text(&text, refusal_text(L, index, "message", "is not accepted by this provider"));
	add_allowed(L, index, &text);
	json_write_string(out, text_data, text.length);
	buffer_char(out, ',');
}

static void collect_one(lua_State *L, int index, struct script_call *call)
{
	struct buffer *json = &call->refusals;
	size_t start = json->length;

	refusal_write(L, index, call, json);
	buffer_append(&call->warnings, json->data + start, json->length - start);
}

void refusal_collect(lua_State *L, int index, struct script_call *call)
{
	index = lua_absindex(L, index);
	luaL_checkstack(L, 8, NULL);
	if (lua_type(L, index) == LUA_TSTRING) {
		lua_createtable(L, 0, 1);
		lua_pushvalue(L, index);
		lua_setfield(L, -2, "message");
		collect_one(L, lua_gettop(L), call);
		lua_pop(L, 1);
		return;
	}
	if (lua_type(L, index) != LUA_TTABLE)
		luaL_error(L, "a function that returns nil must say why: nil, { field =, message = }");
	if (luaL_len(L, index) == 0) {
		collect_one(L, index, call);
		return;
	}
	for (lua_Integer i = 1; i <= LIMIT_SCRIPT_WARNINGS && lua_geti(L, index, i) == LUA_TTABLE; i++) {
		collect_one(L, lua_gettop(L), call);
		lua_pop(L, 1);
	}
}

static int take_entry(lua_State *L)
{
	struct script_call *call = lua_touserdata(L, 2);

	lua_settop(L, 1);
	if (call->outcome == CALL_INVALID)
		refusal_to_error(L, 1, &call->error);
	else
		refusal_collect(L, 1, call);
	return 0;
}

void refusal_take_error(lua_State *thread, struct script_call *call, bool as_bad_input)
{
	static const char text[] = "\"the provider refused this request\",";
	lua_State *main = call->instance->state->L;

	call->outcome = as_bad_input ? CALL_INVALID : CALL_REFUSED;
	error_set(&call->error, ERROR_INVALID, "", "the provider refused this request");
	lua_settop(main, 0);
	lua_pushcfunction(main, take_entry);
	lua_xmove(thread, main, 1);
	lua_pushlightuserdata(main, call);
	if (lua_pcall(main, 2, 0, 0) != LUA_OK && !as_bad_input) {
		buffer_text(&call->refusals, text);
		buffer_text(&call->warnings, text);
	}
	lua_settop(main, 0);
}
