/* pattern_match.c - the matcher of Lua's patterns. Interprets the pattern's text: what of it is never reached is never judged, as in Lua. */
#include "script/pattern_match.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE '%'
#define BYTES_OF_A_STEP 16 /* that are compared at once */

/* ---- steps and problems ---- */

static const char *fail(struct pattern_match *match, enum pattern_problem problem)
{
	if (match->problem == PATTERN_FINE)
		match->problem = problem;
	return NULL;
}

static bool take_steps(struct pattern_match *match, int64_t count)
{
	match->steps -= count;
	if (match->steps >= 0)
		return true;
	if (match->problem == PATTERN_FINE && match->more_steps != NULL && match->more_steps(match) && match->steps >= 0)
		return true;
	fail(match, PATTERN_STOPPED);
	return false;
}

void pattern_problem_text(const struct pattern_match *match, char *text, size_t size)
{
	static const char *const texts[] = {
		[PATTERN_FINE] = "",
		[PATTERN_STOPPED] = "stopped",
		[PATTERN_TOO_COMPLEX] = "pattern too complex",
		[PATTERN_ENDS_IN_ESCAPE] = "malformed pattern (ends with '%')",
		[PATTERN_SET_NOT_CLOSED] = "malformed pattern (missing ']')",
		[PATTERN_BALANCE_INCOMPLETE] = "malformed pattern (missing arguments to '%b')",
		[PATTERN_FRONTIER_WITHOUT_SET] = "missing '[' after '%f' in pattern",
		[PATTERN_NOTHING_TO_CLOSE] = "invalid pattern capture",
		[PATTERN_TOO_MANY_CAPTURES] = "too many captures",
		[PATTERN_CAPTURE_NOT_CLOSED] = "unfinished capture",
	};

	if (match->problem == PATTERN_CAPTURE_INDEX)
		snprintf(text, size, "invalid capture index %%%d", match->problem_index);
	else
		snprintf(text, size, "%s", texts[match->problem]);
}

/* ---- classes and sets, of ASCII: the host never sets a locale ---- */

static bool is_between(unsigned char byte, unsigned char low, unsigned char high)
{
	return byte >= low && byte <= high;
}

static bool is_letter(unsigned char byte)
{
	return is_between(byte | 0x20, 'a', 'z');
}

static bool is_digit(unsigned char byte)
{
	return is_between(byte, '0', '9');
}

static bool is_printed(unsigned char byte)
{
	return is_between(byte, 0x21, 0x7e);
}

/* Whether a byte is of the class %x; a letter that names none stands for itself, and so does what is no letter. */
static bool is_of_class(unsigned char byte, unsigned char name)
{
	bool is;

	switch (name | 0x20) {
	case 'a': is = is_letter(byte); break;
	case 'c': is = byte < 0x20 || byte == 0x7f; break;
	case 'd': is = is_digit(byte); break;
	case 'g': is = is_printed(byte); break;
	case 'l': is = is_between(byte, 'a', 'z'); break;
	case 'p': is = is_printed(byte) && !is_letter(byte) && !is_digit(byte); break;
	case 's': is = byte == ' ' || is_between(byte, '\t', '\r'); break;
	case 'u': is = is_between(byte, 'A', 'Z'); break;
	case 'w': is = is_letter(byte) || is_digit(byte); break;
	case 'x': is = is_digit(byte) || is_between(byte | 0x20, 'a', 'f'); break;
	case 'z': is = byte == 0; break; /* of Lua 5.1, and still there */
	default: return byte == name;
	}
	return is_between(name, 'A', 'Z') ? !is : is;
}

/* `set` is at the [, `close` at its ]. A range needs both its ends before the ]. */
static bool is_in_set(struct pattern_match *match, unsigned char byte, const char *set, const char *close)
{
	bool inside = true, found = false;
	const char *at = set + 1;

	if (*at == '^') {
		inside = false;
		at++;
	}
	for (; at < close && !found; at++, match->steps--) {
		if (*at == ESCAPE) {
			at++;
			found = is_of_class(byte, (unsigned char)*at);
		} else if (at[1] == '-' && at + 2 < close) {
			found = is_between(byte, (unsigned char)at[0], (unsigned char)at[2]);
			at += 2;
		} else {
			found = (unsigned char)*at == byte;
		}
	}
	return found == inside;
}

