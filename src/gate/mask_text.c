/* mask_text.c - masks free text: log lines, error messages, header lines. Any thread, no state.
 *
 * Text has no keys to go by, so it is read word by word: "name: value" and "name=value" with a telling name, the word after
 * Bearer, Key and Basic, words with a vendor's prefix, the user name and password of URLs, and every value of the host's own
 * credentials. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "gate/mask.h"
#include "gate/mask_known.h"
#include "gate/mask_rules.h"

#define ROUNDS_MOST 6

/* Characters that end a word; "=" and ":" are looked at inside. */
static bool ends_word(char byte)
{
	static const bool ending[256] = { ['\t'] = true,
		['\n'] = true,
		['\v'] = true,
		['\f'] = true,
		['\r'] = true,
		[' '] = true,
		['"'] = true,
		['\''] = true,
		['`'] = true,
		[','] = true,
		[';'] = true,
		['&'] = true,
		['?'] = true,
		['('] = true,
		[')'] = true,
		['['] = true,
		[']'] = true,
		['<'] = true,
		['>'] = true };

	return ending[(unsigned char)byte];
}

static size_t word_length(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0' && !ends_word(text[length]))
		length++;
	return length;
}

static size_t gap_length(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0' && ends_word(text[length]))
		length++;
	return length;
}

/* Blanks, and quotes at most once on each side, between a name and its value. */
static size_t blanks(const char *text)
{
	return strspn(text, " \t\"'");
}

static bool is_scheme(const char *word, size_t length)
{
	static const char *const schemes[] = { "bearer", "basic", "key", "token", NULL };

	for (const char *const *known = schemes; *known != NULL; known++)
		if (length == strlen(*known) && strncasecmp(word, *known, length) == 0)
			return true;
	return false;
}

/* "api_key: expected text" is a sentence, "api_key: 1234" and "api_key=expected" are not. */
static bool is_prose(const char *gap, const char *word, size_t length)
{
	return *gap == ' ' && gap + 1 == word && word[length] == ' ' && !mask_rule_odd(word, length);
}

/* Copies what follows a telling name, the value masked. A value of two words keeps its scheme: "Authorization: Bearer ***". */
static const char *mask_value(struct buffer *out, const char *text)
{
	size_t gap = blanks(text), length = word_length(text + gap);
	bool scheme = is_scheme(text + gap, length) && text[gap + length] == ' ';

	if (!scheme && is_prose(text, text + gap, length))
		return text;
	if (scheme) {
		buffer_append(out, text, gap + length);
		text += gap + length;
		gap = blanks(text);
		length = word_length(text + gap);
	}
	buffer_append(out, text, gap);
	if (mask_rule_harmless(text + gap, length))
		buffer_append(out, text + gap, length);
	else
		buffer_text(out, MASK_TEXT);
	return text + gap + length;
}

/* The length of "name=" or "name:" at the beginning of a word, the name telling of a credential; 0 if it is not so. */
static size_t telling_parameter(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (text[i] == '/' || text[i] == '{')
			return 0;
		if (text[i] == '=' || text[i] == ':')
			return mask_rule_name(text, i) ? i + 1 : 0;
	}
	return 0;
}

/* "name": or 'name': with the quote between name and colon. */
static size_t telling_quoted(const char *text, size_t length)
{
	size_t after = length;

	if ((text[after] != '"' && text[after] != '\'') || !mask_rule_name(text, length))
		return 0;
	after++;
	after += strspn(text + after, " ");
	return text[after] == ':' || text[after] == '=' ? after + 1 : 0;
}

/* One word and what belongs to it. Returns where to go on. */
static const char *mask_word(struct buffer *out, const char *text)
{
	size_t length = word_length(text), name = telling_parameter(text, length), next;

	if (name == 0)
		name = telling_quoted(text, length);
	if (name > 0) {
		buffer_append(out, text, name);
		return mask_value(out, text + name);
	}
	if (mask_rule_word(text, length)) {
		buffer_text(out, MASK_TEXT);
		return text + length;
	}
	buffer_append(out, text, length);
	if (text[length] != ' ')
		return text + length;
	next = word_length(text + length + 1);
	if (!mask_rule_scheme(text, length, text + length + 1, next) || mask_rule_harmless(text + length + 1, next))
		return text + length;
	buffer_char(out, ' ');
	buffer_text(out, MASK_TEXT);
	return text + length + 1 + next;
}

