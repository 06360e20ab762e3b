/* config_directory.c - directory: whose models are looked up at the vendors, and how often. At start and on the loader thread; the look-up: any
 * thread. */
#include <stdlib.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "gate/config_parts.h"

static const struct field directory_provider_fields[] = {
	{ .key = "enabled", .read = field_bool, .offset = offsetof(struct config_directory_provider, enabled) },
	{ .key = NULL },
};

static const struct config_directory_provider *directory_provider_named(const struct config_directory *directory, const char *id)
{
	for (size_t i = 0; i < directory->provider_count; i++)
		if (strcasecmp(directory->providers[i].id, id) == 0)
			return &directory->providers[i];
	return NULL;
}

static enum error_code read_directory_provider(struct field_reader *reader, const char *id, const json_t *value, void *to)
{
	struct config_directory *directory = to;
	struct config_directory_provider *provider = &directory->providers[directory->provider_count];

	if (directory_provider_named(directory, id) != NULL)
		return field_fail(reader, "is there twice (letter case does not matter)");
	*provider = (struct config_directory_provider){ .id = memory_copy_text(id) };
	directory->provider_count++;
	return fields_read(reader, directory_provider_fields, value, provider);
}

static enum error_code read_directory_providers(
	struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	struct config_directory *directory = to;
	enum error_code code = config_check_by_id(reader, value);

	(void)field;
	if (code != ERROR_NONE)
		return code;
	directory->providers = memory_new_array(json_object_size(value) + 1, sizeof *directory->providers);
	return config_read_by_id(reader, value, read_directory_provider, directory);
}

#define IN_DIRECTORY(member) .offset = offsetof(struct config_directory, member)

const struct field config_directory_fields[] = {
	{ .key = "enabled", .read = field_bool, IN_DIRECTORY(enabled) },
	{ .key = "refresh_hours",
		.read = field_int,
		IN_DIRECTORY(refresh_hours),
		.minimum = 1,
		.maximum = LIMIT_DIRECTORY_REFRESH_HOURS },
	{ .key = "providers", .read = read_directory_providers },
	{ .key = NULL },
};

bool config_asks_directory(const struct config *config, const char *id)
{
	const struct config_directory_provider *provider = directory_provider_named(&config->directory, id);

	return config->directory.enabled && provider != NULL && provider->enabled;
}

void config_directory_free(struct config_directory *directory)
{
	for (size_t i = 0; i < directory->provider_count; i++)
		free(directory->providers[i].id);
	free(directory->providers);
}
