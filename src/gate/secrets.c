/* secrets.c - the secrets file: provider -> field -> value.
 *
 * Read at start and on the loader thread, never changed afterwards, wiped when freed. Refuses a file that others can read,
 * entries that are not objects of text, and names given twice in different letter case. Never quotes the file in a message. There
 * is no way to write values back, and none to list them by name. */
#include "gate/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "gate/fields.h"
#include "gate/mask.h"
#include "gate/mask_rules.h"
#include "gate/secrets_read.h"

const char *const secrets_names[2] = { "config/comfyvn.secrets.json", "comfyvn.secrets.json" };

struct entry {
	char *provider;
	char *field;
	char *value; /* NULL: blank, or a placeholder */
};

struct secrets {
	const char *file;
	struct entry *entries;
	size_t count;
};

/* ---- values ---- */

/* "...", "***", "<your key>": copied from an example and never filled in. */
static bool is_placeholder(const char *text, size_t length)
{
	size_t marks = strspn(text, ".*\xe2\x80\xa6"); /* also the ellipsis in UTF-8 */

	return marks >= length || (text[0] == '<' && text[length - 1] == '>');
}

/* Where the value begins without white space at its ends; *length tells where it ends. */
static const char *trim(const char *value, size_t *length)
{
	while (isspace((unsigned char)*value))
		value++;
	*length = strlen(value);
	while (*length > 0 && isspace((unsigned char)value[*length - 1]))
		--*length;
	return value;
}

bool secrets_absent(const char *value)
{
	size_t length;

	value = trim(value, &length);
	return length == 0 || is_placeholder(value, length);
}

char *secrets_clean(const char *value)
{
	size_t length;

	if (secrets_absent(value))
		return NULL;
	value = trim(value, &length);
	return memory_copy_bytes(value, length);
}

bool secrets_usable(const char *value)
{
	size_t length = 0;

	for (; value[length] != '\0'; length++)
		if (iscntrl((unsigned char)value[length]))
			return false;
	return length <= LIMIT_CREDENTIAL_BYTES;
}

void secrets_wipe(char *value)
{
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
}

/* The parser's copies are in ordinary memory that is about to be freed. */
static void wipe_tree(json_t *object)
{
	const char *provider, *field;
	json_t *entry, *value;

	json_object_foreach(object, provider, entry) {
		json_object_foreach(entry, field, value) {
			if (json_is_string(value))
				explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
		}
	}
}

/* Somebody may have put a value where a name belongs. */
static const char *shown_name(const char *name)
{
	return mask_rule_word(name, strlen(name)) ? MASK_TEXT : name;
}

/* ---- reading ---- */

static bool is_known(const struct secrets *secrets, const char *provider, const char *field)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (strcasecmp(secrets->entries[i].provider, provider) == 0 &&
			(field == NULL || strcasecmp(secrets->entries[i].field, field) == 0))
			return true;
	return false;
}

static enum error_code add_value(
	struct field_reader *reader, struct secrets *secrets, const char *provider, const char *field, const json_t *value)
{
	struct entry *entry = &secrets->entries[secrets->count];
	uint64_t wide;

	if (!json_is_string(value) || json_wide(value, &wide))
		return field_fail_type(reader, "text", value);
	if (json_string_length(value) > LIMIT_CREDENTIAL_BYTES)
		return field_fail(reader, "is longer than %d bytes", LIMIT_CREDENTIAL_BYTES);
	if (is_known(secrets, provider, field))
		return field_fail(reader, "is there twice (letter case does not matter)");
	secrets->count++;
	entry->provider = memory_copy_text(provider);
	entry->field = memory_copy_text(field);
	entry->value = secrets_clean(json_string_value(value));
	if (entry->value != NULL && !secrets_usable(entry->value))
		return field_fail(reader, "has a line break or another control character in it");
	return ERROR_NONE;
}

static enum error_code add_provider(
	struct field_reader *reader, struct secrets *secrets, const char *provider, const json_t *entry)
{
	enum error_code code = ERROR_NONE;
	const char *field;
	json_t *value;
	size_t mark;

