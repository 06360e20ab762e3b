/* json_parse.c - a strict parser (RFC 8259) that makes Jansson's values. No state; any thread.
 *
 * Jansson's own goes on where it finds no memory: it cuts a token's text, and then takes it for another, or ends the process. This one refuses what
 * Jansson's does: bad UTF-8, lone surrogates, NULs, duplicate keys, numbers that do not fit. It recurses: its caller has looked at the depth. */
#include "base/json_parse.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

#define NUMBER_BYTES 64 /* longer ones are copied elsewhere */

struct parser {
	const char *text;
	size_t length;
	size_t at;
	const char *mark;
	size_t most;   /* values of a container that is taken apart */
	size_t values; /* so far, but for those of containers that were left whole */
	struct json_problem *problem;
};

/* A text as it stands in the source, or decoded. */
struct piece {
	const char *text;
	size_t length;
	char *decoded; /* to be freed, or NULL */
};

static json_t *parse_value(struct parser *parser);

/* The first word counts. */
static bool refuse(struct parser *parser, const char *text)
{
	if (parser->problem->text == NULL && !parser->problem->starved) {
		parser->problem->text = text;
		parser->problem->at = parser->at;
	}
	return false;
}

static bool starve(struct parser *parser)
{
	parser->problem->starved = true;
	return false;
}

/* The next byte, or -1 at the end. */
static int peek(const struct parser *parser)
{
	return parser->at < parser->length ? (unsigned char)parser->text[parser->at] : -1;
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->length && parser->text[parser->at] != '\0' &&
		strchr(" \t\n\r", parser->text[parser->at]) != NULL)
		parser->at++;
}

/* Takes the byte if it is the next one after blanks. What stands there instead counts as seen. */
static bool take(struct parser *parser, char byte)
{
	skip_blanks(parser);
	if (peek(parser) != (unsigned char)byte)
		return false;
	parser->at++;
	return true;
}

static bool refuse_token(struct parser *parser, const char *text)
{
	skip_blanks(parser);
	parser->at += parser->at < parser->length;
	return refuse(parser, text);
}

/* ---- texts ---- */

static bool skip_escape(struct parser *parser)
{
	int byte = peek(parser), digits = byte == 'u' ? 4 : 0;

	parser->at += byte != -1;
	if (byte == -1 || strchr("\"\\/bfnrtu", byte) == NULL || byte == '\0')
		return refuse(parser, "invalid escape");
	for (; digits > 0; digits--) {
		if (text_hex_value(peek(parser)) == -1)
			return refuse(parser, "invalid escape");
		parser->at++;
	}
	return true;
}

/* Moves over a character that is not plain, or an escape. */
static bool skip_character(struct parser *parser, bool *escaped)
{
	const unsigned char *here = (const unsigned char *)parser->text + parser->at;
	size_t length;

	if (parser->at == parser->length)
		return refuse(parser, "the text does not end");
	if (*here < 0x20)
		return refuse(parser, "control character in a text");
	if (*here == '\\') {
		*escaped = true;
		parser->at++;
		return skip_escape(parser);
	}
	length = text_character_length(here, parser->length - parser->at);
	if (length == 0)
		return refuse(parser, "not UTF-8");
	parser->at += length;
	return true;
}

static uint32_t read_hex(const char *digits)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)text_hex_value(digits[i]);
	return value;
}

static char *write_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
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

/* A decoded text is never longer than its source. */
static bool decode(struct parser *parser, struct piece *piece)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *from = piece->text, *end = from + piece->length, *name;
	char *to = piece->decoded = malloc(piece->length);
	uint32_t code;

	if (to == NULL)
		return starve(parser);
	while (from < end) {
		if (*from != '\\') {
			*to++ = *from++;
		} else if (from[1] == 'u') {
			if (!read_unicode(&from, end, &code))
				return refuse(parser, "an escape is half a character, or a NUL");
			to = write_utf8(to, code);
		} else {
			name = strchr(names, from[1]);
			*to++ = name != NULL ? values[name - names] : from[1];
			from += 2;
		}
	}
	piece->text = piece->decoded;
	piece->length = (size_t)(to - piece->decoded);
	return true;
}

