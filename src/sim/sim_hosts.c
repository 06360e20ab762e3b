/* sim_hosts.c - which vendor answers for a host and a path. Made once at start, only read after: any thread. */
#include "sim/internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/memory.h"

static bool fits_host(const char *pattern, const char *host)
{
	size_t pattern_length = strlen(pattern), length = strlen(host);

	if (pattern[0] != '*')
		return strcasecmp(pattern, host) == 0;
	return length > pattern_length - 1 && strcasecmp(host + length - (pattern_length - 1), pattern + 1) == 0;
}

static bool fits_path(const char *prefix, const char *path)
{
	size_t length = strlen(prefix);

	return strncmp(prefix, path, length) == 0 && (length == 0 || path[length] == '/' || path[length] == '\0');
}

const char *sim_hosts_provider(const struct sim_hosts *hosts, const char *host, const char *path)
{
	const char *provider = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		const struct sim_host *entry = &hosts->list[i];
		size_t length = strlen(entry->host) + strlen(entry->prefix);
		if (length > longest && fits_host(entry->host, host) && fits_path(entry->prefix, path)) {
			longest = length;
			provider = entry->provider;
		}
	}
	return provider;
}

bool sim_hosts_has(const struct sim_hosts *hosts, const char *provider)
{
	for (size_t i = 0; i < hosts->provider_count; i++)
		if (strcasecmp(hosts->providers[i], provider) == 0)
			return true;
	return false;
}

static void add_host(lua_State *L, struct sim_hosts *hosts, const char *pattern, const char *provider)
{
	size_t length = strcspn(pattern, "/");

	if (hosts->count == LIMIT_SIM_HOSTS)
		luaL_error(L, "the simulator knows at most %d hosts", LIMIT_SIM_HOSTS);
	hosts->list[hosts->count++] = (struct sim_host){
		.host = memory_copy_bytes(pattern, length), .prefix = memory_copy_text(pattern + length), .provider = provider
	};
}

void sim_hosts_read(lua_State *L, struct sim_hosts *hosts)
{
	const char *provider;

	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		if (hosts->provider_count == LIMIT_SIM_VENDORS)
			luaL_error(L, "the simulator knows at most %d vendors", LIMIT_SIM_VENDORS);
		provider = hosts->providers[hosts->provider_count++] = sim_lua_take_text(L, "provider", NULL);
		lua_getfield(L, -1, "hosts");
		for (lua_Integer j = 1; lua_rawgeti(L, -1, j) == LUA_TSTRING; j++) {
			add_host(L, hosts, lua_tostring(L, -1), provider);
			lua_pop(L, 1);
		}
		lua_pop(L, 3);
	}
	lua_pop(L, 1);
}

void sim_hosts_free(struct sim_hosts *hosts)
{
	for (size_t i = 0; i < hosts->provider_count; i++)
		free(hosts->providers[i]);
	for (size_t i = 0; i < hosts->count; i++) {
		free(hosts->list[i].host);
		free(hosts->list[i].prefix);
	}
}
