/* credential_pattern.c - patterns of credentials: what is compiled is matched as a POSIX expression is. The first line is the pattern, the rest the
 * value. */
#include "fuzz.h"

#include <regex.h>

#include "gate/credential_pattern.h"

/* POSIX leaves open what some patterns mean, and its matcher takes too long for repeats by number and of repeats. */
static bool is_comparable(const char *pattern, size_t length)
{
	const char *start = strrchr(pattern, '^'), *end = strchr(pattern, '$');

	if (length >= 32 || strlen(pattern) != length || strpbrk(pattern, "{}()|[\\") != NULL)
		return false;
	for (size_t i = 1; i < length; i++)
		if (strchr("*+?", pattern[i]) != NULL && strchr("*+?", pattern[i - 1]) != NULL)
			return false;
	return (start == NULL || start == pattern) && (end == NULL || end[1] == '\0');
}

static void compare(const char *pattern, const char *value, bool matches)
{
	regex_t expression;

	if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	FUZZ_CHECK((regexec(&expression, value, 0, NULL, 0) == 0) == matches);
	regfree(&expression);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *rest;
	size_t value_size, length = fuzz_split(data, size, &rest, &value_size);
	char *pattern = fuzz_text(data, length), *value = fuzz_text(rest, value_size), *bare = fuzz_copy(data, length);
	struct credential_pattern_problem problem = { 0 };
	struct credential_pattern *compiled = credential_pattern_compile(bare, length, &problem);
	bool matches;

	if (compiled != NULL) {
		matches = credential_pattern_matches(compiled, value, value_size);
		if (is_comparable(pattern, length) && strlen(value) == value_size && strchr(value, '\n') == NULL)
			compare(pattern, value, matches);
	} else {
		FUZZ_CHECK(problem.at <= length);
	}
	credential_pattern_free(compiled);
	free(pattern);
	free(value);
	free(bare);
	return 0;
}
