/* json_parse.h - of json.c: from text to Jansson's tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/* What a text may take, and what it took. */
struct json_allowance {
	size_t values;		      /* more are refused; as LIMIT_JSON_VALUES counts them */
	size_t most;		      /* a list or an object of more values, each counted once, is left whole */
	struct buffer_budget *budget; /* that the tree counts against while it grows; NULL: it does not */
	size_t bytes;		      /* it took of the budget; 0 without a tree */
	bool exceeded;		      /* there are too many values */
};

/* In one pass; see json_read() for its errors. An integer above 2^63-1 becomes a string, `mark` and its digits; what is left whole becomes one too:
 * `mark`, "r", where it begins in the text, a blank, and its length. */
json_t *json_parse(const char *text, size_t length, const char *mark, struct json_allowance *allowance, struct error *error);

/* Of json_escape.c: writes what a text whose escapes are well-formed says into `to`, which has `length` bytes: it is never longer. False: an escape
 * is half a character, or a NUL. */
bool json_decode_text(const char *text, size_t length, char *to, size_t *decoded);