/* ---- pieces ---- */

enum kind { KIND_USERINFO, KIND_FAL, KIND_PEM, KIND_PARAMETER, KIND_KEY, KIND_END };

static const char *find(enum kind kind, const char *text, size_t length, size_t *found)
{
	switch (kind) {
	case KIND_USERINFO: return mask_rule_userinfo(text, length, found);
	case KIND_FAL: return mask_rule_fal(text, length, found);
	case KIND_PEM: return mask_rule_pem(text, length, found);
	case KIND_PARAMETER: return mask_rule_parameter(text, length, found);
	case KIND_KEY: return mask_rule_key(text, length, found);
	case KIND_END: break;
	}
	return NULL;
}

static char *mask_kind(enum kind kind, const char *text, size_t length, size_t *masked_length)
{
	const char *end = text + length, *at;
	struct buffer out;
	size_t found = 0;

	buffer_init(&out, length * 2 + sizeof MASK_TEXT);
	while ((at = find(kind, text, (size_t)(end - text), &found)) != NULL) {
		buffer_append(&out, text, (size_t)(at - text));
		buffer_text(&out, MASK_TEXT);
		text = at + found;
	}
	buffer_append(&out, text, (size_t)(end - text));
	*masked_length = out.length;
	return buffer_take(&out);
}

/* Masks the kinds, one after the other. There may be NULs in the text. */
static char *mask_kinds(const enum kind *kinds, const char *text, size_t length, size_t *masked_length)
{
	char *made = mask_kind(*kinds, text, length, masked_length), *next;

	for (kinds++; made != NULL && *kinds != KIND_END; kinds++) {
		next = mask_kind(*kinds, made, *masked_length, masked_length);
		free(made);
		made = next;
	}
	return made;
}

char *mask_within(const char *text, size_t length, size_t *masked_length)
{
	static const enum kind kinds[] = { KIND_USERINFO, KIND_FAL, KIND_PEM, KIND_PARAMETER, KIND_KEY, KIND_END };

	return mask_kinds(kinds, text, length, masked_length);
}

/* ---- free text ---- */

static char *mask_words(const char *text)
{
	struct buffer out;
	size_t gap;

	buffer_init(&out, strlen(text) * 4 + sizeof MASK_TEXT);
	while (*text != '\0') {
		gap = gap_length(text);
		buffer_append(&out, text, gap);
		text += gap;
		if (*text != '\0')
			text = mask_word(&out, text);
	}
	return buffer_take(&out);
}

/* Without the values that are known. */
static char *mask_values(const struct gate_view *view, const char *text)
{
	struct mask_known known = { .index = view != NULL ? view->known : NULL, .all = true };
	size_t length = strlen(text);
	struct buffer out;

	buffer_init(&out, length + sizeof MASK_TEXT);
	switch (mask_known_text(&known, false, text, length, &out)) {
	case MASK_CLEAN: return strdup(text);
	case MASK_MASKED: return buffer_take(&out);
	case MASK_STARVED: break;
	}
	buffer_free(&out);
	return NULL;
}

static char *mask_once(const struct gate_view *view, const char *text)
{
	static const enum kind kinds[] = { KIND_USERINFO, KIND_FAL, KIND_PEM, KIND_END };
	char *without_values = mask_values(view, text);
	size_t length;
	char *without_pieces = without_values != NULL ? mask_kinds(kinds, without_values, strlen(without_values), &length) : NULL;
	char *clean = without_pieces != NULL ? mask_words(without_pieces) : NULL;

	free(without_values);
	free(without_pieces);
	return clean;
}

/* What was masked may bring together what was apart, so it is looked at until nothing changes. */
char *mask_text(const struct gate_view *view, const char *text)
{
	char *before = NULL, *clean = mask_once(view, text);
	bool same = clean != NULL && strcmp(clean, text) == 0;

	for (int i = 0; i < ROUNDS_MOST && clean != NULL && !same; i++) {
		free(before);
		before = clean;
		clean = mask_once(view, before);
		same = clean != NULL && strcmp(clean, before) == 0;
	}
	free(before);
	if (clean == NULL || same)
		return clean;
	free(clean);
	return strdup(MASK_TEXT);
}
