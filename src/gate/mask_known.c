/* mask_known.c - replaces the known secrets that mask_find.c finds. Any thread; keeps no state. */
#include "gate/mask_find.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gate/mask.h"
#include "gate/mask_escapes.h"
#include "gate/mask_index.h"

#define REFERENCE_BEGIN "masked-"
#define REFERENCE_END "-masked"

bool mask_index_ready(struct mask_index *index)
{
	return mask_index_close(index, false);
}

/* ---- replacing ---- */

/* What decodes to asterisks, as many characters as there were: so what is around it can still be decoded. */
static void fill_base64(char *to, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = "Kioq"[i % 4];
}

static bool is_one_known_word(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ')
			return false;
	return true;
}

static void write_hit(const struct mask_known *known, const struct mask_hit *hit, const char *text, bool word, struct buffer *out)
{
	const struct credential_spec *own = NULL;
	size_t length = hit->to - hit->from;
	char *to;

	if (hit->base64) {
		if ((to = buffer_reserve(out, length)) != NULL) {
			fill_base64(to, length);
			to[length] = '\0';
			out->length += length;
		}
		return;
	}
	if (word && known->subject != NULL)
		own = mask_find_own(known, text + hit->from, length);
	/* only what is the value to the letter can be put back */
	if (own != NULL && memcmp(gate_credential(known->view, known->subject, own), text + hit->from, length) == 0)
		buffer_format(out, REFERENCE_BEGIN "%s" REFERENCE_END, own->name);
	else
		buffer_text(out, MASK_TEXT);
}

static enum mask_outcome mask_plain(const struct mask_known *known, const char *text, size_t length, struct buffer *out)
{
	struct mask_hits hits = { 0 };
	size_t at = 0;
	bool word, starved;

	mask_find_all(known, text, length, &hits);
	word = hits.count > 0 && known->subject != NULL && is_one_known_word(text, length);
	for (size_t i = 0; i < hits.count && !hits.starved; i++) {
		buffer_append(out, text + at, hits.list[i].from - at);
		write_hit(known, &hits.list[i], text, word, out);
		at = hits.list[i].to;
	}
	starved = hits.starved;
	free(hits.list);
	if (starved)
		return MASK_STARVED;
	if (at == 0)
		return MASK_CLEAN;
	buffer_append(out, text + at, length - at);
	return out->failed ? MASK_STARVED : MASK_MASKED;
}

bool mask_known_bytes(const struct mask_known *known, char *bytes, size_t length)
{
	struct mask_hits hits = { 0 };
	bool whole;

	if (!mask_known_in(known, bytes, length))
		return true;
	mask_find_all(known, bytes, length, &hits);
	for (size_t i = 0; i < hits.count && !hits.starved; i++) {
		char *at = bytes + hits.list[i].from;
		size_t size = hits.list[i].to - hits.list[i].from;

		if (hits.list[i].base64)
			fill_base64(at, size);
		else
			memset(at, '*', size);
	}
	whole = !hits.starved;
	free(hits.list);
	return whole;
}

size_t mask_known_reach(const struct mask_index *index)
{
	return index != NULL ? index->longest * MASK_ESCAPE_BYTES : 0;
}

/* ---- JSON ---- */

