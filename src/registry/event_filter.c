/* event_filter.c - patterns of event types, and the filter as a whole. No state; any thread.
 *
 * Alternatives in braces are written out when the pattern is read, so that matching knows nothing but *, and costs at most the product of
 * both lengths. Refuses nested braces and more patterns than LIMIT_EVENT_PATTERNS. */
#include "registry/event_filter.h"

#include <string.h>

static enum error_code add_filter_pattern(
	struct event_filter *filter, const char *parts[3], const size_t lengths[3], struct error *error)
{
	char *to = filter->types[filter->type_count];

	if (filter->type_count == LIMIT_EVENT_PATTERNS)
		return error_set(error, ERROR_INVALID, "type", "stands for more than %d patterns", LIMIT_EVENT_PATTERNS);
	if (lengths[0] + lengths[1] + lengths[2] > LIMIT_EVENT_TYPE_BYTES)
		return error_set(error, ERROR_INVALID, "type", "a pattern is longer than %d bytes", LIMIT_EVENT_TYPE_BYTES);
	for (int i = 0; i < 3; i++) {
		memcpy(to, parts[i], lengths[i]);
		to += lengths[i];
	}
	*to = '\0';
	filter->type_count++;
	return ERROR_NONE;
}

/* One pattern with at most one pair of braces. */
static enum error_code add_alternatives(struct event_filter *filter, const char *text, size_t length, struct error *error)
{
	const char *open = memchr(text, '{', length), *end = text + length;
	const char *close = memchr(text, '}', length), *at;
	enum error_code code = ERROR_NONE;
	size_t size;

	if (open == NULL && close == NULL)
		return add_filter_pattern(filter, (const char *[]){ text, "", "" }, (size_t[]){ length, 0, 0 }, error);
	if (open == NULL || close == NULL || close < open || memchr(open + 1, '{', (size_t)(end - open - 1)) != NULL ||
		memchr(close + 1, '}', (size_t)(end - close - 1)) != NULL)
		return error_set(error, ERROR_INVALID, "type",
			"a pattern may have one pair of braces: public.{gpu,image}.*, or give several, separated by commas");
	for (at = open + 1; at <= close && code == ERROR_NONE; at += size + 1) {
		size = strcspn(at, ",}");
		code = add_filter_pattern(filter, (const char *[]){ text, at, close + 1 },
			(size_t[]){ (size_t)(open - text), size, (size_t)(end - close - 1) }, error);
	}
	return code;
}

/* The length of the pattern at `text`: up to a comma that is not in braces. */
static size_t pattern_length(const char *text)
{
	size_t length = 0;
	bool inside = false;

	for (; text[length] != '\0' && (inside || text[length] != ','); length++)
		inside = text[length] == '{' || (inside && text[length] != '}');
	return length;
}

static bool is_plain(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*{},")] == '\0';
}

enum error_code event_filter_types(struct event_filter *filter, const char *text, struct error *error)
{
	enum error_code code = ERROR_NONE;
	size_t length;

	filter->type_count = 0;
	if (!is_plain(text))
		return error_set(error, ERROR_INVALID, "type",
			"must be a pattern of event types such as public.image.* (letters, digits, dots, * and {,})");
	while (*text != '\0' && code == ERROR_NONE) {
		length = pattern_length(text);
		if (length > 0)
			code = add_alternatives(filter, text, length, error);
		text += length + (text[length] == ',');
	}
	return code;
}

/* The last * takes what it must: an earlier one that took the least leaves the most to choose from. */
static bool matches_type(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool type_passes(const struct event_filter *filter, const char *type)
{
	for (int i = 0; i < filter->type_count; i++)
		if (matches_type(filter->types[i], type))
			return true;
	return filter->type_count == 0;
}

bool event_filter_passes(const struct event_filter *filter, const struct event_subject *subject)
{
	if (filter->of_job && subject->sequence != id_sequence(&filter->job))
		return false;
	if (filter->caller[0] != '\0' && (subject->caller == NULL || strcmp(filter->caller, subject->caller) != 0))
		return false;
	if (filter->provider[0] != '\0' && (subject->provider == NULL || strcmp(filter->provider, subject->provider) != 0))
		return false;
	return type_passes(filter, subject->type);
}
