/* text.c - folding and nearest words. Allocates nothing. */
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORD_BYTES 64
#define NEAR 3
#define BEGINNING 4 /* letters that make a beginning */

bool text_fold(const char *from, char *to, size_t size)
{
	size_t length;

	while (isspace((unsigned char)*from))
		from++;
	length = strlen(from);
	while (length > 0 && isspace((unsigned char)from[length - 1]))
		length--;
	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[length] = '\0';
	return true;
}

/* Levenshtein's distance with one row. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_BYTES + 1];
	size_t width = strlen(b), corner, above, cost;

	if (strlen(a) > WORD_BYTES || width > WORD_BYTES)
		return WORD_BYTES;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			above = row[j];
			cost = corner + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			corner = above;
		}
	}
	return row[width];
}

/* "budget" for "budget_usd", or the other way round: far in letters, near in meaning. */
static bool one_begins_other(const char *a, const char *b)
{
	size_t length = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return length >= BEGINNING && strncasecmp(a, b, length) == 0;
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	size_t best = NEAR + 1, here;

	for (; *candidates != NULL; candidates++) {
		here = distance(word, *candidates);
		if (here > NEAR && one_begins_other(word, *candidates))
			here = NEAR;
		if (here < best) {
			best = here;
			nearest = *candidates;
		}
	}
	return nearest;
}

uint64_t text_digest(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t digest = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		digest = (digest ^ at[i]) * 0x100000001b3u;
	return digest;
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit != '\0' ? strchr(digits, digit | (digit >= 'A' ? 0x20 : 0)) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

bool text_read_hex(const char *text, unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high = hex_value(text[2 * i]), low = high < 0 ? -1 : hex_value(text[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return text[2 * length] == '\0';
}

char *text_write_hex(char *to, const unsigned char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = '\0';
	return to;
}
