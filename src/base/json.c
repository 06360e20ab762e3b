/* json.c - reading with limits and paths, writing exactly. No state but a random mark, drawn once. */
#include "base/json.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json_parse.h"
#include "base/limits.h"
#include "base/text.h"

/* ---- the mark of wide integers ---- */

#define MARK_BYTES 19 /* "\x7f" + 16 random hex digits + ":" + NUL: no client can write a text that passes for one */

static char mark[MARK_BYTES];
static pthread_once_t mark_once = PTHREAD_ONCE_INIT;

static void make_mark(void)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		abort(); /* without randomness nothing else here is safe either */
	snprintf(mark, sizeof mark, "\x7f%016llx:", (unsigned long long)random);
}

static const char *the_mark(void)
{
	pthread_once(&mark_once, make_mark);
	return mark;
}

bool json_wide(const json_t *value, uint64_t *number)
{
	const char *text;

	if (!json_is_string(value) || json_string_length(value) < MARK_BYTES)
		return false;
	text = json_string_value(value);
	if (text[0] != '\x7f' || memcmp(text, the_mark(), MARK_BYTES - 1) != 0)
		return false;
	if (text[MARK_BYTES - 1] == 'r')
		return false;
	*number = strtoull(text + MARK_BYTES - 1, NULL, 10);
	return true;
}

bool json_whole(const json_t *value, size_t *start, size_t *length)
{
	const char *text = json_string_value(value);
	char *end;

	if (text == NULL || text[0] != '\x7f' || strncmp(text, the_mark(), MARK_BYTES - 1) != 0 || text[MARK_BYTES - 1] != 'r')
		return false;
	*start = strtoull(text + MARK_BYTES, &end, 10);
	*length = strtoull(end, NULL, 10);
	return true;
}

const char *json_text_value(const json_t *value)
{
	uint64_t wide;
	size_t start, length;

	return json_wide(value, &wide) || json_whole(value, &start, &length) ? NULL : json_string_value(value);
}

/* ---- copies ---- */

json_t *json_copy_whole(const json_t *value)
{
	json_t *made = json_copy((json_t *)(uintptr_t)value);

	if (json_object_size(made) == json_object_size(value) && json_array_size(made) == json_array_size(value))
		return made;
	json_decref(made);
	return NULL;
}

json_t *json_deep_copy_whole(const json_t *value)
{
	json_t *made = json_deep_copy(value);

	if (json_equal(made, value))
		return made;
	json_decref(made);
	return NULL;
}

/* ---- the scanner: depth and paths, without recursion ---- */

#define CONTAINER_VALUES 8 /* what a list or an object weighs, in values */
#define VALUE_BYTES                                                                                                              \
	128 /* what a value takes at most beside its text: a member's name, its place in a table, a number or a text's head */

struct level {
	bool array;
	uint32_t index; /* arrays: which item */
	size_t key;	/* objects: where the newest key begins, and its length */
	size_t key_length;
};

struct scan {
	const char *text;
	size_t length;
	size_t at;
	int depth;
	struct level levels[LIMIT_JSON_DEPTH];
	size_t values; /* as LIMIT_JSON_VALUES counts them */
};

static void skip_string(struct scan *scan)
{
	scan->at++;
	while (scan->at < scan->length && scan->text[scan->at] != '"')
		scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
	scan->at++;
}

static size_t number_length(const struct scan *scan)
{
	size_t end = scan->at;

	while (end < scan->length && (isdigit((unsigned char)scan->text[end]) || strchr("+-.eE", scan->text[end]) != NULL) &&
		scan->text[end] != '\0')
		end++;
	return end - scan->at;
}

static void scan_string(struct scan *scan)
{
	size_t start = scan->at + 1;
	struct level *level = scan->depth > 0 ? &scan->levels[scan->depth - 1] : NULL;
	size_t after;

	skip_string(scan);
	after = scan->at;
	while (after < scan->length && isspace((unsigned char)scan->text[after]))
		after++;
	if (level != NULL && !level->array && after < scan->length && scan->text[after] == ':') {
		level->key = start;
		level->key_length = scan->at > start ? scan->at - 1 - start : 0;
	}
}

/* Moves over one token that begins before `stop`. False when the text is too deep. */
static bool scan_token(struct scan *scan)
{
	char byte = scan->text[scan->at];

	if (byte == '"') {
		scan_string(scan);
	} else if (byte == '{' || byte == '[') {
		if (scan->depth == LIMIT_JSON_DEPTH)
			return false;
		scan->levels[scan->depth++] = (struct level){ .array = byte == '[' };
		scan->values += CONTAINER_VALUES;
		scan->at++;
	} else if (byte == '}' || byte == ']') {
		scan->depth -= scan->depth > 0;
		scan->at++;
	} else if (byte == ',') {
		if (scan->depth > 0)
			scan->levels[scan->depth - 1].index++;
		scan->values++;
		scan->at++;
	} else if (byte == '-' || isdigit((unsigned char)byte)) {
		scan->at += number_length(scan);
	} else {
		scan->at++;
	}
	return true;
}

