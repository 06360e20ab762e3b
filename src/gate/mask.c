/* mask.c - masks JSON values. Runs on HTTP threads and others; keeps no state.
 *
 * First a walk that only looks: clean input, which is nearly all, is given back as it is. The copy is a deep one, made only when
 * there is something to mask. Neither walk goes deeper than LIMIT_JSON_DEPTH: what lies below is masked whole. Wide integers are
 * numbers, not text. Texts over LIMIT_MASK_SEARCH_BYTES (images) are only looked at from their beginning. */
#include "gate/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "gate/mask_rules.h"

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

static bool is_credential(const struct gate_view *view, const char *text, size_t length)
{
	size_t found;

	if (mask_rule_word(text, length) || is_two_words(text, length))
		return true;
	return length <= LIMIT_MASK_SEARCH_BYTES && mask_rule_value(view, text, length, &found) != NULL;
}

/* A credential in the midst of other text? */
static bool has_credential(const char *text, size_t length)
{
	size_t found;

	if (length > LIMIT_MASK_SEARCH_BYTES)
		return false;
	return mask_rule_userinfo(text, length, &found) != NULL || mask_rule_key(text, length, &found) != NULL;
}

static bool needs_masking(const struct gate_view *view, const json_t *value, bool under_name)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	uint64_t wide;

	if (length == 0 || json_wide(value, &wide))
		return false;
	if (under_name && !mask_rule_harmless(text, length))
		return true;
	return is_credential(view, text, length) || has_credential(text, length);
}

/* The masked text: all of it, or only the keys in it and what stands before the "@" of a URL. */
static json_t *masked(const struct gate_view *view, const json_t *value, bool under_name)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	char *without_users, *clean;
	json_t *result;

	if (under_name || is_credential(view, text, length))
		return json_string(MASK_TEXT);
	without_users = mask_userinfo(text, length);
	clean = without_users != NULL ? mask_keys(without_users, strlen(without_users)) : NULL;
	result = clean != NULL ? json_string(clean) : NULL;
	free(without_users);
	free(clean);
	return result;
}

/* ---- the walks ---- */

/* The name of { "name": "Authorization", "value": "..." }, as form fields and variables are often written. */
static bool is_named_value(const json_t *object, const char *key)
{
	const char *name;

	if (strcmp(key, "value") != 0)
		return false;
	name = json_text(object, "name");
	if (name == NULL)
		name = json_text(object, "key");
	return name != NULL && mask_rule_name(name, strlen(name));
}

static bool is_under_name(const json_t *object, const char *key, const json_t *item)
{
	if (!json_is_string(item) && !json_is_array(item))
		return false;
	return mask_rule_name(key, strlen(key)) || is_named_value(object, key);
}

static bool look(const struct gate_view *view, const json_t *value, bool under_name, int depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		return needs_masking(view, value, under_name);
	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (depth == LIMIT_JSON_DEPTH)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		if (look(view, item, is_under_name(value, key, item), depth + 1))
			return true;
	}
	json_array_foreach(value, i, item) {
		if (look(view, item, under_name && json_is_string(item), depth + 1))
			return true;
	}
	return false;
}

static json_t *copy(const struct gate_view *view, const json_t *value, bool under_name, int depth);

static json_t *copy_object(const struct gate_view *view, const json_t *object, int depth)
{
	json_t *made = json_object();
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)object, key, item) {
		if (json_object_set_new_nocheck(made, key, copy(view, item, is_under_name(object, key, item), depth + 1)) == -1) {
			json_decref(made);
			return NULL;
		}
	}
	return made;
}

static json_t *copy_array(const struct gate_view *view, const json_t *array, bool under_name, int depth)
{
	json_t *made = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		if (json_array_append_new(made, copy(view, item, under_name && json_is_string(item), depth + 1)) == -1) {
			json_decref(made);
			return NULL;
		}
	}
	return made;
}

static json_t *copy(const struct gate_view *view, const json_t *value, bool under_name, int depth)
{
	if (json_is_string(value) && needs_masking(view, value, under_name))
		return masked(view, value, under_name);
	if (!json_is_object(value) && !json_is_array(value))
		return json_copy((json_t *)(uintptr_t)value);
	if (depth == LIMIT_JSON_DEPTH)
		return json_string(MASK_TEXT);
	return json_is_object(value) ? copy_object(view, value, depth) : copy_array(view, value, under_name, depth);
}

json_t *mask_json(const struct gate_view *view, json_t *value, bool *changed)
{
	*changed = look(view, value, false, 0);
	return *changed ? copy(view, value, false, 0) : json_incref(value);
}
