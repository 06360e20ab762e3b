/* credential_pattern.h - what a credential should look like, as a small regular expression that is matched in bounded time.
 *
 * Bytes stand for themselves; . is any byte; [a-z_], [^...] and [[:alnum:]] are sets; * + ? {m} {m,} {m,n} repeat; ^ and $ are the ends of the
 * value; (...) groups and | separates alternatives; \ before punctuation takes its meaning away. No back-references. A pattern becomes a list of at
 * most LIMIT_CREDENTIAL_PATTERN_STEPS steps, and matching looks at each of them once for each byte: never more. Knows nothing of the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct credential_pattern;

/* What is wrong with a pattern, and where. */
struct credential_pattern_problem {
	const char *text; /* static; NULL: out of memory */
	size_t at;	  /* byte of the pattern, from 0 */
};

/* Compiles `length` bytes of text, which need no NUL. NULL: the problem says why. The result is immutable; free it with _free(). */
struct credential_pattern *credential_pattern_compile(
	const char *text, size_t length, struct credential_pattern_problem *problem);
void credential_pattern_free(struct credential_pattern *pattern);

/* Whether the pattern matches somewhere in the value. Allocates nothing; any thread. */
bool credential_pattern_matches(const struct credential_pattern *pattern, const char *value, size_t length);
