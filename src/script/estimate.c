/* estimate.c - dollars of scripts become int64 micro-dollars here, once. Engine thread, inside the coroutine. */
#include "script/estimate.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "script/bridge.h"

#define MOST_USD 1e9

static int64_t read_usd(lua_State *L, int table, const char *name)
{
	int type = lua_getfield(L, table, name);
	int64_t micro = -1;
	double usd;

	if (type != LUA_TNUMBER && type != LUA_TNIL && type != LUA_TLIGHTUSERDATA)
		luaL_error(L, "estimate: %s is a %s: dollars are expected", name, lua_typename(L, type));
	if (type == LUA_TNUMBER) {
		usd = lua_tonumber(L, -1);
		if (!isfinite(usd) || usd < 0 || usd > MOST_USD)
			luaL_error(L, "estimate: %s is %f: dollars from 0 to 1e9 are expected", name, usd);
		micro = llround(usd * 1e6);
	}
	lua_pop(L, 1);
	return micro;
}

static void write_usd(struct buffer *out, const char *name, int64_t micro)
{
	buffer_format(out, "\"%s\":", name);
	if (micro < 0)
		buffer_text(out, "null");
	else
		json_write_usd(out, micro);
	buffer_char(out, ',');
}

static void write_field(lua_State *L, int table, const char *name, struct buffer *out)
{
	buffer_format(out, "\"%s\":", name);
	lua_getfield(L, table, name);
	bridge_write(L, -1, out);
	lua_pop(L, 1);
	buffer_char(out, ',');
}

/* The keys that are not the standard ones, sorted by bridge_write: copied into a table of their own. */
static void write_others(lua_State *L, int table, struct buffer *out)
{
	static const char *const standard[] = { "expected", "low", "high", "unit", "quantity", "source", "as_of" };
	static const char *const ours[] = { "estimated_cost_usd", "low_usd", "high_usd" };
	struct buffer *others;

	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, table);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, standard[i]);
	}
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (lua_getfield(L, -1, ours[i]) != LUA_TNIL)
			luaL_error(L, "estimate: the key '%s' is the host's; use expected, low and high", ours[i]);
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	if (lua_next(L, -2) == 0) {
		lua_pop(L, 1);
		return;
	}
	lua_pop(L, 2);
	others = bridge_push_buffer(L);
	bridge_write(L, -2, others);
	buffer_append(out, others->data + 1, others->length - 2);
	buffer_char(out, ',');
	lua_pop(L, 2);
}

static void write_unknown(lua_State *L, int reason, struct buffer *out)
{
	buffer_text(out, "{\"estimated_cost_usd\":null,\"low_usd\":null,\"high_usd\":null,\"unit\":null,\"quantity\":null,"
			 "\"source\":null,\"as_of\":null,\"missing\":");
	if (lua_type(L, reason) == LUA_TSTRING)
		json_write_text(out, lua_tostring(L, reason));
	else
		buffer_text(out, "\"the price of this job is not known\"");
	buffer_char(out, '}');
}

void estimate_write(lua_State *L, int index, struct buffer *out, int64_t *expected, int64_t *high)
{
	int64_t low;

	luaL_checkstack(L, 12, NULL);
	if (!lua_istable(L, index)) {
		write_unknown(L, index + 1, out);
		return;
	}
	*expected = read_usd(L, index, "expected");
	low = read_usd(L, index, "low");
	*high = read_usd(L, index, "high");
	buffer_char(out, '{');
	write_usd(out, "estimated_cost_usd", *expected);
	write_usd(out, "low_usd", low);
	write_usd(out, "high_usd", *high);
	write_field(L, index, "unit", out);
	write_field(L, index, "quantity", out);
	write_field(L, index, "source", out);
	write_others(L, index, out);
	write_field(L, index, "as_of", out);
	out->length--; /* the last comma */
	buffer_char(out, '}');
	if (*high < 0)
		*high = *expected;
}