/* The text whose quote was taken. piece->decoded is to be freed, also after false. */
static bool parse_text(struct parser *parser, struct piece *piece)
{
	bool escaped = false;

	*piece = (struct piece){ .text = parser->text + parser->at };
	for (;;) {
		parser->at += text_plain_length(parser->text + parser->at, parser->length - parser->at);
		if (peek(parser) == '"')
			break;
		if (!skip_character(parser, &escaped))
			return false;
	}
	piece->length = (size_t)(parser->text + parser->at - piece->text);
	parser->at++;
	return !escaped || decode(parser, piece);
}

/* Whoever came to know the mark could write a text that passes for an integer. */
static bool is_marked(const struct parser *parser, const struct piece *piece)
{
	size_t length = strlen(parser->mark);

	return piece->length >= length && memcmp(piece->text, parser->mark, length) == 0;
}

static json_t *parse_string(struct parser *parser)
{
	struct piece piece;
	json_t *value = NULL;

	parser->at++;
	if (!parse_text(parser, &piece))
		value = NULL;
	else if (is_marked(parser, &piece))
		refuse(parser, "a text begins like a mark of the host's own");
	else if ((value = json_stringn_nocheck(piece.text, piece.length)) == NULL)
		starve(parser);
	free(piece.decoded);
	return value;
}

/* ---- numbers ---- */

static size_t skip_digits(struct parser *parser)
{
	size_t start = parser->at;

	while (peek(parser) >= '0' && peek(parser) <= '9')
		parser->at++;
	return parser->at - start;
}

/* Moves over a number; `*real` when it has a fraction or an exponent. */
static bool skip_number(struct parser *parser, bool *real)
{
	parser->at += peek(parser) == '-';
	if (peek(parser) == '0')
		parser->at++;
	else if (skip_digits(parser) == 0)
		return refuse(parser, "invalid number");
	if (peek(parser) >= '0' && peek(parser) <= '9')
		return refuse(parser, "a number must not begin with 0");
	*real = false;
	if (peek(parser) == '.') {
		*real = true;
		parser->at++;
		if (skip_digits(parser) == 0)
			return refuse(parser, "invalid number");
	}
	if (peek(parser) == 'e' || peek(parser) == 'E') {
		*real = true;
		parser->at++;
		parser->at += peek(parser) == '+' || peek(parser) == '-';
		if (skip_digits(parser) == 0)
			return refuse(parser, "invalid number");
	}
	return true;
}

static json_t *make_real(struct parser *parser, const char *digits)
{
	double value = strtod(digits, NULL);

	if (!isinf(value))
		return json_real(value);
	refuse(parser, "the number is too large");
	return NULL;
}

/* Above 2^63-1 Jansson has no integer. */
static json_t *make_integer(struct parser *parser, const char *digits)
{
	char marked[NUMBER_BYTES];
	long long value;

	errno = 0;
	value = strtoll(digits, NULL, 10);
	if (errno == 0)
		return json_integer(value);
	errno = 0;
	if (*digits != '-' && strtoull(digits, NULL, 10) > 0 && errno == 0) {
		snprintf(marked, sizeof marked, "%s%s", parser->mark, digits);
		return json_string_nocheck(marked);
	}
	refuse(parser, "the integer is too large");
	return NULL;
}

static json_t *parse_number(struct parser *parser)
{
	const char *start = parser->text + parser->at;
	char few[NUMBER_BYTES], *digits = few;
	json_t *value = NULL;
	size_t length;
	bool real;

	if (!skip_number(parser, &real))
		return NULL;
	length = (size_t)(parser->text + parser->at - start);
	if (length >= sizeof few)
		digits = malloc(length + 1);
	if (digits != NULL) {
		memcpy(digits, start, length);
		digits[length] = '\0';
		value = real ? make_real(parser, digits) : make_integer(parser, digits);
	}
	if (value == NULL && parser->problem->text == NULL)
		starve(parser);
	if (digits != few)
		free(digits);
	return value;
}

