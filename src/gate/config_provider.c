/* config_provider.c - live.providers: which provider may spend how much, how fast, and with which credentials. At start and on the loader thread; the
 * look-ups: any thread. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "gate/address.h"
#include "gate/config_parts.h"
#include "gate/environment.h"

/* What is masked wherever it shows up is what a script may be given: PATH, HOME or a database's address are neither. */
static const char *refuse_variable(const char *text)
{
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != strlen(text))
		return "expected the name of an environment variable";
	return environment_names_credential(text) ? NULL
						  : "is no name of a credential: one has KEY, TOKEN, SECRET, PASSWORD or "
						    "CREDENTIAL as a part, as ACME_API_KEY has";
}

static const struct field consent_fields[] = {
	{ .key = "env", .read = field_text_list, .offset = offsetof(struct config_consent, env), .refuse = refuse_variable },
	{ .key = "secrets", .read = field_text_list, .offset = offsetof(struct config_consent, secrets) },
	{ .key = NULL },
};

static const struct field provider_fields[] = {
	{ .key = "enabled", .read = field_bool, .offset = offsetof(struct config_live_provider, enabled) },
	{ .key = "budget_usd",
		.read = field_object,
		.offset = offsetof(struct config_live_provider, budget),
		.fields = config_budget_fields },
	{ .key = "min_reserve_usd",
		.read = field_usd,
		.offset = offsetof(struct config_live_provider, min_reserve_micro_usd),
		.maximum = CONFIG_USD_MAX },
	{ .key = "rate_per_minute",
		.read = field_int,
		.offset = offsetof(struct config_live_provider, rate_per_minute),
		.minimum = 1,
		.maximum = 100000 },
	{ .key = "max_concurrent",
		.read = field_int,
		.offset = offsetof(struct config_live_provider, max_concurrent),
		.minimum = 1,
		.maximum = 10000 },
	{ .key = "base_url",
		.read = field_text,
		.offset = offsetof(struct config_live_provider, base_url),
		.nullable = true,
		.refuse = address_refuse_url },
	{ .key = "hosts",
		.read = field_text_list,
		.offset = offsetof(struct config_live_provider, hosts),
		.refuse = address_refuse_pattern },
	{ .key = "credentials",
		.read = field_object,
		.offset = offsetof(struct config_live_provider, credentials),
		.fields = consent_fields },
	{ .key = NULL },
};

static const struct config_live_provider *provider_named(const struct config_live *live, const char *id)
{
	for (size_t i = 0; i < live->provider_count; i++)
		if (strcasecmp(live->providers[i].id, id) == 0)
			return &live->providers[i];
	return NULL;
}

static enum error_code config_read_provider(struct field_reader *reader, const char *id, const json_t *value, void *to)
{
	struct config_live *live = to;
	struct config_live_provider *provider = &live->providers[live->provider_count];

	if (provider_named(live, id) != NULL)
		return field_fail(reader, "is there twice (letter case does not matter)");
	*provider = (struct config_live_provider){ .rate_per_minute = 60, .max_concurrent = 4, .id = memory_copy_text(id) };
	live->provider_count++;
	return fields_read(reader, provider_fields, value, provider);
}

enum error_code config_check_by_id(struct field_reader *reader, const json_t *value)
{
	if (!json_is_object(value))
		return field_fail_type(reader, "an object of providers", value);
	if (json_object_size(value) > LIMIT_PROVIDERS)
		return field_fail(reader, "has more than %d providers", LIMIT_PROVIDERS);
	return ERROR_NONE;
}

enum error_code config_read_by_id(struct field_reader *reader, const json_t *value, config_entry_reader *read, void *to)
{
	enum error_code code = ERROR_NONE;
	const char *id;
	json_t *item;
	size_t mark;

	json_object_foreach((json_t *)(uintptr_t)value, id, item) {
		mark = field_enter(reader, id);
		if (*id == '\0' || strlen(id) > LIMIT_PATH_SEGMENT_BYTES)
			code = field_fail(reader, "expected a provider's id as the key");
		else
			code = read(reader, id, item, to);
		field_leave(reader, mark);
		if (code != ERROR_NONE)
			break;
	}
	return code;
}

enum error_code config_read_providers(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct config_live *live = to;
	enum error_code code = config_check_by_id(reader, value);

	(void)field;
	if (code != ERROR_NONE)
		return code;
	live->providers = memory_new_array(json_object_size(value) + 1, sizeof *live->providers);
	return config_read_by_id(reader, value, config_read_provider, live);
}

const struct config_live_provider *config_live_provider(const struct config *config, const char *id)
{
	return provider_named(&config->live, id);
}

bool config_lists_host(const struct config *config, const char *id, const char *host, size_t length)
{
	const struct config_live_provider *provider = provider_named(&config->live, id);

	for (char *const *pattern = provider != NULL ? provider->hosts : NULL; pattern != NULL && *pattern != NULL; pattern++)
		if (address_matches(*pattern, host, length))
			return true;
	return false;
}
