/* mask_escapes.h - how a byte of a secret may be written otherwise: "\/" and "\u002f" in JSON, "%2F" in URLs, "&#x2F;" in
 * HTML, also more than once; and that lines are broken within it. */
#pragma once

#include <stddef.h>

struct mask_escape {
	char mark; /* what each of them begins with, ... */
	char also; /* ... or this, if the mark stands near */
	/* Reads one at `at`. Returns its length and what it stands for (up to 4 bytes, *count), or 0: it is none. */
	size_t (*read)(const char *at, const char *end, unsigned char bytes[4], size_t *count);
};

#define MASK_ESCAPES 7
#define MASK_ESCAPE_BYTES 16 /* none is longer */

extern const struct mask_escape mask_escapes[MASK_ESCAPES];

/* That of JSON, which is the first: for who takes a string out of its quotes. */
size_t mask_escape_json(const char *at, const char *end, unsigned char bytes[4], size_t *count);
