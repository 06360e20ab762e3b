/* json_write.c - JSON text: exact, always valid, and short where it is to be. Pure; any thread. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* Most texts need no escape: they go in at once. */
static bool write_plain(struct buffer *out, const char *text, size_t length)
{
	char *to;

	if (text_plain_length(text, length) < length)
		return false;
	to = buffer_reserve(out, length + 2);
	if (to == NULL)
		return true;
	to[0] = '"';
	if (length > 0)
		memcpy(to + 1, text, length);
	to[length + 1] = '"';
	to[length + 2] = '\0';
	out->length += length + 2;
	return true;
}

void json_write_string(struct buffer *out, const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t from = 0;

	if (write_plain(out, text, length))
		return;
	buffer_char(out, '"');
	for (size_t i = text_plain_length(text, length); i < length; i += 1 + text_plain_length(text + i + 1, length - i - 1)) {
		unsigned char byte = (unsigned char)text[i];
		const char *escape = NULL;
		size_t character = byte < 0x80 ? 0 : text_character_length((const unsigned char *)text + i, length - i);
		if (character > 0) {
			i += character - 1;
			continue;
		}
		buffer_append(out, text + from, i - from);
		from = i + 1;
		switch (byte) {
		case '"': escape = "\\\""; break;
		case '\\': escape = "\\\\"; break;
		case '\n': escape = "\\n"; break;
		case '\r': escape = "\\r"; break;
		case '\t': escape = "\\t"; break;
		default: break;
		}
		if (escape != NULL)
			buffer_append(out, escape, 2);
		else if (byte >= 0x80)
			buffer_append(out, "\\ufffd", 6);
		else
			buffer_append(out, (char[]){ '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] }, 6);
	}
	buffer_append(out, text + from, length - from);
	buffer_char(out, '"');
}

void json_write_text(struct buffer *out, const char *text)
{
	if (text == NULL)
		buffer_append(out, "null", 4);
	else
		json_write_string(out, text, strlen(text));
}

/* A whole part, a point, and as many of six decimals as are not zero, but at least one. */
static void write_millionths(struct buffer *out, bool negative, uint64_t millionths)
{
	uint32_t rest = (uint32_t)(millionths % 1000000);
	char decimals[7] = { '.' };
	size_t length = 7;

	if (negative)
		buffer_char(out, '-');
	buffer_unsigned(out, millionths / 1000000);
	for (size_t i = 6; i > 0; i--, rest /= 10)
		decimals[i] = (char)('0' + rest % 10);
	while (length > 2 && decimals[length - 1] == '0')
		length--;
	buffer_append(out, decimals, length);
}

/* What most numbers are: at most 15 digits, at most six of them after the point (7.5, 0.003). Division is exact to the last bit,
 * so if it gives the value back, so does reading this text; and no other text of at most 15 digits does. Much faster than printf
 * and strtod. */
static bool write_short_decimal(struct buffer *out, double value)
{
	double size = fabs(value);
	int64_t millionths;

	if (!(size >= 1e-4 && size < 1e9)) /* printf writes smaller and larger ones with an exponent */
		return false;
	millionths = llround(size * 1e6);
	if ((double)millionths / 1e6 != size)
		return false;
	write_millionths(out, value < 0, (uint64_t)millionths);
	return true;
}

void json_write_double(struct buffer *out, double value)
{
	char text[40];
	int length = 0;

	if (!isfinite(value)) {
		buffer_append(out, "null", 4);
		return;
	}
	if (write_short_decimal(out, value))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		length = snprintf(text, sizeof text - 2, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (strpbrk(text, ".eE") == NULL) { /* a float stays one: 9.0, not 9 */
		memcpy(text + length, ".0", 3);
		length += 2;
	}
	buffer_append(out, text, (size_t)length);
}

void json_write_bool(struct buffer *out, bool value)
{
	buffer_text(out, value ? "true" : "false");
}

void json_write_usd(struct buffer *out, int64_t micro_usd)
{
	write_millionths(out, micro_usd < 0, micro_usd < 0 ? 0 - (uint64_t)micro_usd : (uint64_t)micro_usd);
}

static void begin_member(struct buffer *out, const char *name)
{
	buffer_char(out, '"');
	buffer_text(out, name);
	buffer_append(out, "\":", 2);
}

void json_member_text(struct buffer *out, const char *name, const char *text)
{
	begin_member(out, name);
	json_write_text(out, text);
	buffer_char(out, ',');
}

void json_member_json(struct buffer *out, const char *name, const char *json)
{
	begin_member(out, name);
	buffer_text(out, json != NULL ? json : "null");
	buffer_char(out, ',');
}

void json_member_usd(struct buffer *out, const char *name, int64_t micro_usd)
{
	begin_member(out, name);
	if (micro_usd >= 0)
		json_write_usd(out, micro_usd);
	else
		buffer_text(out, "null");
	buffer_char(out, ',');
}

void json_member_time(struct buffer *out, const char *name, int64_t unix_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (unix_ms > 0)
		clock_format(unix_ms, text);
	json_member_text(out, name, unix_ms > 0 ? text : NULL);
}

/* The same of a name that somebody else chose. */
static void begin_any_member(struct buffer *out, const char *name)
{
	json_write_text(out, name);
	buffer_char(out, ':');
}

void json_member_bool(struct buffer *out, const char *name, bool value)
{
	begin_any_member(out, name);
	json_write_bool(out, value);
	buffer_char(out, ',');
}

void json_member_integer(struct buffer *out, const char *name, int64_t value)
{
	begin_any_member(out, name);
	buffer_integer(out, value);
	buffer_char(out, ',');
}

void json_open_object(struct buffer *out, const char *name)
{
	begin_any_member(out, name);
	buffer_char(out, '{');
}

void json_close_object(struct buffer *out)
{
	if (!out->failed && out->data[out->length - 1] == ',')
		out->length--;
	buffer_text(out, "},");
}

static void write_object(struct buffer *out, const json_t *value)
{
	const char *key, *separator = "{";
	json_t *item;

	if (json_object_size(value) == 0)
		buffer_char(out, '{');
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		buffer_text(out, separator);
		json_write_text(out, key);
		buffer_char(out, ':');
		json_write(out, item);
		separator = ",";
	}
	buffer_char(out, '}');
}

static void write_array(struct buffer *out, const json_t *value)
{
	buffer_char(out, '[');
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i > 0)
			buffer_char(out, ',');
		json_write(out, json_array_get(value, i));
	}
	buffer_char(out, ']');
}

