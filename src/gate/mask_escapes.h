/* mask_escapes.h - how a byte of a secret may be written otherwise (the room's own header): "\/" and "\u002f" in JSON, "%2F" in URLs, "&#x2F;" in
 * HTML. */
#pragma once

#include <stddef.h>

struct mask_escape {
	char mark; /* what each of them begins with */
	/* Reads one at `at`. Returns its length and what it stands for (1 to 4 bytes, *count), or 0: it is none. */
	size_t (*read)(const char *at, const char *end, unsigned char bytes[4], size_t *count);
};

#define MASK_ESCAPES 3
#define MASK_ESCAPE_BYTES 12 /* none is longer */

extern const struct mask_escape mask_escapes[MASK_ESCAPES];

/* That of JSON, which is the first: for who takes a string out of its quotes. */
size_t mask_escape_json(const char *at, const char *end, unsigned char bytes[4], size_t *count);
