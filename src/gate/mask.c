/* mask.c - masks JSON values. Runs on HTTP threads and others; keeps no state.
 *
 * First a walk that only looks, without allocating: clean input, which is nearly all, is given back as it is. The copy is a deep one, made only when
 * there is something to mask. Neither walk goes deeper than LIMIT_JSON_DEPTH: what lies below is masked whole. Wide integers are
 * numbers, not text. */
#include "gate/mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "gate/mask_known.h"
#include "gate/mask_index.h"
#include "gate/mask_rules.h"

#define SHORTEST_NAME 8 /* shorter values of credentials are names of everyday members */
#define SHORTEST_KEY 16 /* a vendor's key has more characters */
#define NAME_BYTES 256
#define PIECES_MOST 3 /* rounds until nothing is left: each takes away what the one before made */

/* ---- one text ---- */

/* "Bearer x" and the like, of exactly two words? */
static bool is_two_words(const char *text, size_t length)
{
	const char *space = length <= LIMIT_CREDENTIAL_BYTES ? memchr(text, ' ', length) : NULL;
	size_t scheme;

	if (space == NULL)
		return false;
	scheme = (size_t)(space - text);
	return mask_rule_scheme(text, scheme, space + 1, length - scheme - 1) && !mask_rule_harmless(text, length);
}

/* What is looked for by its value: the host's secrets, and those that one request brought along (or NULL). */
struct sought {
	const struct mask_index *known, *also;
};

static bool is_value(const struct mask_index *index, const char *text, size_t length)
{
	struct mask_known known = { .index = index, .all = true };

	if (index == NULL)
		return false;
	for (size_t i = 0; i < index->whole_count; i++)
		if (strlen(index->whole[i]) == length && memcmp(index->whole[i], text, length) == 0)
			return true;
	return mask_known_in(&known, text, length);
}

static bool is_credential(const struct sought *sought, const char *text, size_t length)
{
	return mask_rule_word(text, length) || is_two_words(text, length) || is_value(sought->known, text, length) ||
	       is_value(sought->also, text, length);
}

/* A credential in the midst of other text? */
static bool has_credential(const char *text, size_t length)
{
	size_t found;

	return mask_rule_userinfo(text, length, &found) != NULL || mask_rule_fal(text, length, &found) != NULL ||
	       mask_rule_pem(text, length, &found) != NULL || mask_rule_parameter(text, length, &found) != NULL ||
	       mask_rule_key(text, length, &found) != NULL;
}

/* `whole`: what stands in this place is a credential, whatever it looks like. */
static bool needs_masking(const struct sought *sought, const json_t *value, bool whole)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	uint64_t wide;

	if (length == 0 || json_wide(value, &wide))
		return false;
	if (whole && !mask_rule_harmless(text, length))
		return true;
	return is_credential(sought, text, length) || has_credential(text, length);
}

/* The text without the credentials in it, or MASK_TEXT: what is left looks like one. Masking it again changes nothing. NULL: out of memory. */
static char *without_pieces(const struct sought *sought, const char *text, size_t length, size_t *masked_length)
{
	char *clean = mask_within(text, length, masked_length), *again;

	for (int i = 0; i < PIECES_MOST && clean != NULL && has_credential(clean, *masked_length); i++) {
		again = mask_within(clean, *masked_length, masked_length);
		free(clean);
		clean = again;
	}
	if (clean != NULL && (is_credential(sought, clean, *masked_length) || has_credential(clean, *masked_length))) {
		free(clean);
		clean = strdup(MASK_TEXT);
		*masked_length = strlen(MASK_TEXT);
	}
	return clean;
}

/* The masked text: all of it, or only the credentials in it. */
static json_t *masked(const struct sought *sought, const json_t *value, bool whole)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	char *clean;
	json_t *result;

	if (whole || is_credential(sought, text, length))
		return json_string(MASK_TEXT);
	clean = without_pieces(sought, text, length, &length);
	result = clean != NULL ? json_stringn(clean, length) : NULL;
	free(clean);
	return result;
}

/* ---- names ---- */

/* A name is looked at too: somebody may have written a credential where a name belongs. Ordinary ones are shorter than any. */
static bool name_needs_masking(const struct sought *sought, const char *name)
{
	size_t length = strlen(name);

	if (length < SHORTEST_NAME)
		return false;
	return is_credential(sought, name, length) || (length >= SHORTEST_KEY && has_credential(name, length));
}

/* The masked name. The second one of an object and those that follow get a number: members are not lost. False: out of memory. */
static bool mask_name(const struct sought *sought, const char *name, unsigned number, char masked_name[NAME_BYTES])
{
	size_t length = strlen(name);
	char *clean = is_credential(sought, name, length) ? strdup(MASK_TEXT) : without_pieces(sought, name, length, &length);
	const char *shown = clean != NULL && strlen(clean) < NAME_BYTES / 2 ? clean : MASK_TEXT;

	if (number > 1)
		snprintf(masked_name, NAME_BYTES, "%s%u", shown, number);
	else
		snprintf(masked_name, NAME_BYTES, "%s", shown);
	free(clean);
	return clean != NULL;
}

