/* json_span.h - values within a JSON text, found without a tree: for who needs a member or two of many stored texts.
 *
 * The text must have been read by json_read() once, or written by this host. One that is damaged gives other spans, but never one beyond its end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* A value as it stands there; a text with its quotes. Empty: there is none. */
struct json_span {
	const char *text;
	size_t length;
};

/* The whole value of a NUL-terminated text; NULL: an empty span. */
struct json_span json_span_of(const char *text);

/* Fills in values[i] for each names[i] that is a member of the object, and empties the others. Of a span that is no object nothing is found. */
void json_span_members(struct json_span object, const char *const *names, size_t count, struct json_span *values);

/* One member. */
struct json_span json_span_member(struct json_span object, const char *name);

/* Walks through a list: *item is the next value, beginning with the first when it is empty. False: there is none. */
bool json_span_next(struct json_span list, struct json_span *item);

bool json_span_is_text(struct json_span value);

/* Appends the value as it stands there; null for an empty span. */
void json_span_write(struct buffer *out, struct json_span value);

/* The length of the beginning of a text that has so many characters at most, without the quote behind them: no escape, no pair of escapes and no
 * character is cut. */
size_t json_span_cut(struct json_span text, size_t characters);