/* ---- lists, objects, words ---- */

static bool parse_member(struct parser *parser, json_t *object, const struct piece *key)
{
	json_t *value;

	if (json_object_getn(object, key->text, key->length) != NULL)
		return refuse(parser, "duplicate object key");
	if (!take(parser, ':'))
		return refuse_token(parser, "':' expected");
	value = parse_value(parser);
	if (value == NULL)
		return false;
	return json_object_setn_new_nocheck(object, key->text, key->length, value) == 0 || starve(parser);
}

static bool parse_members(struct parser *parser, json_t *object)
{
	struct piece key;
	bool good;

	if (take(parser, '}'))
		return true;
	do {
		if (!take(parser, '"'))
			return refuse_token(parser, "string or '}' expected");
		good = parse_text(parser, &key) && parse_member(parser, object, &key);
		free(key.decoded);
		if (!good)
			return false;
	} while (take(parser, ','));
	return take(parser, '}') || refuse_token(parser, "'}' expected");
}

static bool parse_items(struct parser *parser, json_t *array)
{
	json_t *item;

	if (take(parser, ']'))
		return true;
	do {
		item = parse_value(parser);
		if (item == NULL)
			return false;
		if (json_array_append_new(array, item) != 0)
			return starve(parser);
		if (json_array_size(array) > parser->most)
			json_array_clear(array); /* it is left whole: nothing of it is needed */
	} while (take(parser, ','));
	return take(parser, ']') || refuse_token(parser, "']' expected");
}

/* In place of a container with too many values: where it stands. */
static json_t *left_whole(struct parser *parser, size_t start)
{
	char marked[NUMBER_BYTES + 64];
	json_t *value;

	snprintf(marked, sizeof marked, "%sr%zu %zu", parser->mark, start, parser->at - start);
	value = json_string_nocheck(marked);
	if (value == NULL)
		starve(parser);
	return value;
}

static json_t *parse_container(struct parser *parser)
{
	size_t start = parser->at, values = ++parser->values;
	bool object = parser->text[parser->at++] == '{';
	json_t *made = object ? json_object() : json_array();

	if (made == NULL) {
		starve(parser);
		return NULL;
	}
	if (object ? parse_members(parser, made) : parse_items(parser, made)) {
		if (parser->values - values <= parser->most)
			return made;
		parser->values = values;
		json_decref(made);
		return left_whole(parser, start);
	}
	json_decref(made);
	return NULL;
}

static json_t *parse_word(struct parser *parser)
{
	const char *start = parser->text + parser->at;
	size_t length = 0;

	while (parser->at + length < parser->length && ((start[length] | 0x20) >= 'a' && (start[length] | 0x20) <= 'z'))
		length++;
	parser->at += length;
	if (length == 4 && memcmp(start, "true", 4) == 0)
		return json_true();
	if (length == 5 && memcmp(start, "false", 5) == 0)
		return json_false();
	if (length == 4 && memcmp(start, "null", 4) == 0)
		return json_null();
	parser->at += length == 0 && parser->at < parser->length;
	refuse(parser, "invalid token");
	return NULL;
}

static json_t *parse_value(struct parser *parser)
{
	int byte;

	skip_blanks(parser);
	byte = peek(parser);
	if (byte == '{' || byte == '[')
		return parse_container(parser);
	parser->values++;
	if (byte == '"')
		return parse_string(parser);
	if (byte == '-' || (byte >= '0' && byte <= '9'))
		return parse_number(parser);
	return parse_word(parser);
}

json_t *json_parse(const char *text, size_t length, const char *mark, size_t most, struct json_problem *problem)
{
	struct parser parser = { .text = text, .length = length, .mark = mark, .most = most, .problem = problem };
	json_t *value;

	*problem = (struct json_problem){ .starved = false };
	value = parse_value(&parser);
	skip_blanks(&parser);
	if (value != NULL && parser.at < length) {
		refuse_token(&parser, "end of text expected");
		json_decref(value);
		value = NULL;
	}
	return value;
}
