/* json_parse.h - of json.c: from text to Jansson's tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Why there is no tree. */
struct json_problem {
	bool starved;	  /* out of memory; the rest says nothing then */
	const char *text; /* what is wrong, without a word of what was sent */
	size_t at;	  /* how many bytes were understood */
};

/* `text` is not nested deeper than LIMIT_JSON_DEPTH. An integer above 2^63-1 becomes a string, `mark` and its digits. A list or an object of more than
 * `most` values becomes one too: `mark`, "r", where it begins in the text, a blank, and its length. */
json_t *json_parse(const char *text, size_t length, const char *mark, size_t most, struct json_problem *problem);
