/* config_key.c - server.api_keys: who may call, what for, and for how much. At start and on the loader thread. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "gate/config_parts.h"

/* Key names are part of log lines and of the scope of idempotency keys. */
static const char *refuse_key_name(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return text[length] == '\0' && length <= LIMIT_API_KEY_NAME_BYTES ? NULL
									  : "expected at most 64 letters, digits, dots, - and _";
}

struct key_entry {
	struct config_api_key key;
	bool has_sha256;
};

static enum error_code read_sha256(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct key_entry *entry = to;
	const char *text = json_text_value(value);

	(void)field;
	if (text == NULL)
		return field_fail_type(reader, "text", value);
	if (!text_read_hex(text, entry->key.sha256, sizeof entry->key.sha256))
		return field_fail(reader,
			"expected the 64 hex digits of the key's SHA-256 (printf %%s KEY | sha256sum), never the key itself");
	entry->has_sha256 = true;
	return ERROR_NONE;
}

/* Both limits must be said: a missing one would be 0, and the key could not spend anything. */
static enum error_code read_key_budget(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct key_entry *entry = to;

	(void)field;
	entry->key.has_budget = true;
	if (json_is_object(value))
		for (const struct field *half = config_budget_fields; half->key != NULL; half++)
			if (json_object_get(value, half->key) == NULL)
				return field_fail(reader, "%s is missing: a key's budget needs per_day and per_month", half->key);
	return fields_read(reader, config_budget_fields, value, &entry->key.budget);
}

static const char *const role_names[] = { "read", "submit", "live", "operate", NULL };

const char *config_role_name(enum role role)
{
	size_t place = 0;

	while (role_names[place + 1] != NULL && (1U << place) != (unsigned)role)
		place++;
	return role_names[place];
}

static enum error_code read_role(struct field_reader *reader, const json_t *value, unsigned *may)
{
	const char *text = json_string_value(value), *nearest;

	if (text == NULL)
		return field_fail_type(reader, "text", value);
	for (size_t i = 0; role_names[i] != NULL; i++)
		if (strcmp(role_names[i], text) == 0) {
			*may |= 1U << i;
			return ERROR_NONE;
		}
	nearest = text_nearest(text, role_names);
	if (nearest != NULL)
		return field_fail(reader, "is no role; did you mean \"%s\"?", nearest);
	return field_fail(reader, "is no role: expected \"read\", \"submit\", \"live\" or \"operate\"");
}

/* An empty list would be a key that opens nothing: a slip of the hand. */
static enum error_code read_may(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct key_entry *entry = to;
	enum error_code code = ERROR_NONE;
	size_t mark;

	(void)field;
	if (!json_is_array(value))
		return field_fail_type(reader, "a list of roles", value);
	if (json_array_size(value) == 0)
		return field_fail(reader, "must name at least one role: read, submit, live, operate");
	entry->key.may = 0;
	for (size_t i = 0; i < json_array_size(value) && code == ERROR_NONE; i++) {
		mark = field_enter_item(reader, i);
		code = read_role(reader, json_array_get(value, i), &entry->key.may);
		field_leave(reader, mark);
	}
	return code;
}

static enum error_code read_sees(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	const char *text = json_string_value(value);

	(void)field;
	if (text == NULL)
		return field_fail_type(reader, "text", value);
	if (strcmp(text, "own") != 0 && strcmp(text, "all") != 0)
		return field_fail(reader, "expected \"all\" or \"own\"");
	((struct key_entry *)to)->key.sees_own = strcmp(text, "own") == 0;
	return ERROR_NONE;
}

static const struct field key_fields[] = {
	{ .key = "name", .read = field_text, .offset = offsetof(struct key_entry, key.name), .refuse = refuse_key_name },
	{ .key = "sha256", .read = read_sha256 },
	{ .key = "budget_usd", .read = read_key_budget },
	{ .key = "may", .read = read_may },
	{ .key = "sees", .read = read_sees },
	{ .key = NULL },
};

static enum error_code check_key(struct field_reader *reader, const struct key_entry *entry, const struct config_server *server)
{
	if (entry->key.name == NULL || !entry->has_sha256)
		return field_fail(reader, "%s is missing", entry->key.name == NULL ? "name" : "sha256");
	for (size_t i = 0; i < server->api_key_count; i++) {
		if (strcmp(server->api_keys[i].name, entry->key.name) == 0)
			return field_fail(reader, "has the same name as an earlier one");
		if (memcmp(server->api_keys[i].sha256, entry->key.sha256, sizeof entry->key.sha256) == 0)
			return field_fail(reader, "is the same key as an earlier one");
	}
	return ERROR_NONE;
}

enum error_code config_read_api_keys(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct config_server *server = to;
	size_t count = json_array_size(value), mark;
	enum error_code code = ERROR_NONE;

	(void)field;
	if (!json_is_array(value))
		return field_fail_type(reader, "a list of API keys", value);
	if (count > LIMIT_CONFIG_LIST_ITEMS)
		return field_fail(reader, "has more than %d items", LIMIT_CONFIG_LIST_ITEMS);
	server->api_keys = memory_new_array(count + 1, sizeof *server->api_keys);
	for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
		struct key_entry entry = { .key.may = ROLE_ALL };

		mark = field_enter_item(reader, i);
		code = fields_read(reader, key_fields, json_array_get(value, i), &entry);
		if (code == ERROR_NONE)
			code = check_key(reader, &entry, server);
		if (code == ERROR_NONE)
			server->api_keys[server->api_key_count++] = entry.key;
		else
			free(entry.key.name);
		field_leave(reader, mark);
	}
	return code;
}