/* ---- places ---- */

/* What the names above a text say of it. */
enum place {
	PLACE_OPEN,	 /* nothing */
	PLACE_NAMED,	 /* a credential: the text, or the texts of the list */
	PLACE_STORE,	 /* below `secrets`: so is every text */
	PLACE_VARIABLES, /* a member of `env` */
};

/* The name of { "name": "Authorization", "value": "..." }, as form fields and variables are often written. */
static const char *telling_name(const json_t *object, const char *key)
{
	const char *name = NULL;

	if (strcmp(key, "value") == 0) {
		name = json_text(object, "name");
		if (name == NULL)
			name = json_text(object, "key");
	}
	return name;
}

static bool names_credential(const char *name, enum place place)
{
	size_t length = strlen(name);

	return place == PLACE_VARIABLES ? mask_rule_variable_name(name, length) : mask_rule_name(name, length);
}

static enum place place_of_member(const json_t *object, const char *key, const json_t *item, enum place place)
{
	const char *name;

	if (place == PLACE_STORE || mask_rule_store_name(key, strlen(key)))
		return PLACE_STORE;
	if (json_is_string(item) || json_is_array(item)) {
		name = telling_name(object, key);
		if (names_credential(key, place) || (name != NULL && names_credential(name, place)))
			return PLACE_NAMED;
	}
	return mask_rule_environment_name(key, strlen(key)) ? PLACE_VARIABLES : PLACE_OPEN;
}

static enum place place_of_item(const json_t *item, enum place place)
{
	return place == PLACE_NAMED && !json_is_string(item) ? PLACE_OPEN : place;
}

static bool is_whole(enum place place)
{
	return place == PLACE_NAMED || place == PLACE_STORE;
}

/* ---- the walks ---- */

static bool look(const struct sought *sought, const json_t *value, enum place place, int depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		return needs_masking(sought, value, is_whole(place));
	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (depth == LIMIT_JSON_DEPTH)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		if (name_needs_masking(sought, key) || look(sought, item, place_of_member(value, key, item, place), depth + 1))
			return true;
	}
	json_array_foreach(value, i, item) {
		if (look(sought, item, place_of_item(item, place), depth + 1))
			return true;
	}
	return false;
}

static json_t *copy(const struct sought *sought, const json_t *value, enum place place, int depth);

static json_t *copy_object(const struct sought *sought, const json_t *object, enum place place, int depth)
{
	json_t *made = json_object(), *member;
	char masked_name[NAME_BYTES];
	unsigned masked_names = 0;
	const char *key, *name;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)object, key, item) {
		name = key;
		if (name_needs_masking(sought, key))
			name = mask_name(sought, key, ++masked_names, masked_name) ? masked_name : NULL;
		member = name != NULL ? copy(sought, item, place_of_member(object, key, item, place), depth + 1) : NULL;
		if (member == NULL || json_object_set_new_nocheck(made, name, member) == -1) {
			json_decref(made);
			return NULL;
		}
	}
	return made;
}

static json_t *copy_array(const struct sought *sought, const json_t *array, enum place place, int depth)
{
	json_t *made = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		if (json_array_append_new(made, copy(sought, item, place_of_item(item, place), depth + 1)) == -1) {
			json_decref(made);
			return NULL;
		}
	}
	return made;
}

static json_t *copy(const struct sought *sought, const json_t *value, enum place place, int depth)
{
	if (json_is_string(value) && needs_masking(sought, value, is_whole(place)))
		return masked(sought, value, is_whole(place));
	if (!json_is_object(value) && !json_is_array(value))
		return json_copy((json_t *)(uintptr_t)value);
	if (depth == LIMIT_JSON_DEPTH)
		return json_string(MASK_TEXT);
	return json_is_object(value) ? copy_object(sought, value, place, depth) : copy_array(sought, value, place, depth);
}

/* ---- the doors ---- */

json_t *mask_json_with(const struct gate_view *view, const struct mask_index *also, json_t *value, bool *changed)
{
	struct sought sought = { view->known, also };

	*changed = look(&sought, value, PLACE_OPEN, 0);
	return *changed ? copy(&sought, value, PLACE_OPEN, 0) : json_incref(value);
}

json_t *mask_json(const struct gate_view *view, json_t *value, bool *changed)
{
	return mask_json_with(view, NULL, value, changed);
}

bool mask_finds(const struct gate_view *view, const char *text)
{
	struct sought sought = { view != NULL ? view->known : NULL, NULL };

	return is_credential(&sought, text, strlen(text)) || has_credential(text, strlen(text));
}

bool mask_holds_known(const struct gate_view *view, const char *text)
{
	return is_value(view->known, text, strlen(text));
}
