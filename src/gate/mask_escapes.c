/* mask_escapes.c - reads one escaped character. Any thread, no state. */
#include "gate/mask_escapes.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static int digit_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = (char)(byte | 0x20);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The number that these hexadecimal digits make; -1: they are none. */
static int32_t hexadecimal(const char *at, size_t digits)
{
	int32_t number = 0;

	for (size_t i = 0; i < digits; i++) {
		if (digit_of(at[i]) < 0)
			return -1;
		number = number * 16 + digit_of(at[i]);
	}
	return number;
}

static size_t write_utf8(uint32_t code, unsigned char bytes[4])
{
	size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = count; i-- > 1; code >>= 6)
		bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
	bytes[0] = (unsigned char)(first[count] | code);
	return count;
}

/* "\u002f", and the two that make a character beyond U+FFFF. */
static size_t read_unicode(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	int32_t code = end - at >= 6 ? hexadecimal(at + 2, 4) : -1, low;

	if (code < 0)
		return 0;
	low = code >= 0xd800 && code < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? hexadecimal(at + 8, 4) : -1;
	if (low >= 0xdc00 && low < 0xe000)
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	else
		low = -1;
	*count = write_utf8((uint32_t)code, bytes);
	return low >= 0 ? 12 : 6;
}

size_t mask_escape_json(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (end - at < 2)
		return 0;
	if (at[1] == 'u')
		return read_unicode(at, end, bytes, count);
	name = memchr(names, at[1], sizeof names - 1);
	if (name == NULL)
		return 0;
	bytes[0] = (unsigned char)meanings[name - names];
	*count = 1;
	return 2;
}

static size_t read_percent(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	int32_t code = end - at >= 3 ? hexadecimal(at + 1, 2) : -1;

	if (code < 0)
		return 0;
	bytes[0] = (unsigned char)code;
	*count = 1;
	return 3;
}

/* "&#47;" and "&#x2f;" of ASCII. */
static size_t read_number(const char *at, const char *end, unsigned char bytes[4])
{
	bool hex = end - at > 3 && (at[2] | 0x20) == 'x';
	const char *digit = at + (hex ? 3 : 2);
	int code = 0;

	for (; digit < end && digit - at < MASK_ESCAPE_BYTES - 1 && digit_of(*digit) >= 0 && digit_of(*digit) < (hex ? 16 : 10);
		digit++)
		code = code < 128 ? code * (hex ? 16 : 10) + digit_of(*digit) : code;
	if (digit == end || *digit != ';' || code <= 0 || code >= 128)
		return 0;
	bytes[0] = (unsigned char)code;
	return (size_t)(digit + 1 - at);
}

static size_t read_entity(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	static const struct {
		const char *name;
		char meaning;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' } };

	*count = 1;
	if (end - at < 4 || strchr("#aAgGlLqQ", at[1]) == NULL)
		return 0;
	if (end - at > 3 && at[1] == '#')
		return read_number(at, end, bytes);
	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
		size_t length = strlen(entities[i].name);

		if ((size_t)(end - at) >= length && strncasecmp(at, entities[i].name, length) == 0) {
			bytes[0] = (unsigned char)entities[i].meaning;
			return length;
		}
	}
	return 0;
}

const struct mask_escape mask_escapes[MASK_ESCAPES] = { { '\\', mask_escape_json }, { '%', read_percent }, { '&', read_entity } };
