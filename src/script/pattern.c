/* pattern.c - the pattern functions of scripts, on the matcher of pattern_match.h.
 *
 * Subjects are at most LIMIT_PATTERN_SUBJECT_BYTES long and patterns LIMIT_PATTERN_BYTES; a plain find takes any. What a call may cost is what
 * is left of the script's budget: the matcher gets steps by the thousand. */
#include "script/pattern.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "script/pattern_match.h"
#include "script/state.h"

#define STEPS_AT_ONCE 4096
#define SLICE_BYTES 262144 /* of a plain find, between two looks at the budget */

/* A match and the Lua state that pays for it. */
struct search {
	struct pattern_match match; /* first: more_steps() goes from it to the whole */
	lua_State *L;
	const char *subject, *pattern;
	size_t subject_length, pattern_length;
};

/* ---- the budget ---- */

static bool more_steps(struct pattern_match *match)
{
	int64_t used = STEPS_AT_ONCE - match->steps;

	match->steps = STEPS_AT_ONCE;
	return script_may_spend(((struct search *)match)->L, (size_t)used);
}

/* Counts what was used since. Raises when there is a problem. */
static void settle_search(struct search *search)
{
	struct pattern_match *match = &search->match;
	char text[64];

	if (match->problem == PATTERN_STOPPED)
		script_stop_spent(search->L);
	script_spend(search->L, (size_t)(STEPS_AT_ONCE - match->steps));
	match->steps = STEPS_AT_ONCE;
	if (match->problem == PATTERN_FINE)
		return;
	pattern_problem_text(match, text, sizeof text);
	luaL_error(search->L, "%s", text);
}

/* ---- what all four do ---- */

static void check_lengths(lua_State *L, size_t subject, size_t pattern)
{
	if (subject > LIMIT_PATTERN_SUBJECT_BYTES)
		luaL_error(L,
			"pattern functions take subjects of at most %d bytes, this one has %d (use plain find, or "
			"string.sub first)",
			LIMIT_PATTERN_SUBJECT_BYTES, (int)subject);
	if (pattern > LIMIT_PATTERN_BYTES)
		luaL_error(L, "a pattern has at most %d bytes, this one has %d", LIMIT_PATTERN_BYTES, (int)pattern);
}

/* Takes subject and pattern from two places of the stack, where they must stay. */
static void begin_search(lua_State *L, struct search *search, int subject, int pattern)
{
	search->L = L;
	search->subject = luaL_checklstring(L, subject, &search->subject_length);
	search->pattern = luaL_checklstring(L, pattern, &search->pattern_length);
}

static void begin_matching(struct search *search)
{
	check_lengths(search->L, search->subject_length, search->pattern_length);
	pattern_match_init(
		&search->match, search->subject, search->subject_length, search->pattern, search->pattern_length, STEPS_AT_ONCE);
	search->match.more_steps = more_steps;
}

/* Where a search begins: `position` as string.find takes it, negative from the end. SIZE_MAX: beyond the subject. */
static size_t start_offset(lua_Integer position, size_t length)
{
	if (position > 0)
		return (lua_Unsigned)position - 1 > length ? SIZE_MAX : (size_t)position - 1;
	if (position == 0 || position < -(lua_Integer)length)
		return 0;
	return length - (size_t)-position;
}

static void push_capture(struct search *search, int index, const char *start, const char *end)
{
	struct pattern_capture whole;
	const struct pattern_capture *capture = pattern_capture_at(&search->match, index, start, end, &whole);

	if (capture == NULL)
		settle_search(search); /* raises */
	else if (capture->length == CAPTURE_POSITION)
		lua_pushinteger(search->L, capture->start - search->subject + 1);
	else
		lua_pushlstring(search->L, capture->start, (size_t)capture->length);
}

/* All captures; of a pattern without any the whole match, if there is one to push. Returns how many. */
static int push_captures(struct search *search, const char *start, const char *end)
{
	int count = search->match.capture_count == 0 && start != NULL ? 1 : search->match.capture_count;

	luaL_checkstack(search->L, count + 2, "too many captures");
	for (int i = 0; i < count; i++)
		push_capture(search, i, start, end);
	return count;
}

/* ---- find, match ---- */