	if (!json_is_object(entry))
		return field_fail_type(reader, "an object such as { \"api_key\": \"...\" }", entry);
	if (is_known(secrets, provider, NULL))
		return field_fail(reader, "is there twice (letter case does not matter)");
	json_object_foreach((json_t *)(uintptr_t)entry, field, value) {
		mark = field_enter(reader, shown_name(field));
		if (secrets->count == LIMIT_SECRETS)
			code = field_fail(reader, "is one value too many; there can be %d", LIMIT_SECRETS);
		else
			code = add_value(reader, secrets, provider, field, value);
		field_leave(reader, mark);
		if (code != ERROR_NONE)
			break;
	}
	return code;
}

static enum error_code add_all(struct secrets *secrets, const json_t *object, struct error *error)
{
	struct field_reader reader = { .file = secrets->file, .error = error };
	enum error_code code = ERROR_NONE;
	const char *provider;
	json_t *entry;
	size_t mark;

	secrets->entries = memory_new_array(LIMIT_SECRETS, sizeof *secrets->entries);
	json_object_foreach((json_t *)(uintptr_t)object, provider, entry) {
		if (strcmp(provider, "$schema") == 0)
			continue; /* editors look for it */
		mark = field_enter(&reader, shown_name(provider));
		code = add_provider(&reader, secrets, provider, entry);
		field_leave(&reader, mark);
		if (code != ERROR_NONE)
			break;
	}
	return code;
}

struct secrets *secrets_empty(void)
{
	struct secrets *made = memory_new(sizeof *made);

	made->file = secrets_names[0];
	return made;
}

enum error_code secrets_from_document(const struct document *document, struct secrets **secrets, struct error *error)
{
	struct error problem = { .code = ERROR_NONE };
	struct secrets *made = secrets_empty();
	enum error_code code = ERROR_NONE;
	json_t *object;

	made->file = document->name;
	if (document->path != NULL) {
		object = document_parse(document, true, &problem);
		code = object != NULL ? add_all(made, object, &problem) : problem.code;
		if (object != NULL)
			wipe_tree(object);
		json_decref(object);
	}
	if (code == ERROR_NONE) {
		*secrets = made;
		return ERROR_NONE;
	}
	secrets_free(made);
	if (error != NULL)
		*error = problem;
	return code;
}

enum error_code secrets_read(const char *home, struct secrets **secrets, struct error *error)
{
	struct document document;
	enum error_code code = document_read(home, secrets_names, true, &document, error);

	if (code == ERROR_NONE)
		code = secrets_from_document(&document, secrets, error);
	document_free(&document);
	return code;
}

void secrets_free(struct secrets *secrets)
{
	if (secrets == NULL)
		return;
	for (size_t i = 0; i < secrets->count; i++) {
		free(secrets->entries[i].provider);
		free(secrets->entries[i].field);
		secrets_wipe(secrets->entries[i].value);
	}
	free(secrets->entries);
	free(secrets);
}

/* ---- asking ---- */

const char *secrets_file(const struct secrets *secrets)
{
	return secrets != NULL ? secrets->file : secrets_names[0];
}

static const char *secret_field(const struct secrets *secrets, const char *provider, const char *field)
{
	for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
		if (strcasecmp(secrets->entries[i].provider, provider) == 0 && strcasecmp(secrets->entries[i].field, field) == 0)
			return secrets->entries[i].value;
	return NULL;
}

const char *secrets_find(const struct secrets *secrets, const char *section, char *const *names)
{
	const char *value = NULL;

	for (; names != NULL && *names != NULL && value == NULL; names++)
		value = secret_field(secrets, section, *names);
	return value;
}

void secrets_each(const struct secrets *secrets, void (*visit)(void *context, const char *value), void *context)
{
	for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
		if (secrets->entries[i].value != NULL)
			visit(context, secrets->entries[i].value);
}
