/* json_escape.c - what a text of JSON says whose escapes are well-formed. Pure; any thread. */
#include <stdint.h>
#include <string.h>

#include "base/json_parse.h"
#include "base/text.h"

static uint32_t read_hex(const char *digits)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)text_hex_value(digits[i]);
	return value;
}

/* The code of the escape \uXXXX that begins at `*from`, or of a pair of them. False: half a pair, or a NUL. */
static bool read_unicode(const char **from, const char *end, uint32_t *code)
{
	uint32_t low;

	*code = read_hex(*from + 2);
	*from += 6;
	if (*code < 0xd800 || *code > 0xdfff)
		return *code != 0;
	if (*code > 0xdbff || end - *from < 6 || (*from)[0] != '\\' || (*from)[1] != 'u')
		return false;
	low = read_hex(*from + 2);
	*from += 6;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return low >= 0xdc00 && low <= 0xdfff;
}

bool json_decode_text(const char *text, size_t length, char *to, size_t *decoded)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *from = text, *end = text + length, *name;
	char *begin = to;
	uint32_t code;

	while (from < end) {
		if (*from != '\\') {
			*to++ = *from++;
		} else if (from[1] == 'u') {
			if (!read_unicode(&from, end, &code))
				return false;
			to += text_write_utf8(code, (unsigned char *)to);
		} else {
			name = strchr(names, from[1]);
			*to++ = name != NULL ? values[name - names] : from[1];
			from += 2;
		}
	}
	*decoded = (size_t)(to - begin);
	return true;
}
