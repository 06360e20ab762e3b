/* mask_find.c - runs texts through the automaton of known secrets. Any thread; keeps no state.
 *
 * A text is read as it stands, and once more for each way of escaping that it uses, from the first escape on that could belong to a secret. So each
 * byte is looked at a fixed number of times. What is found is put together at the end: two secrets that overlap are one place. */
#include "gate/mask_find.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/mask.h"
#include "gate/mask_escapes.h"
#include "gate/mask_index.h"

/* ---- places ---- */

static bool add_hit(struct mask_hits *hits, struct mask_hit hit)
{
	struct mask_hit *last = hits->count > 0 ? &hits->list[hits->count - 1] : NULL, *grown;

	if (last != NULL && hit.from < last->to && hit.to >= last->to) {
		last->from = hit.from < last->from ? hit.from : last->from;
		last->to = hit.to;
		last->base64 &= hit.base64;
		return true;
	}
	if (hits->count == hits->capacity) {
		grown = reallocarray(hits->list, 2 * hits->capacity + 16, sizeof *grown);
		if (grown == NULL) {
			hits->starved = true;
			return false;
		}
		hits->list = grown;
		hits->capacity = 2 * hits->capacity + 16;
	}
	hits->list[hits->count++] = hit;
	return true;
}

static int compare_hits(const void *a, const void *b)
{
	const struct mask_hit *left = a, *right = b;

	return left->from < right->from ? -1 : left->from > right->from;
}

static void merge_hits(struct mask_hits *hits)
{
	size_t kept = 0;

	if (hits->count < 2)
		return;
	qsort(hits->list, hits->count, sizeof *hits->list, compare_hits);
	for (size_t i = 1; i < hits->count; i++) {
		struct mask_hit *last = &hits->list[kept], *next = &hits->list[i];

		if (next->from >= last->to) {
			hits->list[++kept] = *next;
			continue;
		}
		last->to = next->to > last->to ? next->to : last->to;
		last->base64 &= next->base64;
	}
	hits->count = kept + 1;
}

/* ---- which of them count ---- */

static bool is_word_byte(char byte)
{
	return isalnum((unsigned char)byte) != 0;
}

/* What was masked beside it may have been the rest of a word: so what is masked stays as it is when it is masked again. */
static bool stands_alone(const char *text, size_t length, size_t from, size_t to)
{
	size_t mask = strlen(MASK_TEXT);

	if ((from >= mask && memcmp(text + from - mask, MASK_TEXT, mask) == 0) ||
		(length - to >= mask && memcmp(text + to, MASK_TEXT, mask) == 0))
		return false;
	return (from == 0 || !is_word_byte(text[from - 1])) && (to == length || !is_word_byte(text[to]));
}

/* The subject's credential that this is, in any letter case. */
const struct credential_spec *mask_find_own(const struct mask_known *known, const char *text, size_t length)
{
	for (size_t i = 0; i < known->subject->credential_count; i++) {
		const struct credential_spec *spec = &known->subject->credentials[i];
		const char *value = gate_credential(known->view, known->subject, spec);

		if (value != NULL && strlen(value) == length && strncasecmp(value, text, length) == 0)
			return spec;
	}
	return NULL;
}

static bool known_counts(const struct mask_known *known, const char *text, size_t length)
{
	return known->subject == NULL || mask_find_own(known, text, length) != NULL;
}

/* The length of the secret that ends at `to` in this state, as it counts here; 0: none does. */
static size_t length_of(const struct mask_known *known, const struct mask_node *node, const char *text, size_t length, size_t to)
{
	if (known->all && node->any > node->certain && known_counts(known, text + to - node->any, node->any))
		return node->any;
	if (known->all && node->certain == 0 && node->bounded > 0 && stands_alone(text, length, to - node->bounded, to) &&
		known_counts(known, text + to - node->bounded, node->bounded))
		return node->bounded;
	return node->certain;
}

/* ---- the text as it stands ---- */

/* Finds all of them, or only whether there is one (`hits` NULL). */
static bool scan_plain(const struct mask_known *known, const char *text, size_t length, struct mask_hits *hits)
{
	const struct mask_index *index = known->index;
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t state = 0;
	size_t at = 0, size, step;

	while (at < length) {
		if (state == 0 && index->shift != NULL) {
			for (step = 1; at + index->window <= length && step > 0; at += step)
				step = index->shift[bytes[at + index->window - 2] | (size_t)bytes[at + index->window - 1] << 8];
			if (step > 0)
				return false;
		}
		state = mask_index_step(index, state, bytes[at++]);
		if (index->nodes[state].any == 0 && index->nodes[state].bounded == 0)
			continue;
		size = length_of(known, &index->nodes[state], text, length, at);
		if (size == 0)
			continue;
		if (hits == NULL)
			return true;
		if (!add_hit(hits, (struct mask_hit){ at - size, at, index->nodes[state].form == MASK_FORM_BASE64 }))
			return false;
	}
	return false;
}

/* ---- the text as it is meant ---- */

