/* sim_lua.c - requests, answers and webhooks as the vendor scripts' Lua values. On their thread, inside a protected call.
 *
 * What is not in an answer, or is of another type than it should be, counts as empty, 0 or false. */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/bridge.h"

static void set_text_field(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text != NULL ? text : "");
	lua_setfield(L, -2, name);
}

/* A header, by its name in lower case, into the table on top. */
static void push_header(void *context, const char *name, const char *value)
{
	lua_State *L = context;
	char folded[128];

	if (text_fold(name, folded, sizeof folded))
		set_text_field(L, folded, value);
}

void sim_lua_push_request(lua_State *L, const struct sim_exchange *x)
{
	const struct http_request *request = x->request;

	lua_createtable(L, 0, 16);
	if (x->provider != NULL)
		set_text_field(L, "provider", x->provider);
	set_text_field(L, "method", request->method);
	set_text_field(L, "host", x->host);
	set_text_field(L, "base", x->base);
	set_text_field(L, "path", x->path);
	set_text_field(L, "query_text", x->query);
	if (x->fault >= SIM_RATE_LIMIT)
		set_text_field(L, "fault", sim_fault_name(x->fault));
	lua_createtable(L, 0, 16);
	http_each_header(request, push_header, L);
	lua_setfield(L, -2, "headers");
	lua_pushlstring(L, request->body, request->body_length);
	lua_setfield(L, -2, "body");
	sim_form_push(L, http_header(request, "Content-Type"), request->body, request->body_length);
	lua_setfield(L, -2, "form");
	lua_pushinteger(L, clock_unix_ms());
	lua_setfield(L, -2, "now");
}

static void copy_field(lua_State *L, const char *name, char *to, size_t size)
{
	lua_getfield(L, -1, name);
	snprintf(to, size, "%s", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "");
	lua_pop(L, 1);
}

static int64_t integer_field(lua_State *L, const char *name)
{
	int64_t value;

	lua_getfield(L, -1, name);
	value = lua_isnumber(L, -1) ? (int64_t)lua_tonumber(L, -1) : 0;
	lua_pop(L, 1);
	return value;
}

static bool bool_field(lua_State *L, const char *name)
{
	bool value;

	lua_getfield(L, -1, name);
	value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

/* The table `headers` of the answer on top, as lines. A line end in a value ends it. */
static void read_header_lines(lua_State *L, struct buffer *out, const char *line_end)
{
	lua_getfield(L, -1, "headers");
	if (lua_istable(L, -1)) {
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 2)) {
			const char *value = luaL_tolstring(L, -1, NULL);
			if (lua_type(L, -3) == LUA_TSTRING)
				buffer_format(
					out, "%s: %.*s%s", lua_tostring(L, -3), (int)strcspn(value, "\r\n"), value, line_end);
		}
	}
	lua_pop(L, 1);
}

int64_t sim_lua_read_answer(lua_State *L, struct sim_exchange *x)
{
	size_t length;
	const char *body;

	luaL_checktype(L, -1, LUA_TTABLE);
	x->status = (int)integer_field(L, "status");
	x->delay_ms = integer_field(L, "delay_ms");
	x->paid = bool_field(L, "paid");
	x->cut = bool_field(L, "cut");
	x->fault_used = bool_field(L, "fault_used");
	copy_field(L, "job", x->job, sizeof x->job);
	copy_field(L, "prompt", x->prompt, sizeof x->prompt);
	read_header_lines(L, &x->headers, "\r\n");
	lua_getfield(L, -1, "json");
	x->is_json = !lua_isnil(L, -1);
	if (x->is_json)
		bridge_write(L, -1, &x->answer);
	lua_pop(L, 1);
	lua_getfield(L, -1, "body");
	body = lua_tolstring(L, -1, &length);
	if (body != NULL)
		buffer_append(&x->answer, body, length);
	lua_pop(L, 1);
	return integer_field(L, "wake");
}

char *sim_lua_take_text(lua_State *L, const char *name, size_t *length)
{
	size_t size = 0;
	const char *text;
	char *copy;

	lua_getfield(L, -1, name);
	text = lua_tolstring(L, -1, &size);
	copy = memory_copy_bytes(text != NULL ? text : "", size);
	if (length != NULL)
		*length = size;
	lua_pop(L, 1);
	return copy;
}

struct sim_delivery *sim_lua_take_delivery(lua_State *L)
{
	struct sim_delivery *delivery = memory_new(sizeof *delivery);
	struct buffer headers;

	buffer_init(&headers, LIMIT_SIM_HEAD_BYTES);
	read_header_lines(L, &headers, "\n");
	delivery->headers = buffer_take(&headers);
	delivery->url = sim_lua_take_text(L, "url", NULL);
	delivery->body = sim_lua_take_text(L, "body", &delivery->body_length);
	copy_field(L, "provider", delivery->provider, sizeof delivery->provider);
	copy_field(L, "job", delivery->job, sizeof delivery->job);
	delivery->tries = (int)integer_field(L, "tries");
	delivery->pause_ms = integer_field(L, "pause_ms");
	delivery->due_ms = clock_unix_ms();
	return delivery;
}