/* Where the set that begins at `set` has its ]: one that stands first is a member. NULL: nowhere. */
static const char *find_set_close(struct pattern_match *match, const char *set)
{
	const char *end = match->pattern_end;
	const char *at = set + 1;

	if (at < end && *at == '^')
		at++;
	for (bool first = true; first || at >= end || *at != ']'; first = false) {
		if (at >= end)
			return fail(match, PATTERN_SET_NOT_CLOSED);
		at += *at == ESCAPE && at + 1 < end ? 2 : 1;
		match->steps--;
	}
	return at;
}

/* What follows the single-character item at `item`. NULL: it is malformed. */
static const char *find_item_end(struct pattern_match *match, const char *item)
{
	const char *close;

	if (*item == ESCAPE)
		return item + 1 == match->pattern_end ? fail(match, PATTERN_ENDS_IN_ESCAPE) : item + 2;
	if (*item != '[')
		return item + 1;
	close = find_set_close(match, item);
	return close != NULL ? close + 1 : NULL;
}

/* Whether the byte at `at` is one that the item takes. False also when the steps are over: then there is a problem. */
static bool fits_item(struct pattern_match *match, const char *at, const char *item, const char *item_end)
{
	unsigned char byte;

	if (!take_steps(match, 1) || at == match->subject_end)
		return false;
	byte = (unsigned char)*at;
	switch (*item) {
	case '.': return true;
	case ESCAPE: return is_of_class(byte, (unsigned char)item[1]);
	case '[': return is_in_set(match, byte, item, item_end - 1);
	default: return (unsigned char)*item == byte;
	}
}

/* ---- captures ---- */

/* One more level: what waits here until the rest of the pattern was tried. */
static const char *match_rest(struct pattern_match *match, const char *at, const char *pattern);

static const char *open_capture(struct pattern_match *match, const char *at, const char *pattern)
{
	bool is_position = pattern + 1 < match->pattern_end && pattern[1] == ')';
	const char *end;

	if (match->capture_count == PATTERN_CAPTURES)
		return fail(match, PATTERN_TOO_MANY_CAPTURES);
	match->captures[match->capture_count++] =
		(struct pattern_capture){ .start = at, .length = is_position ? CAPTURE_POSITION : CAPTURE_OPEN };
	end = match_rest(match, at, pattern + (is_position ? 2 : 1));
	if (end == NULL)
		match->capture_count--;
	return end;
}

static const char *close_capture(struct pattern_match *match, const char *at, const char *pattern)
{
	int index = match->capture_count - 1;
	const char *end;

	while (index >= 0 && match->captures[index].length != CAPTURE_OPEN)
		index--;
	if (index < 0)
		return fail(match, PATTERN_NOTHING_TO_CLOSE);
	match->captures[index].length = at - match->captures[index].start;
	end = match_rest(match, at, pattern + 1);
	if (end == NULL)
		match->captures[index].length = CAPTURE_OPEN;
	return end;
}

const struct pattern_capture *pattern_capture_at(
	struct pattern_match *match, int index, const char *start, const char *end, struct pattern_capture *whole)
{
	const struct pattern_capture *capture = &match->captures[index];

	if (index >= match->capture_count) {
		*whole = (struct pattern_capture){ .start = start, .length = end - start };
		match->problem_index = index + 1;
		if (index > 0)
			fail(match, PATTERN_CAPTURE_INDEX);
		return index == 0 ? whole : NULL;
	}
	if (capture->length == CAPTURE_OPEN)
		fail(match, PATTERN_CAPTURE_NOT_CLOSED);
	return capture->length == CAPTURE_OPEN ? NULL : capture;
}

/* ---- %1, %b, %f: each returns where the subject goes on, NULL when it does not match, and moves the pattern on ---- */

static const char *match_back_reference(struct pattern_match *match, const char *at, const char **pattern)
{
	int index = (*pattern)[1] - '1';
	const struct pattern_capture *capture;

	match->problem_index = index + 1;
	if (index < 0 || index >= match->capture_count || match->captures[index].length == CAPTURE_OPEN)
		return fail(match, PATTERN_CAPTURE_INDEX);
	capture = &match->captures[index];
	if (capture->length == CAPTURE_POSITION || match->subject_end - at < capture->length ||
		!take_steps(match, 1 + capture->length / BYTES_OF_A_STEP) ||
		memcmp(capture->start, at, (size_t)capture->length) != 0)
		return NULL;
	*pattern += 2;
	return at + capture->length;
}

