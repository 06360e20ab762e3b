/* json_parse.c - a strict parser (RFC 8259) that makes Jansson's values. No state; any thread.
 *
 * Beside what Jansson's refuses (bad UTF-8, lone surrogates, NULs, duplicate keys, numbers that do not fit) it looks at the depth before it recurses,
 * counts values and memory before it makes any, knows the path of where it stands, and keeps integers that Jansson has none for. */
#include "base/json_parse.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

#define NUMBER_BYTES 64	  /* longer ones are copied elsewhere */
#define PATH_KEY_BYTES 64 /* of each name in a path */

#define CONTAINER_VALUES 8 /* what a list or an object weighs, in values */
#define VALUE_BYTES 128 /* what a value takes at most beside its text: a name, its place in a table, a number or a text's head */
#define PAID_AHEAD 64	/* values: budgets are asked for so many at once */

/* A list or an object that the parser is in. */
struct level {
	bool array;
	long index;	   /* arrays: which item; -1: none has begun */
	const char *key;   /* objects: the newest one as it stands in the text */
	size_t key_length; /* 0: none yet */
};

struct parser {
	const char *text;
	size_t length;
	size_t at;
	const char *mark;
	struct json_allowance *allowance;
	size_t weight; /* values so far, as LIMIT_JSON_VALUES counts them */
	size_t paid;   /* so many of them the budget has been asked for */
	size_t values; /* so far, each as one, but for those of containers that were left whole */
	int depth;
	struct level levels[LIMIT_JSON_DEPTH];
	const char *problem; /* what is wrong with the text, without a word of what was sent; NULL: nothing, or error is told */
	size_t problem_at;
	struct error *error;
};

/* A text as it stands in the source, or decoded. */
struct piece {
	const char *text;
	size_t length;
	char *decoded; /* to be freed, or NULL */
};

static json_t *parse_value(struct parser *parser);

/* ---- refusals ---- */

/* parameters.items[2].name */
static void write_path(const struct parser *parser, char *path, size_t size)
{
	size_t used = 0;

	path[0] = '\0';
	for (int i = 0; i < parser->depth && used < size; i++) {
		const struct level *level = &parser->levels[i];

		if (level->array ? level->index < 0 : level->key_length == 0)
			break;
		if (level->array)
			used += (size_t)snprintf(path + used, size - used, "[%ld]", level->index);
		else
			used += (size_t)snprintf(path + used, size - used, "%s%.*s", used > 0 ? "." : "",
				(int)(level->key_length < PATH_KEY_BYTES ? level->key_length : PATH_KEY_BYTES), level->key);
	}
}

/* Line and column, both from 1, and the path of what makes no sense. */
static void explain_problem(const struct parser *parser)
{
	char path[sizeof parser->error->path];
	int line = 1, column = 0;

	if (parser->error == NULL)
		return;
	for (size_t i = 0; i < parser->problem_at; i++) {
		column = parser->text[i] == '\n' ? 0 : column + (((unsigned char)parser->text[i] & 0xc0) != 0x80);
		line += parser->text[i] == '\n';
	}
	write_path(parser, path, sizeof path);
	error_set(parser->error, ERROR_INVALID, path, "malformed JSON at line %d, column %d: %s", line, column, parser->problem);
	parser->error->line = line;
}

/* The text makes no sense where the parser stands. */
static bool refuse(struct parser *parser, const char *problem)
{
	parser->problem = problem;
	parser->problem_at = parser->at;
	return false;
}

/* Counts values against the allowance. */
static bool weigh(struct parser *parser, size_t values)
{
	struct json_allowance *allowance = parser->allowance;

	parser->weight += values;
	if (parser->weight > allowance->values) {
		allowance->exceeded = true;
		error_set(parser->error, ERROR_INVALID, "", "more than %zu values (a list or an object counts as %d)",
			allowance->values, CONTAINER_VALUES);
	} else if (allowance->budget == NULL || parser->weight <= parser->paid) {
		return true;
	} else if (buffer_budget_take(allowance->budget, PAID_AHEAD * VALUE_BYTES)) {
		allowance->bytes += PAID_AHEAD * VALUE_BYTES;
		parser->paid += PAID_AHEAD;
		return true;
	} else {
		error_memory(parser->error);
	}
	return false;
}

