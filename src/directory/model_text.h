/* model_text.h - vendors' texts as data: cut, and without what is not to be seen. They reach web pages and agents. Pure functions. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "base/buffer.h"

/* Appends the text without control characters (a line's end and a tab become a blank), marks of direction and invisible characters, up to `most` bytes of
 * whole characters. What is not UTF-8 ends it. */
void model_text_append(const char *text, size_t length, size_t most, struct buffer *out);

/* The same as a new JSON text; NULL when `value` is no text, or nothing of it is left. */
json_t *model_text_clean(const json_t *value, size_t most);

/* Has the name a character in it that model_text_append() would leave out? */
bool model_text_is_odd(const char *name);

/* A copy of the tree with all its texts cleaned, each up to `most` bytes, and names that are odd left out; null in place of what is deeper than
 * `depth`. Numbers beyond 2^63-1 (json_wide) are kept. */
json_t *model_text_clean_tree(const json_t *value, size_t most, int depth);
