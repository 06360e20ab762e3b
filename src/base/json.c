/* json.c - what is read, and what its values are. No state but a random mark, drawn once; any thread. */
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

/* ---- reading ---- */

json_t *json_read_counted(const char *text, size_t length, struct buffer_budget *budget, size_t *bytes, struct error *error)
{
	struct json_allowance allowance = { .values = LIMIT_JSON_VALUES, .most = SIZE_MAX, .budget = budget };
	json_t *value = json_parse(text, length, the_mark(), &allowance, error);

	*bytes = allowance.bytes;
	return value;
}

json_t *json_read(const char *text, size_t length, struct error *error)
{
	size_t bytes;

	return json_read_counted(text, length, NULL, &bytes, error);
}

json_t *json_read_stored(const char *text)
{
	return text != NULL ? json_read(text, strlen(text), NULL) : NULL;
}

json_t *json_read_partly(const char *text, size_t length, size_t all, size_t most, struct error *error)
{
	struct json_allowance allowance = { .values = all, .most = SIZE_MAX };
	json_t *value = json_parse(text, length, the_mark(), &allowance, error);

	if (!allowance.exceeded)
		return value;
	allowance = (struct json_allowance){ .values = SIZE_MAX, .most = most };
	return json_parse(text, length, the_mark(), &allowance, error);
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