/* The end of the string that begins behind its quote at `at`: its closing quote, or the text's end. */
static const char *end_of_string(const char *at, const char *end)
{
	for (; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at;
}

static void unescape(const char *at, const char *end, struct buffer *out)
{
	unsigned char bytes[4];
	const char *mark;
	size_t size, count;

	for (; at < end; at += size) {
		mark = memchr(at, '\\', (size_t)(end - at));
		mark = mark != NULL ? mark : end;
		buffer_append(out, at, (size_t)(mark - at));
		at = mark;
		size = 1;
		if (at == end)
			break;
		size = mask_escape_json(at, end, bytes, &count);
		buffer_append(out, size > 0 ? (const char *)bytes : at, size > 0 ? count : 1);
		size = size > 0 ? size : 1;
	}
}

/* One string of a JSON text, as it is meant; `masked` becomes what is to stand in its place. Masked names of one object must differ, so from the second
 * one on they have a number. */
static enum mask_outcome mask_string(const struct mask_known *known, const char *from, const char *to, bool name, unsigned *names,
	struct buffer *space, struct buffer *masked)
{
	enum mask_outcome outcome;

	buffer_clear(space);
	buffer_clear(masked);
	unescape(from, to, space);
	if (space->failed)
		return MASK_STARVED;
	if (space->length == 0 || !mask_known_in(known, space->data, space->length))
		return MASK_CLEAN;
	outcome = mask_plain(known, space->data, space->length, masked);
	if (outcome == MASK_MASKED && name && ++*names > 1)
		buffer_unsigned(masked, *names);
	return masked->failed ? MASK_STARVED : outcome;
}

static bool is_json_name(const char *after, const char *end)
{
	while (after < end && isspace((unsigned char)*after))
		after++;
	return after < end && *after == ':';
}

/* A JSON text on its way: what is not copied yet begins at `copied`. */
struct json_walk {
	const struct mask_known *known;
	const char *copied;
	struct buffer *out;
	struct buffer space, masked;
	unsigned names;
	enum mask_outcome outcome;
};

static void take_over(struct json_walk *walk, enum mask_outcome one)
{
	if (one != MASK_CLEAN && walk->outcome != MASK_STARVED)
		walk->outcome = one;
}

/* Between two strings there are numbers, if it is JSON: one that is a secret becomes another number. */
static void walk_between(struct json_walk *walk, const char *from, const char *to)
{
	size_t length = (size_t)(to - from);
	struct mask_hits hits = { 0 };

	if (!mask_known_in(walk->known, from, length))
		return;
	mask_find_all(walk->known, from, length, &hits);
	for (size_t i = 0; i < hits.count; i++) {
		const char *at = from + hits.list[i].from, *end = from + hits.list[i].to;
		bool number = strspn(at, "0123456789") >= (size_t)(end - at);

		buffer_append(walk->out, walk->copied, (size_t)(at - walk->copied));
		for (; number && at < end; at++)
			buffer_char(walk->out, '9');
		if (!number)
			buffer_text(walk->out, MASK_TEXT);
		walk->copied = end;
	}
	take_over(walk, hits.starved ? MASK_STARVED : MASK_MASKED);
	free(hits.list);
}

/* The string behind the quote at `at`. Returns what follows it. */
static const char *walk_string(struct json_walk *walk, const char *at, const char *end)
{
	const char *close = end_of_string(at + 1, end);
	bool name = close < end && is_json_name(close + 1, end);
	enum mask_outcome one = mask_string(walk->known, at + 1, close, name, &walk->names, &walk->space, &walk->masked);

	close = close < end ? close + 1 : end;
	if (one == MASK_MASKED) {
		buffer_append(walk->out, walk->copied, (size_t)(at - walk->copied));
		json_write_string(walk->out, walk->masked.data, walk->masked.length);
		walk->copied = close;
	}
	take_over(walk, one);
	return close;
}

/* Copies the text, masked string by string, so that it stays what it is. */
static enum mask_outcome mask_strings(const struct mask_known *known, const char *text, size_t length, struct buffer *out)
{
	struct json_walk walk = { .known = known, .copied = text, .out = out };
	const char *end = text + length, *from = text, *at;

	buffer_init(&walk.space, length + 1);
	buffer_init(&walk.masked, out->maximum);
	while (walk.outcome != MASK_STARVED && (at = memchr(from, '"', (size_t)(end - from))) != NULL) {
		walk_between(&walk, from, at);
		from = walk_string(&walk, at, end);
	}
	if (walk.outcome != MASK_STARVED)
		walk_between(&walk, from, end);
	buffer_free(&walk.space);
	buffer_free(&walk.masked);
	if (walk.outcome == MASK_MASKED)
		buffer_append(out, walk.copied, (size_t)(end - walk.copied));
	return out->failed ? MASK_STARVED : walk.outcome;
}

/* What only says that it is JSON may hold a secret in pieces that are strings by chance. */
static enum mask_outcome mask_rest(const struct mask_known *known, const char *text, size_t length, struct buffer *out)
{
	json_t *value;

	if (!mask_find_plain(known, text, length))
		return MASK_CLEAN;
	value = json_read(text, length, NULL);
	json_decref(value);
	return value != NULL ? MASK_CLEAN : mask_plain(known, text, length, out);
}

static enum mask_outcome mask_json_text(const struct mask_known *known, const char *text, size_t length, struct buffer *out)
{
	enum mask_outcome outcome = mask_strings(known, text, length, out), rest;
	struct buffer whole;

	if (outcome == MASK_STARVED)
		return outcome;
	buffer_init(&whole, out->maximum);
	if (outcome == MASK_MASKED)
		rest = mask_rest(known, out->data, out->length, &whole);
	else
		rest = mask_rest(known, text, length, &whole);
	if (rest == MASK_MASKED) {
		buffer_free(out);
		*out = whole;
	} else {
		buffer_free(&whole);
	}
	return rest != MASK_CLEAN ? rest : outcome;
}

/* Escapes that may hide further ones ("\\u0041" in a text within a text), and letters that need none. */
static bool is_involved(const char *text, size_t length)
{
	const char *end = text + length;

	for (const char *at = text; (at = memchr(at, '\\', (size_t)(end - at))) != NULL && end - at > 1; at += 2)
		if (at[1] == '\\' ||
			(at[1] == 'u' && end - at > 4 && at[2] == '0' && at[3] == '0' && at[4] >= '2' && at[4] <= '7'))
			return true;
	return false;
}

enum mask_outcome mask_known_text(const struct mask_known *known, bool json, const char *text, size_t length, struct buffer *out)
{
	if (known->index == NULL || known->index->longest == 0)
		return MASK_CLEAN;
	if (!mask_known_in(known, text, length) && !(json && is_involved(text, length)))
		return MASK_CLEAN;
	return json ? mask_json_text(known, text, length, out) : mask_plain(known, text, length, out);
}

/* ---- the way back ---- */

static void append_encoded(struct buffer *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (isalnum((unsigned char)*value) || strchr("-._~", *value) != NULL)
			buffer_char(out, *value);
		else
			buffer_format(out, "%%%02X", (unsigned char)*value);
	}
}

