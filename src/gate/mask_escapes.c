/* mask_escapes.c - reads one escaped character. Any thread, no state. */
#include "gate/mask_escapes.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define LAST_CHARACTER 0x10ffff

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

/* "\u002f", and the two that make a character beyond U+FFFF. */
static size_t read_unicode_escape(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	int32_t code = end - at >= 6 ? hexadecimal(at + 2, 4) : -1, low;

	if (code < 0)
		return 0;
	low = code >= 0xd800 && code < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? hexadecimal(at + 8, 4) : -1;
	if (low >= 0xdc00 && low < 0xe000)
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	else
		low = -1;
	*count = text_write_utf8((uint32_t)code, bytes);
	return low >= 0 ? 12 : 6;
}

size_t mask_escape_json(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (end - at < 2)
		return 0;
	if (at[1] == 'u')
		return read_unicode_escape(at, end, bytes, count);
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

/* "&#47;" and "&#x2f;". */
static size_t read_number(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	bool hex = end - at > 3 && (at[2] | 0x20) == 'x';
	const char *digit = at + (hex ? 3 : 2);
	int code = 0;

	for (; digit < end && digit - at < MASK_ESCAPE_BYTES - 1 && digit_of(*digit) >= 0 && digit_of(*digit) < (hex ? 16 : 10);
		digit++)
		code = code <= LAST_CHARACTER ? code * (hex ? 16 : 10) + digit_of(*digit) : code;
	if (digit == end || *digit != ';' || code <= 0 || code > LAST_CHARACTER)
		return 0;
	*count = text_write_utf8((uint32_t)code, bytes);
	return (size_t)(digit + 1 - at);
}

/* Those that stand for a byte which may be part of a credential; browsers know more. */
static size_t read_entity(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	static const struct {
		const char *name;
		char meaning;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' },
		{ "&sol;", '/' }, { "&plus;", '+' }, { "&equals;", '=' }, { "&period;", '.' }, { "&colon;", ':' },
		{ "&lowbar;", '_' }, { "&num;", '#' }, { "&excl;", '!' }, { "&dollar;", '$' }, { "&percnt;", '%' },
		{ "&ast;", '*' }, { "&comma;", ',' }, { "&semi;", ';' }, { "&quest;", '?' }, { "&commat;", '@' },
		{ "&bsol;", '\\' }, { "&verbar;", '|' }, { "&lpar;", '(' }, { "&rpar;", ')' } };

	*count = 1;
	if (end - at < 4)
		return 0;
	if (at[1] == '#')
		return read_number(at, end, bytes, count);
	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
		size_t length;

		if ((at[1] | 0x20) != entities[i].name[1])
			continue;
		length = strlen(entities[i].name);
		if ((size_t)(end - at) >= length && strncasecmp(at, entities[i].name, length) == 0) {
			bytes[0] = (unsigned char)entities[i].meaning;
			return length;
		}
	}
	return 0;
}

/* ---- what was escaped more than once ---- */

/* "%252F": a URL within a URL. */
static size_t read_percents(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	const char *digits = at + 1;
	int32_t code;

	while (end - digits >= 4 && digits - at < MASK_ESCAPE_BYTES - 4 && digits[0] == '2' && digits[1] == '5' &&
		hexadecimal(digits + 2, 2) >= 0)
		digits += 2;
	code = end - digits >= 2 ? hexadecimal(digits, 2) : -1;
	if (code < 0)
		return 0;
	bytes[0] = (unsigned char)code;
	*count = 1;
	return (size_t)(digits + 2 - at);
}

/* "&amp;#47;" */
static size_t read_entities(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	size_t size = read_entity(at, end, bytes, count), more;

	while (size > 0 && bytes[0] == '&' && size + 4 < MASK_ESCAPE_BYTES) {
		/* its "&" is the one that the last semicolon ended: what follows is read as if that stood before it */
		char text[MASK_ESCAPE_BYTES + 1] = "&";
		size_t rest = (size_t)(end - at) - size, room = MASK_ESCAPE_BYTES - size;

		rest = rest < room ? rest : room;
		memcpy(text + 1, at + size, rest);
		more = read_entity(text, text + 1 + rest, bytes, count);
		if (more == 0) {
			bytes[0] = '&';
			break;
		}
		size += more - 1;
	}
	return size;
}

/* ---- what was broken into lines ---- */

/* Mail, PEM and base64 of old break what is long; the next line may be indented. With the byte that follows it is no longer than an escape. */
static size_t read_break(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	const char *next = at + 1;

	(void)bytes;
	while (next < end && next - at < MASK_ESCAPE_BYTES - 1 && *next != '\0' && strchr("\r\n\t ", *next) != NULL)
		next++;
	*count = 0;
	return (size_t)(next - at);
}

/* The same within a JSON text. */
static size_t read_json_break(const char *at, const char *end, unsigned char bytes[4], size_t *count)
{
	size_t size = mask_escape_json(at, end, bytes, count);

	if (size == 0 || *count != 1 || (bytes[0] != '\n' && bytes[0] != '\r'))
		return size;
	*count = 0;
	while (at + size < end && size < MASK_ESCAPE_BYTES - 1 && at[size] == ' ')
		size++;
	return size;
}

const struct mask_escape mask_escapes[MASK_ESCAPES] = { { '\\', '\\', mask_escape_json }, { '%', '%', read_percent },
	{ '&', '&', read_entity }, { '%', '%', read_percents }, { '&', '&', read_entities }, { '\n', '\r', read_break },
	{ '\\', '\\', read_json_break } };
