/* json.c - reading with limits and paths, writing exactly. No state but a random mark, drawn once. */
#include "base/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/limits.h"

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
	*number = strtoull(text + MARK_BYTES - 1, NULL, 10);
	return true;
}

/* ---- the scanner: depth, paths and wide integers, without recursion ---- */

#define CONTAINER_VALUES 8 /* what a list or an object weighs, in values */

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
	bool wide_found;
};

static void skip_string(struct scan *scan)
{
	scan->at++;
	while (scan->at < scan->length && scan->text[scan->at] != '"')
		scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
	scan->at++;
}

/* An integer above 2^63-1 that fits in 64 bits, at `start`? */
static bool wide_at(const char *start, size_t length)
{
	char digits[24];
	unsigned long long value;

	if (length < 19 || length > 20 || *start == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isdigit((unsigned char)start[i]))
			return false;
	memcpy(digits, start, length);
	digits[length] = '\0';
	errno = 0;
	value = strtoull(digits, NULL, 10);
	return errno == 0 && value > INT64_MAX;
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
		size_t length = number_length(scan);
		scan->wide_found |= wide_at(scan->text + scan->at, length);
		scan->at += length;
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

/* The text with each wide integer written as a marked string. */
static char *rewrite_wide(const char *text, size_t length, size_t *new_length)
{
	struct scan scan = { .text = text, .length = length };
	struct buffer out;
	size_t start;

	buffer_init(&out, length * 2 + 64);
	while (scan.at < length) {
		start = scan.at;
		scan.wide_found = false;
		scan_token(&scan);
		if (scan.at > length)
			scan.at = length;
		if (scan.wide_found)
			buffer_format(&out, "\"%s%.*s\"", the_mark(), (int)(scan.at - start), text + start);
		else
			buffer_append(&out, text + start, scan.at - start);
	}
	*new_length = out.length;
	return buffer_take(&out);
}

/* ---- reading ---- */

/* The length of the parser's words without its quote of what was sent, which may be a credential, and without its own flags. */
static int plain_length(const char *text)
{
	static const char *const tails[] = { " near '", " without JSON_" };
	const char *end = text + strlen(text), *tail;

	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		if ((tail = strstr(text, tails[i])) != NULL && tail < end)
			end = tail;
	return (int)(end - text);
}

static enum error_code explain(const char *text, size_t length, const json_error_t *problem, struct error *error)
{
	struct scan scan = { .text = text, .length = length };
	char path[sizeof error->path];
	size_t position = problem->position > 0 ? (size_t)problem->position - 1 : 0;

	if (json_error_code(problem) == json_error_out_of_memory)
		return error_memory(error);
	scan_until(&scan, position);
	scan_path(&scan, path, sizeof path);
	return error_set(error, ERROR_INVALID, path, "malformed JSON at line %d, column %d: %.*s", problem->line, problem->column,
		plain_length(problem->text), problem->text);
}

static json_t *parse(const char *text, size_t length, struct error *error)
{
	json_error_t problem;
	json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);

	if (value == NULL)
		explain(text, length, &problem, error);
	return value;
}

json_t *json_read(const char *text, size_t length, struct error *error)
{
	struct scan scan = { .text = text, .length = length };
	json_t *value;
	char *rewritten;

	if (!scan_until(&scan, length)) {
		error_set(error, ERROR_INVALID, "", "nested deeper than %d levels", LIMIT_JSON_DEPTH);
		return NULL;
	}
	if (scan.values > LIMIT_JSON_VALUES) {
		error_set(error, ERROR_INVALID, "", "more than %d values (a list or an object counts as %d)", LIMIT_JSON_VALUES,
			CONTAINER_VALUES);
		return NULL;
	}
	if (!scan.wide_found)
		return parse(text, length, error);
	rewritten = rewrite_wide(text, length, &length);
	if (rewritten == NULL) {
		error_memory(error);
		return NULL;
	}
	value = parse(rewritten, length, error);
	free(rewritten);
	return value;
}

/* ---- writing ---- */

/* The length of the UTF-8 character (RFC 3629) of several bytes that begins the text; 0 when there is none. */
static size_t character_length(const unsigned char *text, size_t length)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t size = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	if (text[0] < 0xc2 || text[0] > 0xf4 || size > length)
		return 0;
	if (text[0] == 0xe0 || text[0] == 0xf0)
		low = text[0] == 0xe0 ? 0xa0 : 0x90;
	if (text[0] == 0xed || text[0] == 0xf4)
		high = text[0] == 0xed ? 0x9f : 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* The length of what stands at the beginning as it is: printable ASCII without quotes and backslashes. Eight bytes at a time: a byte below
 * 0x20, or equal to one of the two, borrows into its highest bit when it is subtracted from (Hacker's Delight, 6-1); that a neighbour may
 * borrow along costs only a closer look. */
static size_t plain_prefix(const char *text, size_t length)
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

/* Most texts need no escape: they go in at once. */
static bool write_plain(struct buffer *out, const char *text, size_t length)
{
	char *to;

	if (plain_prefix(text, length) < length)
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
	for (size_t i = plain_prefix(text, length); i < length; i += 1 + plain_prefix(text + i + 1, length - i - 1)) {
		unsigned char byte = (unsigned char)text[i];
		const char *escape = NULL;
		size_t character = byte < 0x80 ? 0 : character_length((const unsigned char *)text + i, length - i);
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
	return json_string_value(json_object_get(object, key));
}

#define KEPT_BYTES 48

/* The string token that begins at `at`, cut. Stops before an escape or a byte beyond ASCII, so that no character is split. */
static void write_cut(struct buffer *out, const char *token, size_t length)
{
	size_t kept = 0;

	while (kept < KEPT_BYTES && token[1 + kept] != '\\' && (unsigned char)token[1 + kept] < 0x80)
		kept++;
	buffer_append(out, token, 1 + kept);
	buffer_format(out, "... (%zu bytes)\"", length - 2);
}

void json_write_abbreviated(struct buffer *out, const char *text, size_t length, size_t longest)
{
	struct scan scan = { .text = text, .length = length };
	size_t from = 0, start;

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
		write_cut(out, text + start, scan.at - start);
		from = scan.at;
	}
	buffer_append(out, text + from, length - from);
}