/* The credential whose reference begins here; its length in *length. */
static const struct credential_spec *reference_at(const struct gate_subject *subject, const char *at, size_t *length)
{
	const char *name = at + strlen(REFERENCE_BEGIN);

	for (size_t i = 0; i < subject->credential_count; i++) {
		size_t size = strlen(subject->credentials[i].name);

		if (strncmp(name, subject->credentials[i].name, size) == 0 &&
			strncmp(name + size, REFERENCE_END, strlen(REFERENCE_END)) == 0) {
			*length = strlen(REFERENCE_BEGIN) + size + strlen(REFERENCE_END);
			return &subject->credentials[i];
		}
	}
	return NULL;
}

bool mask_known_fill(const struct gate_view *view, const struct gate_subject *subject,
	bool (*named)(const void *context, const char *name), const void *context, const char *url, struct buffer *out)
{
	const struct credential_spec *spec;
	const char *at = url, *value;
	size_t length;

	while ((at = strstr(at, REFERENCE_BEGIN)) != NULL) {
		spec = reference_at(subject, at, &length);
		value = spec != NULL && named(context, spec->name) ? gate_credential(view, subject, spec) : NULL;
		if (value == NULL) {
			at += strlen(REFERENCE_BEGIN);
			continue;
		}
		buffer_append(out, url, (size_t)(at - url));
		append_encoded(out, value);
		url = at += length;
	}
	buffer_text(out, url);
	return !out->failed;
}
