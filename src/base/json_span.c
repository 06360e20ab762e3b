/* json_span.c - walks over a JSON text, value by value. Pure; any thread. */
#include "base/json_span.h"

#include <string.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static const char *span_skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* Behind the text whose quote stands here. */
static const char *span_skip_text(const char *at, const char *end)
{
	const char *quote = at, *escape;

	for (at++; at < end; at = escape + 2) {
		if (quote < at)
			quote = memchr(at, '"', (size_t)(end - at));
		if (quote == NULL)
			return end;
		escape = memchr(at, '\\', (size_t)(quote - at));
		if (escape == NULL)
			return quote + 1;
	}
	return end;
}

/* Behind the value that begins here. */
static const char *span_skip_value(const char *at, const char *end)
{
	int depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = span_skip_text(at, end);
		} else if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (*at == '}' || *at == ']') {
			if (depth-- == 0)
				return at;
			at++;
		} else {
			at++;
		}
		if (depth == 0 && (at == end || *at == ',' || *at == '}' || *at == ']' || is_blank(*at)))
			return at;
	}
	return end;
}

static struct json_span span_between(const char *from, const char *to)
{
	return (struct json_span){ .text = from, .length = (size_t)(to - from) };
}

struct json_span json_span_of(const char *text)
{
	const char *end, *from;

	if (text == NULL)
		return (struct json_span){ 0 };
	end = text + strlen(text);
	from = span_skip_blanks(text, end);
	return span_between(from, end);
}

/* Which of the names the member is called; `count`: none. */
static size_t name_index(struct json_span member, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (member.length == strlen(names[i]) + 2 && memcmp(member.text + 1, names[i], member.length - 2) == 0)
			break;
	return i;
}

void json_span_members(struct json_span object, const char *const *names, size_t count, struct json_span *values)
{
	const char *at, *end, *from;
	size_t left = count, found;

	memset(values, 0, count * sizeof *values);
	if (object.length == 0 || *object.text != '{')
		return;
	at = object.text + 1;
	end = object.text + object.length;
	for (; left > 0 && (at = span_skip_blanks(at, end)) < end && *at == '"'; at++) {
		from = at;
		at = span_skip_text(at, end);
		found = name_index(span_between(from, at), names, count);
		at = span_skip_blanks(at, end);
		at = from = span_skip_blanks(at < end && *at == ':' ? at + 1 : at, end);
		at = span_skip_value(at, end);
		if (found < count && values[found].text == NULL) {
			values[found] = span_between(from, at);
			left--;
		}
		at = span_skip_blanks(at, end);
		if (at == end || *at != ',')
			return;
	}
}

struct json_span json_span_member(struct json_span object, const char *name)
{
	struct json_span value;

	json_span_members(object, &name, 1, &value);
	return value;
}

bool json_span_next(struct json_span list, struct json_span *item)
{
	const char *at, *end;

	if (list.length == 0 || *list.text != '[')
		return false;
	end = list.text + list.length;
	at = span_skip_blanks(item->text != NULL ? item->text + item->length : list.text, end);
	if (at == end || (item->text != NULL && *at != ','))
		return false;
	at = span_skip_blanks(at + 1, end);
	if (at == end || *at == ']')
		return false;
	*item = span_between(at, span_skip_value(at, end));
	return item->length > 0;
}

bool json_span_is_text(struct json_span value)
{
	return value.length >= 2 && value.text[0] == '"' && value.text[value.length - 1] == '"';
}

void json_span_write(struct buffer *out, struct json_span value)
{
	if (value.length > 0)
		buffer_append(out, value.text, value.length);
	else
		buffer_text(out, "null");
}

/* The bytes of the character that stands here: an escape, two of them for one beyond U+FFFF, or UTF-8. */
static size_t written_length(const char *at, const char *end)
{
	size_t length = 1;

	if (*at == '\\') {
		length = end - at > 1 && at[1] == 'u' ? 6 : 2;
		if (length == 6 && end - at >= 12 && (at[2] == 'd' || at[2] == 'D') && strchr("89abAB", at[3]) != NULL)
			length = 12;
	} else if ((unsigned char)*at >= 0xc0) {
		while (at + length < end && ((unsigned char)at[length] & 0xc0) == 0x80)
			length++;
	}
	return length < (size_t)(end - at) ? length : (size_t)(end - at);
}

size_t json_span_cut(struct json_span text, size_t characters)
{
	const char *at = text.text + 1, *end = text.text + text.length - 1;

	for (; characters > 0 && at < end; characters--)
		at += written_length(at, end);
	return (size_t)(at - text.text);
}