static const char *match_balance(struct pattern_match *match, const char *at, const char **pattern)
{
	int depth = 1;
	char open, close;

	if (match->pattern_end - *pattern < 4)
		return fail(match, PATTERN_BALANCE_INCOMPLETE);
	open = (*pattern)[2];
	close = (*pattern)[3];
	*pattern += 4;
	if (at == match->subject_end || *at != open)
		return NULL;
	while (++at < match->subject_end && take_steps(match, 1)) {
		if (*at == close) {
			if (--depth == 0)
				return at + 1;
		} else if (*at == open) {
			depth++;
		}
	}
	return NULL;
}

static const char *match_frontier(struct pattern_match *match, const char *at, const char **pattern)
{
	const char *set = *pattern + 2, *close;
	unsigned char before = at == match->subject ? 0 : (unsigned char)at[-1];
	unsigned char here = at == match->subject_end ? 0 : (unsigned char)*at;

	if (set >= match->pattern_end || *set != '[')
		return fail(match, PATTERN_FRONTIER_WITHOUT_SET);
	close = find_set_close(match, set);
	if (close == NULL || !take_steps(match, 2))
		return NULL;
	*pattern = close + 1;
	return !is_in_set(match, before, set, close) && is_in_set(match, here, set, close) ? at : NULL;
}

/* ---- what a glance tells of the rest of a pattern ---- */

enum { NEXT_ANY = -1, NEXT_END = -2 }; /* instead of a byte */

static bool is_optional(const struct pattern_match *match, const char *item_end)
{
	return item_end < match->pattern_end && (*item_end == '*' || *item_end == '-' || *item_end == '?');
}

/* The byte that the item at `pattern` stands for, if it is one that must be there; NEXT_ANY: look closer. */
static int literal_at(const struct pattern_match *match, const char *pattern)
{
	bool escaped = *pattern == ESCAPE;
	unsigned char byte = (unsigned char)*pattern;

	if (escaped) {
		if (pattern + 1 == match->pattern_end)
			return NEXT_ANY;
		byte = (unsigned char)pattern[1];
		if (is_letter(byte) || is_digit(byte))
			return NEXT_ANY;
	} else if (byte == '.' || byte == '[' || byte == '(' || byte == ')') {
		return NEXT_ANY;
	}
	return is_optional(match, pattern + 1 + escaped) ? NEXT_ANY : byte;
}

/* What must be next in the subject for this rest of the pattern to match. Closing captures that are open changes nothing. */
static int next_needed(const struct pattern_match *match, const char *pattern)
{
	int open = 0;

	if (match->depth == PATTERN_DEPTH)
		return NEXT_ANY; /* it is too complex, which match_rest() says */
	for (int i = 0; i < match->capture_count; i++)
		open += match->captures[i].length == CAPTURE_OPEN;
	for (; pattern < match->pattern_end && *pattern == ')' && open > 0; open--)
		pattern++;
	if (pattern == match->pattern_end)
		return NEXT_ANY;
	if (*pattern == '$' && pattern + 1 == match->pattern_end)
		return NEXT_END;
	return literal_at(match, pattern);
}

static bool may_be_next(const struct pattern_match *match, const char *at, int needed)
{
	if (needed == NEXT_ANY)
		return true;
	return at == match->subject_end ? needed == NEXT_END : (unsigned char)*at == needed;
}

/* ---- items and their quantifiers ---- */

/* Of the places that fit the item, which have paid, those are tried where the rest may begin. */
static const char *match_longest_first(struct pattern_match *match, const char *at, const char *item, const char *item_end)
{
	const char *last = at, *end = NULL;
	int needed = next_needed(match, item_end + 1);

	while (fits_item(match, last, item, item_end))
		last++;
	for (; last >= at && end == NULL && match->problem == PATTERN_FINE; last--)
		if (may_be_next(match, last, needed))
			end = match_rest(match, last, item_end + 1);
	return end;
}

static const char *match_shortest_first(struct pattern_match *match, const char *at, const char *item, const char *item_end)
{
	int needed = next_needed(match, item_end + 1);
	const char *end;

	for (;; at++) {
		end = may_be_next(match, at, needed) ? match_rest(match, at, item_end + 1) : NULL;
		if (end != NULL || match->problem != PATTERN_FINE || !fits_item(match, at, item, item_end))
			return end;
	}
}

