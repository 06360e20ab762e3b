/* era.c - the versions, oldest last. */
#include "mcp/era.h"

#include <string.h>

static const char *const legacy[] = { MCP_LEGACY_VERSION, "2025-06-18", MCP_ASSUMED_VERSION, "2024-11-05", "2024-10-07" };

#define LEGACY ((int)(sizeof legacy / sizeof *legacy))

bool mcp_version_is_modern(const char *version)
{
	return strcmp(version, MCP_VERSION) == 0;
}

bool mcp_version_is_legacy(const char *version)
{
	for (int i = 0; i < LEGACY; i++)
		if (strcmp(version, legacy[i]) == 0)
			return true;
	return false;
}

/* Versions are dates: a later one than the last legacy one is of this era or of one to come, and is told so by its own error. */
bool mcp_is_modern(const json_t *meta, const char *header)
{
	return json_object_get(meta, MCP_META_VERSION) != NULL || json_object_get(meta, MCP_META_CAPABILITIES) != NULL ||
	       (header != NULL && strcmp(header, MCP_LEGACY_VERSION) > 0);
}

json_t *mcp_versions(enum mcp_era era)
{
	json_t *list = json_array();

	json_array_append_new(list, json_string(MCP_VERSION));
	for (int i = 0; era == MCP_LEGACY && i < LEGACY; i++)
		json_array_append_new(list, json_string(legacy[i]));
	return list;
}