/* memmem() takes its time on periodic texts, so it gets slices: each overlaps the next by what a find could miss. */
static const char *find_plain(struct search *search, size_t offset)
{
	const char *at = search->subject + offset, *end = search->subject + search->subject_length, *found = NULL;
	size_t length = search->pattern_length, slice;

	while (found == NULL && (size_t)(end - at) >= length) {
		slice = (size_t)(end - at) - length < SLICE_BYTES ? (size_t)(end - at) : SLICE_BYTES + length;
		found = memmem(at, slice, search->pattern, length);
		script_spend(search->L, (found != NULL ? (size_t)(found - at) + length : slice) / SCRIPT_BYTES_OF_A_STEP);
		if (slice == (size_t)(end - at))
			break;
		at += SLICE_BYTES;
	}
	return found;
}

static int find_as_text(struct search *search, size_t offset)
{
	const char *found = find_plain(search, offset);

	if (found == NULL) {
		luaL_pushfail(search->L);
		return 1;
	}
	lua_pushinteger(search->L, found - search->subject + 1);
	lua_pushinteger(search->L, found - search->subject + (lua_Integer)search->pattern_length);
	return 2;
}

static int find_or_match(lua_State *L, bool find)
{
	struct search search;
	size_t offset;
	const char *at, *end, *pattern;
	bool anchored;

	begin_search(L, &search, 1, 2);
	offset = start_offset(luaL_optinteger(L, 3, 1), search.subject_length);
	if (offset == SIZE_MAX) {
		luaL_pushfail(L);
		return 1;
	}
	if (find && lua_toboolean(L, 4))
		return find_as_text(&search, offset);
	begin_matching(&search);
	if (find && !pattern_has_specials(search.pattern, search.pattern_length))
		return find_as_text(&search, offset);
	anchored = search.pattern_length > 0 && search.pattern[0] == '^';
	pattern = search.pattern + anchored;
	at = search.subject + offset;
	if (!anchored)
		at = pattern_may_begin(&search.match, at, pattern);
	while ((end = pattern_match_at(&search.match, at, pattern)) == NULL && search.match.problem == PATTERN_FINE &&
		!anchored && at < search.match.subject_end)
		at = pattern_may_begin(&search.match, at + 1, pattern);
	settle_search(&search);
	if (end == NULL) {
		luaL_pushfail(L);
		return 1;
	}
	if (!find)
		return push_captures(&search, at, end);
	lua_pushinteger(L, at - search.subject + 1);
	lua_pushinteger(L, end - search.subject);
	return push_captures(&search, NULL, NULL) + 2;
}

static int sandbox_find(lua_State *L)
{
	return find_or_match(L, true);
}

static int sandbox_match(lua_State *L)
{
	return find_or_match(L, false);
}

/* ---- gmatch: upvalues are subject, pattern, where to go on, and where the last match ended (-1: none yet) ---- */

enum { GMATCH_SUBJECT = 1, GMATCH_PATTERN, GMATCH_NEXT, GMATCH_LAST };

static void keep_offset(lua_State *L, int upvalue, ptrdiff_t offset)
{
	lua_pushinteger(L, offset);
	lua_replace(L, lua_upvalueindex(upvalue));
}

static int gmatch_next(lua_State *L)
{
	struct search search;
	const char *at, *last, *end;

	begin_search(L, &search, lua_upvalueindex(GMATCH_SUBJECT), lua_upvalueindex(GMATCH_PATTERN));
	begin_matching(&search);
	at = search.subject + lua_tointeger(L, lua_upvalueindex(GMATCH_NEXT));
	last = search.subject + lua_tointeger(L, lua_upvalueindex(GMATCH_LAST));
	if (lua_tointeger(L, lua_upvalueindex(GMATCH_LAST)) < 0)
		last = NULL;
	for (; at <= search.match.subject_end && search.match.problem == PATTERN_FINE; at++) {
		end = pattern_match_at(&search.match, at, search.pattern);
		if (end == NULL || end == last)
			continue;
		settle_search(&search);
		keep_offset(L, GMATCH_NEXT, end - search.subject);
		keep_offset(L, GMATCH_LAST, end - search.subject);
		return push_captures(&search, at, end);
	}
	settle_search(&search);
	return 0;
}

static int sandbox_gmatch(lua_State *L)
{
	struct search search;
	size_t offset;

	begin_search(L, &search, 1, 2);
	begin_matching(&search);
	offset = start_offset(luaL_optinteger(L, 3, 1), search.subject_length);
	lua_settop(L, 2);
	lua_pushinteger(L, offset == SIZE_MAX ? (lua_Integer)search.subject_length + 1 : (lua_Integer)offset);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_next, 4);
	return 1;
}

