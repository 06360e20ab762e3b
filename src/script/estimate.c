/* estimate.c - dollars of scripts become int64 micro-dollars here, once. Engine thread, inside the coroutine. */
#include "script/estimate.h"

#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/micro_usd.h"
#include "script/bridge.h"
#include "script/call.h"
#include "script/isolation.h"
#include "script/refusal.h"

/* No price list is that dear: it is what was asked for that is too much, which is no fault of the script's. */
static void refuse_usd(lua_State *L, const char *name, double usd)
{
	if (!(usd > 0))
		luaL_error(L, "estimate: %s is %f: dollars from 0 to 1e9 are expected", name, usd);
	refusal_raise(L, NULL, lua_pushfstring(L, "estimate: %s is %f: more than 1e9 dollars cannot be asked for", name, usd));
}

static int64_t read_usd(lua_State *L, int table, const char *name)
{
	int type = lua_getfield(L, table, name);
	int64_t micro = -1;

	if (type != LUA_TNUMBER && type != LUA_TNIL && type != LUA_TLIGHTUSERDATA)
		luaL_error(L, "estimate: %s is a %s: dollars are expected", name, lua_typename(L, type));
	if (type == LUA_TNUMBER) {
		if (!micro_usd_from(lua_tonumber(L, -1), MICRO_USD_MOST, &micro))
			refuse_usd(L, name, lua_tonumber(L, -1));
		if (micro == 0 && lua_tonumber(L, -1) > 0) /* a price is not rounded to nothing */
			micro = 1;
	}
	lua_pop(L, 1);
	return micro;
}

static void write_estimate_name(struct buffer *out, const char *name)
{
	buffer_char(out, '"');
	buffer_text(out, name);
	buffer_append(out, "\":", 2);
}

static void write_estimate_field(lua_State *L, int table, const char *name, struct buffer *out)
{
	write_estimate_name(out, name);
	lua_getfield(L, table, name);
	bridge_write(L, -1, out);
	lua_pop(L, 1);
	buffer_char(out, ',');
}

#define MOST_OTHERS 32

static bool is_listed_name(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (**names == *name && strcmp(*names, name) == 0)
			return true;
	return false;
}

/* The fields that are not the standard ones, by name. The names are anchored by the table. */
static void write_others(lua_State *L, int table, struct buffer *out)
{
	static const char *const standard[] = { "expected", "low", "high", "unit", "quantity", "source", "as_of", "free",
		"unbounded", NULL };
	static const char *const ours[] = { "estimated_cost_usd", "low_usd", "high_usd", NULL };
	const char *names[MOST_OTHERS];
	size_t count = 0, at;

	isolation_plain(L, table);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (name == NULL || strlen(name) != (size_t)lua_rawlen(L, -2))
			luaL_error(L, "estimate: keys must be text, without a NUL");
		if (is_listed_name(name, standard))
			continue;
		if (is_listed_name(name, ours))
			luaL_error(L, "estimate: the key '%s' is the host's; use expected, low and high", name);
		if (count == MOST_OTHERS)
			luaL_error(L, "estimate: more than %d further fields", MOST_OTHERS);
		for (at = count++; at > 0 && strcmp(names[at - 1], name) > 0; at--)
			names[at] = names[at - 1];
		names[at] = name;
	}
	for (at = 0; at < count; at++) {
		json_write_text(out, names[at]);
		buffer_char(out, ':');
		lua_getfield(L, table, names[at]);
		bridge_write(L, -1, out);
		lua_pop(L, 1);
		buffer_char(out, ',');
	}
}

/* Of whose jobs it would be the price: what this one costs in the end tells of the next. */
static void write_priced(const struct script_call *call, struct buffer *out)
{
	if (call->priced_model[0] == '\0')
		return;
	json_member_text(out, "model", call->priced_model);
	if (call->priced_drivers[0] != '\0')
		json_member_text(out, "drivers", call->priced_drivers);
}

static void write_unknown(lua_State *L, int reason, const struct script_call *call, struct buffer *out)
{
	buffer_text(out, "{\"estimated_cost_usd\":null,\"low_usd\":null,\"high_usd\":null,\"unit\":null,\"quantity\":null,"
			 "\"source\":null,\"as_of\":null,");
	write_priced(call, out);
	buffer_text(out, "\"missing\":");
	if (lua_type(L, reason) == LUA_TSTRING)
		json_write_text(out, lua_tostring(L, reason));
	else
		buffer_text(out, "\"the price of this job is not known\"");
	buffer_char(out, '}');
}

static bool is_said(lua_State *L, int table, const char *name)
{
	bool said = lua_getfield(L, table, name) == LUA_TBOOLEAN && lua_toboolean(L, -1);

	lua_pop(L, 1);
	return said;
}

void estimate_write(lua_State *L, int index, struct script_call *call)
{
	int64_t low, *expected = &call->estimate_micro_usd, *high = &call->estimate_high_micro_usd;
	struct buffer *out = &call->estimates;

	luaL_checkstack(L, 12, NULL);
	if (!lua_istable(L, index)) {
		write_unknown(L, index + 1, call, out);
		return;
	}
	*expected = read_usd(L, index, "expected");
	low = read_usd(L, index, "low");
	*high = read_usd(L, index, "high");
	call->estimate_free = is_said(L, index, "free");
	buffer_char(out, '{');
	json_member_usd(out, "estimated_cost_usd", *expected);
	json_member_usd(out, "low_usd", low);
	json_member_usd(out, "high_usd", *high);
	write_estimate_field(L, index, "unit", out);
	write_estimate_field(L, index, "quantity", out);
	write_estimate_field(L, index, "source", out);
	write_others(L, index, out);
	write_estimate_field(L, index, "as_of", out);
	out->length--; /* the last comma */
	buffer_char(out, '}');
	if (*high < 0 && !is_said(L, index, "unbounded"))
		*high = *expected;
}