static bool scan_until(struct scan *scan, size_t stop)
{
	while (scan->at < scan->length && scan->at < stop)
		if (!scan_token(scan))
			return false;
	return true;
}

/* The path of where the scan stands: parameters.items[2].name */
static void scan_path(const struct scan *scan, char *path, size_t size)
{
	size_t used = 0;

	path[0] = '\0';
	for (int i = 0; i < scan->depth && used < size; i++) {
		const struct level *level = &scan->levels[i];
		int wrote;

		if (level->array)
			wrote = snprintf(path + used, size - used, "[%u]", level->index);
		else if (level->key_length == 0)
			break;
		else
			wrote = snprintf(path + used, size - used, "%s%.*s", used > 0 ? "." : "",
				(int)(level->key_length < 64 ? level->key_length : 64), scan->text + level->key);
		used += (size_t)wrote;
	}
}

/* ---- reading ---- */

/* Where the text stops making sense: line, column (both from 1) and path. */
static enum error_code explain(const char *text, size_t length, const struct json_problem *problem, struct error *error)
{
	struct scan scan = { .text = text, .length = length };
	char path[sizeof error->path];
	int line = 1, column = 0;

	if (error == NULL)
		return ERROR_INVALID;
	for (size_t i = 0; i < problem->at; i++) {
		column = text[i] == '\n' ? 0 : column + (((unsigned char)text[i] & 0xc0) != 0x80);
		line += text[i] == '\n';
	}
	scan_until(&scan, problem->at > 0 ? problem->at - 1 : 0);
	scan_path(&scan, path, sizeof path);
	return error_set(error, ERROR_INVALID, path, "malformed JSON at line %d, column %d: %s", line, column, problem->text);
}

static json_t *parse_scanned(const char *text, size_t length, size_t most, struct error *error)
{
	struct json_problem problem;
	json_t *value = json_parse(text, length, the_mark(), most, &problem);

	if (value == NULL && problem.starved)
		error_memory(error);
	else if (value == NULL)
		explain(text, length, &problem, error);
	return value;
}

json_t *json_read_partly(const char *text, size_t length, size_t all, size_t most, struct error *error)
{
	struct scan scan = { .text = text, .length = length };

	if (!scan_until(&scan, length)) {
		error_set(error, ERROR_INVALID, "", "nested deeper than %d levels", LIMIT_JSON_DEPTH);
		return NULL;
	}
	return parse_scanned(text, length, scan.values > all ? most : SIZE_MAX, error);
}

json_t *json_read(const char *text, size_t length, struct error *error)
{
	struct scan scan = { .text = text, .length = length };

	if (!scan_until(&scan, length)) {
		error_set(error, ERROR_INVALID, "", "nested deeper than %d levels", LIMIT_JSON_DEPTH);
		return NULL;
	}
	if (scan.values > LIMIT_JSON_VALUES) {
		error_set(error, ERROR_INVALID, "", "more than %d values (a list or an object counts as %d)", LIMIT_JSON_VALUES,
			CONTAINER_VALUES);
		return NULL;
	}
	return parse_scanned(text, length, SIZE_MAX, error);
}

size_t json_read_bytes(const char *text, size_t length)
{
	struct scan scan = { .text = text, .length = length };

	scan_until(&scan, length);
	return length + (scan.values < LIMIT_JSON_VALUES ? scan.values : 1) * VALUE_BYTES; /* with more it is not read */
}

/* ---- writing ---- */

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

const char *json_text(const json_t *object, const char *key)
{
	return json_text_value(json_object_get(object, key));
}

bool json_optional_text(const json_t *object, const char *key, const char **text)
{
	const json_t *value = json_object_get(object, key);

	*text = json_text_value(value);
	return value == NULL || json_is_null(value) || (*text != NULL && strlen(*text) == json_string_length(value));
}

#define KEPT_BYTES 48

/* The string token that begins at `at`, cut. Stops before an escape or a byte beyond ASCII, so that no character is split. Two names that are cut must
 * differ still: from the second one on they have a number. */
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

static bool is_name(const struct scan *scan)
{
	size_t at = scan->at;

	while (at < scan->length &&
		(scan->text[at] == ' ' || scan->text[at] == '\t' || scan->text[at] == '\n' || scan->text[at] == '\r'))
		at++;
	return at < scan->length && scan->text[at] == ':';
}

void json_write_abbreviated(struct buffer *out, const char *text, size_t length, size_t longest)
{
	struct scan scan = { .text = text, .length = length };
	size_t from = 0, start;
	unsigned names = 0;

	while (length > longest && scan.at < length) { /* a short text has no long one in it */
		if (text[scan.at] != '"') {
			scan.at++;
			continue;
		}
		start = scan.at;
		skip_string(&scan);
		if (scan.at - start <= longest + 2)
			continue;
		buffer_append(out, text + from, start - from);
		write_cut(out, text + start, scan.at - start, is_name(&scan) ? ++names : 0);
		from = scan.at;
	}
	buffer_append(out, text + from, length - from);
}
