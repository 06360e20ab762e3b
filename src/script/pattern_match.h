/* pattern_match.h - matches Lua 5.4's patterns, step by step: it knows nothing of a Lua state and can be stopped at every step.
 *
 * The meaning of a pattern, and of a malformed one, is that of string.find (Lua 5.4 manual, 6.4.1). Matching backtracks, so its time can grow
 * with any power of the subject; whoever calls it says how many steps it may take. Each byte tried against an item, each member of a set that is
 * looked at, and each attempt at the rest of a pattern is one. The rest is tried only where the next byte allows it. Allocates nothing; recursion is bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_CAPTURES 32
#define PATTERN_DEPTH 200 /* captures and quantifiers that wait for the rest of the pattern, as in Lua */

enum pattern_problem {
	PATTERN_FINE = 0,
	PATTERN_STOPPED, /* no more steps */
	PATTERN_TOO_COMPLEX,
	PATTERN_ENDS_IN_ESCAPE,
	PATTERN_SET_NOT_CLOSED,
	PATTERN_BALANCE_INCOMPLETE,
	PATTERN_FRONTIER_WITHOUT_SET,
	PATTERN_CAPTURE_INDEX, /* `problem_index` is not a capture that is closed */
	PATTERN_NOTHING_TO_CLOSE,
	PATTERN_TOO_MANY_CAPTURES,
	PATTERN_CAPTURE_NOT_CLOSED, /* found when captures are read: see pattern_capture_at() */
};

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 }; /* instead of a length */

struct pattern_capture {
	const char *start;
	ptrdiff_t length; /* bytes, or one of the above */
};

struct pattern_match {
	const char *subject, *subject_end;
	const char *pattern_end;
	int64_t steps; /* that may still be taken */

	/* Called when there are none left: adds to `steps` and returns true, or returns false. NULL: there are no more. */
	bool (*more_steps)(struct pattern_match *match);

	struct pattern_capture captures[PATTERN_CAPTURES];
	int capture_count;
	int depth;
	enum pattern_problem problem;
	int problem_index;
};

/* Prepares a matcher. The texts are borrowed; they need no NUL at their ends. `more_steps` is NULL afterwards. */
void pattern_match_init(struct pattern_match *match, const char *subject, size_t subject_length, const char *pattern,
	size_t pattern_length, int64_t steps);

/* Matches the pattern from `pattern` on at `at`, a place of the subject or its end. Returns where the match ends. NULL: there is none here, or
 * match->problem says what is wrong. Captures are those of this match. */
const char *pattern_match_at(struct pattern_match *match, const char *at, const char *pattern);

/* The first place from `at` on where the pattern may match: all before it do not have what its first item takes. There may be a problem then. */
const char *pattern_may_begin(struct pattern_match *match, const char *at, const char *pattern);

/* Capture `index` (0: the first) of the match from `start` to `end`; the whole match is the only capture of a pattern without. NULL: there is
 * none, or it is not closed (match->problem). Its length may be CAPTURE_POSITION. Valid until the next call. */
const struct pattern_capture *pattern_capture_at(
	struct pattern_match *match, int index, const char *start, const char *end, struct pattern_capture *whole);

/* Whether a pattern has bytes with a meaning; one without is found like plain text. */
bool pattern_has_specials(const char *pattern, size_t length);

/* The text of match->problem, as Lua says it. */
void pattern_problem_text(const struct pattern_match *match, char *text, size_t size);