void json_write(struct buffer *out, const json_t *value)
{
	uint64_t wide;

	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_OBJECT: write_object(out, value); break;
	case JSON_ARRAY: write_array(out, value); break;
	case JSON_INTEGER: buffer_integer(out, json_integer_value(value)); break;
	case JSON_REAL: json_write_double(out, json_real_value(value)); break;
	case JSON_TRUE: buffer_append(out, "true", 4); break;
	case JSON_FALSE: buffer_append(out, "false", 5); break;
	case JSON_NULL: buffer_append(out, "null", 4); break;
	case JSON_STRING:
		if (json_wide(value, &wide))
			buffer_unsigned(out, wide);
		else
			json_write_string(out, json_string_value(value), json_string_length(value));
		break;
	}
}

#define KEPT_BYTES 48

/* The string token that begins at `at`, cut. Stops before an escape or a byte beyond ASCII, so that no character is split. Two names that are cut
 * must differ still: from the second one on they have a number. */
static void write_cut(struct buffer *out, const char *token, size_t length, unsigned number)
{
	size_t kept = 0;

	while (kept < KEPT_BYTES && token[1 + kept] != '\\' && (unsigned char)token[1 + kept] < 0x80)
		kept++;
	buffer_append(out, token, 1 + kept);
	if (number > 1)
		buffer_format(out, "... (%zu bytes, %u)\"", length - 2, number);
	else
		buffer_format(out, "... (%zu bytes)\"", length - 2);
}

/* Where the text ends whose quote stands at `start`: behind the other quote, or beyond `length`. */
static size_t text_end(const char *text, size_t length, size_t start)
{
	size_t at = start + 1;

	while (at < length && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < length ? at + 1 : length + 1;
}

/* Is what ends at `end` a member's name? */
static bool is_member_name(const char *text, size_t length, size_t end)
{
	while (end < length && text[end] != '\0' && strchr(" \t\n\r", text[end]) != NULL)
		end++;
	return end < length && text[end] == ':';
}

void json_write_abbreviated(struct buffer *out, const char *text, size_t length, size_t longest)
{
	size_t at = 0, from = 0, start;
	unsigned names = 0;

	while (length > longest && at < length) { /* a short text has no long one in it */
		if (text[at] != '"') {
			at++;
			continue;
		}
		start = at;
		at = text_end(text, length, start);
		if (at - start <= longest + 2)
			continue;
		buffer_append(out, text + from, start - from);
		write_cut(out, text + start, at - start, is_member_name(text, length, at) ? ++names : 0);
		from = at;
	}
	buffer_append(out, text + from, length - from);
}
