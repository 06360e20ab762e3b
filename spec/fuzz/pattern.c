/* pattern.c - the pattern functions find what Lua's own find, and never take more steps than they may. The first line is the pattern, the rest the
 * subject. */
#include "fuzz.h"

#include <lauxlib.h>
#include <lualib.h>

#include "script/pattern_match.h"

#define STEPS 20000

/* Where the host's matcher finds it: from 0, or -1; -2: there is no such answer. */
static ptrdiff_t find(struct pattern_match *match, const char *subject, size_t length, const char *pattern, size_t pattern_length,
	ptrdiff_t *end)
{
	bool anchor = pattern_length > 0 && pattern[0] == '^';
	const char *to;

	pattern_match_init(match, subject, length, pattern, pattern_length, STEPS);
	for (size_t at = 0; at <= length; at++) {
		if (!anchor)
			at = (size_t)(pattern_may_begin(match, subject + at, pattern) - subject);
		FUZZ_CHECK(at <= length);
		match->capture_count = 0;
		to = pattern_match_at(match, subject + at, pattern + anchor);
		FUZZ_CHECK(match->steps <= STEPS);
		if (match->problem != PATTERN_FINE)
			return -2;
		if (to != NULL) {
			*end = to - subject;
			FUZZ_CHECK(*end >= (ptrdiff_t)at && *end <= (ptrdiff_t)length);
			return (ptrdiff_t)at;
		}
		if (anchor)
			break;
	}
	return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static lua_State *L;
	const uint8_t *rest;
	size_t length, pattern_length = fuzz_split(data, size, &rest, &length);
	char *pattern = fuzz_copy(data, pattern_length), *subject = fuzz_copy(rest, length);
	struct pattern_match match;
	ptrdiff_t end = -1, start;

	if (L == NULL) {
		L = luaL_newstate();
		luaL_openlibs(L);
	}
	start = find(&match, subject, length, pattern, pattern_length, &end);
	if (match.problem != PATTERN_STOPPED && pattern_has_specials(pattern, pattern_length)) { /* else it is plain text */
		lua_getglobal(L, "string");
		lua_getfield(L, -1, "find");
		lua_pushlstring(L, subject, length);
		lua_pushlstring(L, pattern, pattern_length);
		if (lua_pcall(L, 2, 2, 0) != LUA_OK) {
			/* a capture that is not closed is seen only when captures are asked for */
			FUZZ_CHECK(start == -2 || strstr(lua_tostring(L, -1), "unfinished capture") != NULL);
		} else if (start == -1 || start == -2) {
			FUZZ_CHECK(start == -1 && lua_isnil(L, -2));
		} else {
			FUZZ_CHECK(lua_tointeger(L, -2) == start + 1 && lua_tointeger(L, -1) == end);
		}
		lua_settop(L, 0);
	}
	free(pattern);
	free(subject);
	return 0;
}
