/* request_config.c - the credentials that a request brings along: found in any letter case, as in the secrets file.
 *
 * Pure, any thread. Tools send settings of their own in config, so unknown names are no error; but who wrote "apikey_fal" wants to hear
 * that it is not looked at. Never shows a value, nor a name that may be one. */
#include "gate/request_config.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "gate/mask.h"
#include "gate/mask_known.h"
#include "gate/secrets_read.h"

#define UNKNOWN_MOST 4	    /* names told of */
#define SHOWN_NAME_BYTES 64 /* longer ones are no names */

/* The member of this name; that in the same letter case goes first. */
static const json_t *member(const json_t *config, const char *name)
{
	const json_t *found = json_object_get(config, name);
	const char *key;
	json_t *item;

	if (found != NULL)
		return found;
	json_object_foreach((json_t *)(uintptr_t)config, key, item) {
		if (strcasecmp(key, name) == 0)
			return item;
	}
	return NULL;
}

static bool is_plain_text(const json_t *value)
{
	uint64_t wide;

	return json_is_string(value) && !json_wide(value, &wide);
}

static const char *text_in(const json_t *config, const char *name)
{
	const json_t *value = member(config, name);

	return value != NULL && is_plain_text(value) && !secrets_absent(json_string_value(value)) ? json_string_value(value)
												  : NULL;
}

const char *request_config_find(const json_t *config, const struct credential_spec *spec)
{
	const char *value = NULL;

	if (config == NULL)
		return NULL;
	for (char *const *name = spec->secret; name != NULL && *name != NULL && value == NULL; name++)
		value = text_in(config, *name);
	return value != NULL ? value : text_in(config, spec->name);
}

/* Is this a name of one of the subject's credentials? */
static bool is_known_credential(const struct gate_subject *subject, const char *name)
{
	for (size_t i = 0; i < subject->credential_count; i++) {
		const struct credential_spec *spec = &subject->credentials[i];

		if (strcasecmp(spec->name, name) == 0)
			return true;
		for (char *const *other = spec->secret; other != NULL && *other != NULL; other++)
			if (strcasecmp(*other, name) == 0)
				return true;
	}
	return false;
}

const char *gate_config_fault(const struct gate_subject *subject, const json_t *request_config)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)request_config, key, item) {
		if (!json_is_null(item) && !is_plain_text(item) && is_known_credential(subject, key))
			return key;
	}
	return NULL;
}

/* "key", "token", "secret" or "password" in a name of ordinary characters. */
static bool sounds_like_credential(const char *name)
{
	static const char *const words[] = { "key", "token", "secret", "password", NULL };
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

	if (name[length] != '\0' || length > SHOWN_NAME_BYTES)
		return false;
	for (const char *const *word = words; *word != NULL; word++)
		if (strcasestr(name, *word) != NULL)
			return true;
	return false;
}

void gate_config_secrets(const struct gate_subject *subject, const json_t *request_config, struct mask_index *index)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)request_config, key, item) {
		if (is_plain_text(item) && (is_known_credential(subject, key) || sounds_like_credential(key)) &&
			!secrets_absent(json_string_value(item)))
			mask_index_add(index, json_string_value(item));
	}
}

void request_config_each_unknown(const struct gate_view *view, const struct gate_subject *subject, const json_t *config,
	void (*visit)(void *context, const char *name), void *context)
{
	size_t visited = 0;
	const char *key;
	json_t *item;

	if (config == NULL)
		return;
	json_object_foreach((json_t *)(uintptr_t)config, key, item) {
		bool misplaced = mask_finds(view, key);

		if (!misplaced && (!is_plain_text(item) || !sounds_like_credential(key) || is_known_credential(subject, key)))
			continue;
		visit(context, misplaced ? NULL : key);
		if (++visited == UNKNOWN_MOST)
			return;
	}
}