/* An item and its quantifier. Returns the end of the whole match, or NULL; or sets `*pattern` to what comes next and returns where. */
static const char *match_item(struct pattern_match *match, const char *at, const char **pattern, bool *goes_on)
{
	const char *item = *pattern, *item_end = find_item_end(match, item), *end;
	char quantifier;
	bool fitting;

	if (item_end == NULL)
		return NULL;
	quantifier = item_end < match->pattern_end ? *item_end : '\0';
	fitting = fits_item(match, at, item, item_end);
	if (quantifier == '*' && fitting)
		return match_longest_first(match, at, item, item_end);
	if (quantifier == '+')
		return fitting ? match_longest_first(match, at + 1, item, item_end) : NULL;
	if (quantifier == '-' && fitting)
		return match_shortest_first(match, at, item, item_end);
	if (quantifier == '?' && fitting) {
		end = match_rest(match, at + 1, item_end + 1);
		if (end != NULL || match->problem != PATTERN_FINE)
			return end;
	}
	*goes_on = match->problem == PATTERN_FINE;
	if (quantifier == '*' || quantifier == '-' || quantifier == '?') { /* none of it */
		*pattern = item_end + 1;
		return at;
	}
	*pattern = item_end;
	return fitting ? at + 1 : NULL;
}

/* %b, %f and %1 to %9 (and %0, which Lua refuses); every other %x is a single character's. */
static bool is_construct(const struct pattern_match *match, const char *pattern)
{
	char name = *pattern == ESCAPE && pattern + 1 < match->pattern_end ? pattern[1] : '\0';

	return name == 'b' || name == 'f' || is_digit((unsigned char)name);
}

static const char *match_construct(struct pattern_match *match, const char *at, const char **pattern)
{
	switch ((*pattern)[1]) {
	case 'b': return match_balance(match, at, pattern);
	case 'f': return match_frontier(match, at, pattern);
	default: return match_back_reference(match, at, pattern);
	}
}

static const char *match_items(struct pattern_match *match, const char *at, const char *pattern)
{
	while (at != NULL && pattern != match->pattern_end) {
		bool goes_on = false;

		if (*pattern == '(')
			return open_capture(match, at, pattern);
		if (*pattern == ')')
			return close_capture(match, at, pattern);
		if (*pattern == '$' && pattern + 1 == match->pattern_end)
			return at == match->subject_end ? at : NULL;
		if (is_construct(match, pattern)) {
			at = match_construct(match, at, &pattern);
			continue;
		}
		at = match_item(match, at, &pattern, &goes_on);
		if (!goes_on)
			return at;
	}
	return at;
}

static const char *match_rest(struct pattern_match *match, const char *at, const char *pattern)
{
	const char *end;

	if (match->depth == PATTERN_DEPTH)
		return fail(match, PATTERN_TOO_COMPLEX);
	if (!take_steps(match, 1))
		return NULL;
	match->depth++;
	end = match_items(match, at, pattern);
	match->depth--;
	return match->problem == PATTERN_FINE ? end : NULL;
}

/* ---- the doors ---- */

void pattern_match_init(struct pattern_match *match, const char *subject, size_t subject_length, const char *pattern,
	size_t pattern_length, int64_t steps)
{
	match->subject = subject;
	match->subject_end = subject + subject_length;
	match->pattern_end = pattern + pattern_length;
	match->steps = steps;
	match->more_steps = NULL;
	match->capture_count = match->depth = 0;
	match->problem = PATTERN_FINE;
	match->problem_index = 0;
}

const char *pattern_match_at(struct pattern_match *match, const char *at, const char *pattern)
{
	match->capture_count = 0;
	return match_rest(match, at, pattern);
}

const char *pattern_may_begin(struct pattern_match *match, const char *at, const char *pattern)
{
	const char *item = pattern, *item_end;

	if (item + 1 < match->pattern_end && *item == '(' && item[1] != ')')
		item++;
	if (item == match->pattern_end || *item == '(' || *item == ')' || is_construct(match, item) ||
		(*item == '$' && item + 1 == match->pattern_end))
		return at;
	item_end = find_item_end(match, item);
	if (item_end == NULL || is_optional(match, item_end))
		return at;
	while (at < match->subject_end && !fits_item(match, at, item, item_end) && match->problem == PATTERN_FINE)
		at++;
	return at;
}

bool pattern_has_specials(const char *pattern, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL)
			return true;
	return false;
}
