/* text.c - folding, nearest words, and what a text is made of. Allocates nothing. */
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

void text_copy(const char *from, char *to, size_t size)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

/* Levenshtein's distance with one row; more than `most` counts as WORD_BYTES, and is given up as soon as it is seen. */
static size_t distance(const char *a, const char *b, size_t most)
{
	size_t row[WORD_BYTES + 1];
	size_t length = strlen(a), width = strlen(b), corner, above, cost, least = 0;

	if (length > WORD_BYTES || width > WORD_BYTES || length > width + most || width > length + most)
		return WORD_BYTES;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; i <= length && least <= most; i++) {
		corner = row[0];
		row[0] = least = i;
		for (size_t j = 1; j <= width; j++) {
			above = row[j];
			cost = corner + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			corner = above;
			if (cost < least)
				least = cost;
		}
	}
	return least <= most && row[width] <= most ? row[width] : WORD_BYTES;
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
		here = distance(word, *candidates, NEAR);
		if (here > NEAR && one_begins_other(word, *candidates))
			here = NEAR;
		if (here < best) {
			best = here;
			nearest = *candidates;
		}
	}
	return nearest;
}

int text_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

uint64_t text_digest(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t digest = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		digest = (digest ^ at[i]) * 0x100000001b3u;
	return digest;
}

int text_hex_value(int digit)
{
	return digit >= '0' && digit <= '9'   ? digit - '0'
	       : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
	       : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
					      : -1;
}

bool text_read_hex(const char *text, unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high = text_hex_value(text[2 * i]), low = high < 0 ? -1 : text_hex_value(text[2 * i + 1]);

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

bool text_utf8_step(struct text_utf8 *state, unsigned char byte)
{
	if (state->more > 0) {
		if (byte < state->low || byte > state->high)
			return false;
		state->more--;
	} else if (byte >= 0x80) {
		if (byte < 0xc2 || byte > 0xf4)
			return false;
		state->more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
		state->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
		state->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
		return true;
	}
	state->low = 0x80;
	state->high = 0xbf;
	return true;
}

size_t text_character_length(const unsigned char *text, size_t length)
{
	struct text_utf8 state = { 0 };
	size_t size = 0;

	do {
		if (size == length || !text_utf8_step(&state, text[size]))
			return 0;
		size++;
	} while (state.more > 0);
	return size;
}

size_t text_write_utf8(uint32_t code, unsigned char bytes[4])
{
	size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = count; i-- > 1; code >>= 6)
		bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
	bytes[0] = (unsigned char)(first[count] | code);
	return count;
}

/* Eight bytes at a time: a byte below 0x20, or equal to one of the two, borrows into its highest bit when it is subtracted from (Hacker's
 * Delight, 6-1); that a neighbour may borrow along costs only a closer look. */
size_t text_plain_length(const char *text, size_t length)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t at = 0;
	uint64_t word, quote, slash;

	for (; at + sizeof word <= length; at += sizeof word) {
		memcpy(&word, text + at, sizeof word);
		quote = word ^ (ones * '"');
		slash = word ^ (ones * '\\');
		if (((word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) != 0)
			break;
	}
	while (at < length && (unsigned char)text[at] >= 0x20 && (unsigned char)text[at] < 0x80 && text[at] != '"' &&
		text[at] != '\\')
		at++;
	return at;
}
