/* manifest_hosts.c - where a provider's requests may go, and where its outputs lie. Loader thread (or lint) only. */
#include "script/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static size_t list_length(char *const *list)
{
	size_t length = 0;

	while (list != NULL && list[length] != NULL)
		length++;
	return length;
}

/* Puts what strangers can have names on behind the script's own hosts. */
static void add_shared_hosts(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	char **shared;
	size_t count;

	lua_getfield(reading->L, reading->table, "shared_hosts");
	shared = reading_take_list(reading, "shared_hosts", 0);
	count = list_length(shared);
	manifest->hosts = memory_resize(manifest->hosts, (manifest->own_hosts + count + 1) * sizeof *manifest->hosts);
	if (count > 0)
		memcpy(manifest->hosts + manifest->own_hosts, shared, count * sizeof *shared);
	manifest->hosts[manifest->own_hosts + count] = NULL;
	free(shared);
}

void manifest_read_hosts(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	const char *start = NULL;

	if (manifest->base_url != NULL) {
		size_t length = strlen(manifest->base_url);

		while (length > 0 && manifest->base_url[length - 1] == '/')
			manifest->base_url[--length] = '\0';
		start = strstr(manifest->base_url, "://");
	}
	lua_getfield(reading->L, reading->table, "hosts");
	manifest->hosts = reading_take_list(reading, "hosts", start != NULL);
	if (manifest->hosts == NULL)
		return;
	if (start != NULL)
		manifest->hosts[0] = memory_copy_bytes(start + 3, strcspn(start + 3, "/?#"));
	manifest->own_hosts = list_length(manifest->hosts);
	add_shared_hosts(reading);
}

void manifest_read_outputs(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	int type = lua_getfield(reading->L, reading->table, "outputs");

	if (type == LUA_TSTRING && strcmp(lua_tostring(reading->L, -1), "any") == 0) {
		manifest->outputs_anywhere = true;
		lua_pop(reading->L, 1);
	} else if (type != LUA_TNIL && type != LUA_TTABLE) {
		reading_complain(reading, "outputs", "expected a list of hosts or 'any', got %s",
			type == LUA_TSTRING ? lua_tostring(reading->L, -1) : lua_typename(reading->L, type));
		lua_pop(reading->L, 1);
	} else {
		manifest->output_hosts = reading_take_list(reading, "outputs", 0);
	}
}