/* Where in the text the last characters stood. */
struct trail {
	size_t *places; /* or NULL: they are not asked for */
	size_t room, count;
};

static void note_place(struct trail *trail, size_t place)
{
	if (trail->places != NULL)
		trail->places[trail->count % trail->room] = place;
	trail->count++;
}

/* Reads the character at *at, moves on, and follows it. Returns the length of a secret that ends with it, in characters, or 0. */
static size_t follow(const struct mask_known *known, const struct mask_escape *escape, const char *text, size_t length,
	size_t *at, uint32_t *state, struct trail *trail)
{
	unsigned char meant[4] = { (unsigned char)text[*at] };
	const struct mask_node *node;
	size_t count = 1, size = 0, found = 0;

	if (text[*at] == escape->mark || text[*at] == escape->also)
		size = escape->read(text + *at, text + length, meant, &count);
	if (size == 0) {
		meant[0] = (unsigned char)text[*at];
		size = count = 1;
	}
	for (size_t i = 0; i < count; i++) {
		note_place(trail, *at);
		*state = mask_index_step(known->index, *state, meant[i]);
		node = &known->index->nodes[*state];
		if (node->certain > 0 || (known->all && known->subject == NULL && node->any > 0))
			found = known->all && known->subject == NULL ? node->any : node->certain;
	}
	*at += size;
	return found;
}

#define BREAKS_TOGETHER 4

/* Does the break at `at` (an escape that means nothing) stand between two characters that are in some secret? Between the lines of JSON, say, it
 * does not, so the text need not be read once more for it. */
static bool breaks_word(
	const struct mask_index *index, const struct mask_escape *escape, const char *text, size_t length, size_t at, size_t size)
{
	unsigned char meant[4];
	size_t after = at + size, count, more;

	while (at > 0 && text[at - 1] == '\r')
		at--;
	for (int i = 0; i < BREAKS_TOGETHER && after < length && text[after] == escape->mark; i++, after += more) {
		more = escape->read(text + after, text + length, meant, &count);
		if (more == 0 || count > 0)
			break;
	}
	return at > 0 && after < length && index->present[(unsigned char)text[at - 1]] &&
	       (index->present[(unsigned char)text[after]] || text[after] == escape->mark);
}

/* The next escape, from `at` on, of a character that is in some secret; the text's length: there is none. */
static size_t next_escape(
	const struct mask_index *index, const struct mask_escape *escape, const char *text, size_t length, size_t at)
{
	unsigned char meant[4];
	const char *mark;
	size_t size, count;

	for (; (mark = at < length ? memchr(text + at, escape->mark, length - at) : NULL) != NULL; at += size > 0 ? size : 1) {
		at = (size_t)(mark - text);
		size = escape->read(mark, text + length, meant, &count);
		for (size_t i = 0; size > 0 && i < count; i++)
			if (index->present[meant[i]])
				return at;
		if (size > 0 && count == 0 && breaks_word(index, escape, text, length, at, size))
			return at;
	}
	return length;
}

/* Only what has an escape in it: the rest was found as it stands. */
static bool scan_escaped(
	const struct mask_known *known, const struct mask_escape *escape, const char *text, size_t length, struct mask_hits *hits)
{
	struct trail trail = { .room = known->index->longest };
	size_t at = 0, next = next_escape(known->index, escape, text, length, 0), size;
	uint32_t state = 0;
	bool found = false;

	if (next == length)
		return false;
	if (hits != NULL && (trail.places = malloc(trail.room * sizeof *trail.places)) == NULL) {
		hits->starved = true;
		return false;
	}
	while (at < length && !found) {
		if (state == 0 && at > next)
			next = next_escape(known->index, escape, text, length, at);
		if (state == 0 && next == length)
			break;
		if (state == 0 && next >= at + trail.room)
			at = next - trail.room + 1;
		size = follow(known, escape, text, length, &at, &state, &trail);
		found = size > 0 && hits == NULL;
		if (size > 0 && hits != NULL &&
			!add_hit(hits, (struct mask_hit){ trail.places[(trail.count - size) % trail.room], at, false }))
			break;
	}
	free(trail.places);
	return found;
}

bool mask_find_plain(const struct mask_known *known, const char *text, size_t length)
{
	return scan_plain(known, text, length, NULL);
}

bool mask_known_in(const struct mask_known *known, const char *text, size_t length)
{
	if (known->index == NULL || known->index->longest == 0)
		return false;
	if (scan_plain(known, text, length, NULL))
		return true;
	for (size_t i = 0; i < MASK_ESCAPES; i++)
		if (scan_escaped(known, &mask_escapes[i], text, length, NULL))
			return true;
	return false;
}

void mask_find_all(const struct mask_known *known, const char *text, size_t length, struct mask_hits *hits)
{
	scan_plain(known, text, length, hits);
	for (size_t i = 0; i < MASK_ESCAPES && !hits->starved; i++)
		scan_escaped(known, &mask_escapes[i], text, length, hits);
	if (!hits->starved)
		merge_hits(hits);
}