/* ---- gsub ---- */

enum { GSUB_REPLACEMENT = 3 };

/* "%1" and the like in a replacement text: what stands after the % at `at`. */
static void add_capture(struct search *search, luaL_Buffer *out, const char *at, const char *start, const char *end)
{
	struct pattern_capture whole;
	const struct pattern_capture *capture;

	if (*at == '0') {
		luaL_addlstring(out, start, (size_t)(end - start));
		return;
	}
	if (!isdigit((unsigned char)*at))
		luaL_error(search->L, "invalid use of '%%' in replacement string");
	capture = pattern_capture_at(&search->match, *at - '1', start, end, &whole);
	if (capture == NULL)
		settle_search(search);
	else if (capture->length != CAPTURE_POSITION)
		luaL_addlstring(out, capture->start, (size_t)capture->length);
	else {
		lua_pushinteger(search->L, capture->start - search->subject + 1);
		luaL_addvalue(out);
	}
}

static void add_replacement_text(struct search *search, luaL_Buffer *out, const char *start, const char *end)
{
	size_t length;
	const char *at = lua_tolstring(search->L, GSUB_REPLACEMENT, &length), *stop = at + length, *percent;

	script_spend(search->L, length / SCRIPT_BYTES_OF_A_STEP);
	while ((percent = memchr(at, '%', (size_t)(stop - at))) != NULL) {
		luaL_addlstring(out, at, (size_t)(percent - at));
		script_spend(search->L, 1);
		if (percent[1] == '%') /* the text ends in a NUL */
			luaL_addchar(out, '%');
		else
			add_capture(search, out, percent + 1, start, end);
		at = percent + 2;
	}
	luaL_addlstring(out, at, (size_t)(stop - at));
}

/* Adds what stands for the match. False: the match itself. */
static bool add_replacement(struct search *search, luaL_Buffer *out, int type, const char *start, const char *end)
{
	lua_State *L = search->L;

	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, GSUB_REPLACEMENT);
		lua_call(L, push_captures(search, start, end), 1);
	} else if (type == LUA_TTABLE) {
		push_capture(search, 0, start, end);
		lua_gettable(L, GSUB_REPLACEMENT);
	} else {
		add_replacement_text(search, out, start, end);
		return true;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(out, start, (size_t)(end - start));
		return false;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(out);
	return true;
}

/* Replaces up to `most` matches. Returns how many there were; `changed` whether the text is another one. */
static lua_Integer replace_matches(struct search *search, luaL_Buffer *out, int type, lua_Integer most, bool *changed)
{
	const char *at = search->subject, *last = NULL, *end;
	bool anchored = search->pattern_length > 0 && search->pattern[0] == '^';
	lua_Integer count = 0;

	while (count < most) {
		end = pattern_match_at(&search->match, at, search->pattern + anchored);
		if (search->match.problem != PATTERN_FINE)
			settle_search(search);
		if (end != NULL && end != last) {
			count++;
			*changed |= add_replacement(search, out, type, at, end);
			at = last = end;
		} else if (at < search->match.subject_end) {
			luaL_addchar(out, *at++);
		} else {
			break;
		}
		if (anchored)
			break;
	}
	if (*changed)
		luaL_addlstring(out, at, (size_t)(search->match.subject_end - at));
	return count;
}

static int sandbox_gsub(lua_State *L)
{
	struct search search;
	luaL_Buffer out;
	lua_Integer most, count;
	bool changed = false;
	int type;

	begin_search(L, &search, 1, 2);
	type = lua_type(L, GSUB_REPLACEMENT);
	most = luaL_optinteger(L, 4, (lua_Integer)search.subject_length + 1);
	if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TFUNCTION && type != LUA_TTABLE)
		return luaL_typeerror(L, GSUB_REPLACEMENT, "string/function/table");
	begin_matching(&search);
	luaL_buffinit(L, &out);
	count = replace_matches(&search, &out, type, most, &changed);
	settle_search(&search);
	if (changed)
		luaL_pushresult(&out);
	else
		lua_pushvalue(L, 1);
	lua_pushinteger(L, count);
	return 2;
}

void pattern_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "find", sandbox_find }, { "match", sandbox_match }, { "gmatch", sandbox_gmatch },
		{ "gsub", sandbox_gsub }, { NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}