static bool enter_container(struct parser *parser, bool array)
{
	if (parser->depth == LIMIT_JSON_DEPTH) {
		error_set(parser->error, ERROR_INVALID, "", "nested deeper than %d levels", LIMIT_JSON_DEPTH);
		return false;
	}
	parser->levels[parser->depth++] = (struct level){ .array = array, .index = -1 };
	return weigh(parser, CONTAINER_VALUES);
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
static bool take_byte(struct parser *parser, char byte)
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

static bool decode(struct parser *parser, struct piece *piece)
{
	piece->decoded = memory_new_array(piece->length, 1);
	if (!json_decode_text(piece->text, piece->length, piece->decoded, &piece->length))
		return refuse(parser, "an escape is half a character, or a NUL");
	piece->text = piece->decoded;
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
static bool is_marked(struct parser *parser, const struct piece *piece)
{
	size_t length = strlen(parser->mark);

	if (piece->length < length || memcmp(piece->text, parser->mark, length) != 0)
		return false;
	refuse(parser, "a text begins like a mark of the host's own");
	return true;
}

static json_t *parse_string(struct parser *parser)
{
	struct piece piece;
	json_t *value = NULL;

	parser->at++;
	if (parse_text(parser, &piece) && !is_marked(parser, &piece))
		value = json_stringn_nocheck(piece.text, piece.length);
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
	json_t *value;
	size_t length;
	bool real;

	if (!skip_number(parser, &real))
		return NULL;
	length = (size_t)(parser->text + parser->at - start);
	if (length >= sizeof few)
		digits = memory_new(length + 1);
	memcpy(digits, start, length);
	digits[length] = '\0';
	value = real ? make_real(parser, digits) : make_integer(parser, digits);
	if (digits != few)
		free(digits);
	return value;
}

/* ---- lists, objects, words ---- */

static void set_key(struct parser *parser, size_t start, size_t end)
{
	struct level *level = &parser->levels[parser->depth - 1];

	level->key = parser->text + start;
	level->key_length = end - start;
}

static bool parse_member(struct parser *parser, json_t *object, const struct piece *key, size_t start)
{
	size_t end = parser->at - 1;
	json_t *value;

	if (json_object_getn(object, key->text, key->length) != NULL) {
		set_key(parser, start, end);
		return refuse(parser, "duplicate object key");
	}
	if (!take_byte(parser, ':'))
		return refuse_token(parser, "':' expected");
	set_key(parser, start, end);
	value = parse_value(parser);
	return value != NULL && json_object_setn_new_nocheck(object, key->text, key->length, value) == 0;
}

static bool parse_name_and_value(struct parser *parser, json_t *object)
{
	size_t start;
	struct piece key;
	bool good;

	if (!take_byte(parser, '"'))
		return refuse_token(parser, "string or '}' expected");
	start = parser->at;
	good = parse_text(parser, &key);
	if (good)
		good = parse_member(parser, object, &key, start);
	else
		set_key(parser, start, key.decoded != NULL ? parser->at - 1 : start); /* a name that does not end is not told */
	free(key.decoded);
	return good;
}

static bool parse_members(struct parser *parser, json_t *object)
{
	if (take_byte(parser, '}'))
		return true;
	do {
		if ((json_object_size(object) > 0 && !weigh(parser, 1)) || !parse_name_and_value(parser, object))
			return false;
	} while (take_byte(parser, ','));
	return take_byte(parser, '}') || refuse_token(parser, "'}' expected");
}

static bool parse_items(struct parser *parser, json_t *array)
{
	struct level *level = &parser->levels[parser->depth - 1];
	json_t *item;

	if (take_byte(parser, ']'))
		return true;
	do {
		if (level->index >= 0 && !weigh(parser, 1))
			return false;
		skip_blanks(parser);
		level->index += peek(parser) != -1;
		item = parse_value(parser);
		if (item == NULL)
			return false;
		json_array_append_new(array, item);
		if (json_array_size(array) > parser->allowance->most)
			json_array_clear(array); /* it is left whole: nothing of it is needed */
	} while (take_byte(parser, ','));
	return take_byte(parser, ']') || refuse_token(parser, "']' expected");
}

/* In place of a container with too many values: where it stands. */
static json_t *left_whole(const struct parser *parser, size_t start)
{
	char marked[NUMBER_BYTES + 64];

	snprintf(marked, sizeof marked, "%sr%zu %zu", parser->mark, start, parser->at - start);
	return json_string_nocheck(marked);
}

static json_t *parse_container(struct parser *parser)
{
	size_t start = parser->at, values = ++parser->values;
	bool array = parser->text[parser->at++] == '[';
	json_t *made;

	if (!enter_container(parser, array))
		return NULL;
	made = array ? json_array() : json_object();
	if (!(array ? parse_items(parser, made) : parse_members(parser, made))) {
		json_decref(made);
		return NULL;
	}
	parser->depth--;
	if (parser->values - values <= parser->allowance->most)
		return made;
	parser->values = values;
	json_decref(made);
	return left_whole(parser, start);
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

/* What was asked for ahead and not needed goes back, and without a tree all of it. */
static void settle(const struct parser *parser, const json_t *value)
{
	struct json_allowance *allowance = parser->allowance;
	size_t needed = value != NULL ? parser->length + parser->weight * VALUE_BYTES : 0;

	if (allowance->budget == NULL)
		return;
	buffer_budget_give(allowance->budget, allowance->bytes - needed);
	allowance->bytes = needed;
}

json_t *json_parse(const char *text, size_t length, const char *mark, struct json_allowance *allowance, struct error *error)
{
	struct parser parser = { .text = text, .length = length, .mark = mark, .allowance = allowance, .error = error };
	json_t *value;

	allowance->bytes = 0;
	allowance->exceeded = false;
	if (allowance->budget != NULL && !buffer_budget_take(allowance->budget, length)) {
		error_memory(error);
		return NULL;
	}
	allowance->bytes = allowance->budget != NULL ? length : 0;
	value = parse_value(&parser);
	skip_blanks(&parser);
	if (value != NULL && parser.at < length) {
		refuse_token(&parser, "end of text expected");
		json_decref(value);
		value = NULL;
	}
	if (value == NULL && parser.problem != NULL)
		explain_problem(&parser);
	settle(&parser, value);
	return value;
}
