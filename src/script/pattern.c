/* pattern.c - refuses pattern calls whose worst case would hold the engine.
 *
 * Lua's matcher backtracks: with q quantifiers it takes up to n^q steps on n bytes, one power more when the pattern is not anchored, twice
 * as many for each optional item, and a back-reference compares up to n bytes.
 * A call whose worst case is over LIMIT_PATTERN_COST steps is refused with an error that says so; so is any subject over
 * LIMIT_PATTERN_SUBJECT_BYTES. A plain find does not backtrack and is bounded by subject times pattern. string.rep is here for the same
 * reason: repeating nothing a billion times is a loop in C that allocates nothing. */
#include "script/pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "script/state.h"

#define COST_OF_A_LOOK 1e6
#define USUAL_SET 32 /* bytes of a set that cost about a step */

struct weight {
	int powers; /* quantifiers that can backtrack: * + - (not at the start of an item); %b and %1, which scan on */
	int halves; /* ?: each tries two ways */
	size_t set; /* bytes of the longest [set], looked through for each byte of the subject */
};

/* Where the set that begins at `at` ends: the index of its ], or the length. */
static size_t end_of_set(const char *pattern, size_t length, size_t at)
{
	at += at + 1 < length && pattern[at + 1] == '^' ? 2 : 1;
	if (at < length && pattern[at] == ']')
		at++;
	while (at < length && pattern[at] != ']')
		at += pattern[at] == '%' ? 2 : 1;
	return at < length ? at : length;
}

static struct weight weigh(const char *pattern, size_t length)
{
	struct weight weight = { 0 };

	for (size_t i = 0; i < length; i++) {
		if (pattern[i] == '%') {
			i++;
			weight.powers += i < length && (pattern[i] == 'b' || isdigit((unsigned char)pattern[i]));
		} else if (pattern[i] == '[') {
			size_t end = end_of_set(pattern, length, i);

			weight.set = end - i > weight.set ? end - i : weight.set;
			i = end;
		} else if (i > 0 && (pattern[i] == '*' || pattern[i] == '+' || pattern[i] == '-')) {
			weight.powers++;
		} else if (i > 0 && pattern[i] == '?') {
			weight.halves++;
		}
	}
	return weight;
}

/* The costly ones are few instructions for much time: the clock is looked at before each. */
static void spend(lua_State *L, double cost)
{
	if (cost > COST_OF_A_LOOK)
		script_check_time_now(L);
}

static void check_cost(lua_State *L, bool repeats)
{
	size_t subject, length;
	const char *pattern;
	struct weight weight;
	double cost;

	luaL_checklstring(L, 1, &subject);
	pattern = luaL_checklstring(L, 2, &length);
	if (subject > LIMIT_PATTERN_SUBJECT_BYTES)
		luaL_error(L,
			"pattern functions take subjects of at most %d bytes, this one has %d (use plain find, or string.sub "
			"first)",
			LIMIT_PATTERN_SUBJECT_BYTES, (int)subject);
	if (length > LIMIT_PATTERN_BYTES)
		luaL_error(L, "a pattern has at most %d bytes, this one has %d", LIMIT_PATTERN_BYTES, (int)length);
	weight = weigh(pattern, length);
	if (weight.powers + weight.halves == 0)
		return;
	cost = weight.set > USUAL_SET ? (double)(weight.set / USUAL_SET) : 1;
	weight.powers += pattern[0] != '^' || repeats;
	for (; weight.powers > 0 && cost <= (double)LIMIT_PATTERN_COST; weight.powers--)
		cost *= (double)subject;
	for (; weight.halves > 0 && cost <= (double)LIMIT_PATTERN_COST; weight.halves--)
		cost *= 2;
	if (cost > (double)LIMIT_PATTERN_COST)
		luaL_error(L,
			"pattern '%s' could take too long on %d bytes: anchor it with ^, use fewer quantifiers, or a shorter "
			"text",
			pattern, (int)subject);
	spend(L, cost);
}

/* Calls the library's own function, kept as the upvalue, with the same arguments. */
static int pass_on(lua_State *L)
{
	int arguments = lua_gettop(L);

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, arguments, LUA_MULTRET);
	return lua_gettop(L);
}

static int guarded_find(lua_State *L)
{
	size_t subject, pattern;

	if (!lua_toboolean(L, 4)) {
		check_cost(L, false);
		return pass_on(L);
	}
	luaL_checklstring(L, 1, &subject);
	luaL_checklstring(L, 2, &pattern);
	if ((double)subject * (double)pattern > (double)LIMIT_PLAIN_FIND_COST)
		luaL_error(L, "find of %d bytes in %d bytes could take too long", (int)pattern, (int)subject);
	spend(L, (double)subject * (double)pattern);
	return pass_on(L);
}

static int guarded_rep(lua_State *L)
{
	lua_Integer count = luaL_checkinteger(L, 2);

	if (count > LIMIT_SCRIPT_MEMORY_BYTES)
		luaL_error(L, "string.rep: more than %d repetitions", LIMIT_SCRIPT_MEMORY_BYTES);
	spend(L, (double)count);
	return pass_on(L);
}

static int guarded_match(lua_State *L)
{
	check_cost(L, false);
	return pass_on(L);
}

static int guarded_repeating(lua_State *L)
{
	check_cost(L, true);
	return pass_on(L);
}

static const luaL_Reg guarded[] = {
	{ "find", guarded_find },
	{ "match", guarded_match },
	{ "gmatch", guarded_repeating },
	{ "gsub", guarded_repeating },
	{ "rep", guarded_rep },
	{ NULL, NULL },
};

void pattern_add_guarded(lua_State *L)
{
	for (const luaL_Reg *entry = guarded; entry->name != NULL; entry++) {
		lua_getfield(L, -1, entry->name);
		lua_pushcclosure(L, entry->func, 1);
		lua_setfield(L, -3, entry->name);
	}
	lua_pop(L, 1);
}
