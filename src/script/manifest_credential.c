/* manifest_credential.c - which credentials a provider takes, and what they look like. Loader thread (or lint) only; sees no value of any. */
#include "script/manifest_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "script/isolation.h"

static const char *const credential_keys[] = { "env", "secret", "pattern", "hint", "optional", NULL };

#define PATTERN_GRAMMAR "bytes . [sets] * + ? {m,n} ^ $ (groups) | and \\ before punctuation, at most 256 bytes"

static void read_pattern(struct reading *reading, const char *path, struct credential_spec *spec)
{
	struct credential_pattern_problem problem;
	int type = lua_getfield(reading->L, -1, "pattern");
	const char *pattern;
	size_t length;

	if (type == LUA_TSTRING) {
		pattern = lua_tolstring(reading->L, -1, &length);
		spec->compiled = credential_pattern_compile(pattern, length, &problem);
		if (spec->compiled != NULL)
			spec->pattern = reading_copy(reading, path, -1);
		else
			reading_complain(reading, path, "pattern: at byte %zu of '%.60s': %s; allowed are " PATTERN_GRAMMAR,
				problem.at + 1, pattern, problem.text);
	} else if (type != LUA_TNIL) {
		reading_complain(reading, path, "pattern: expected text, got %s", luaL_typename(reading->L, -1));
	}
	lua_pop(reading->L, 1);
}

/* One entry of `credentials`: its name at -2, its table at -1. */
static void read_credential(struct reading *reading, struct credential_spec *spec)
{
	lua_State *L = reading->L;
	char path[96];

	snprintf(path, sizeof path, "credentials.%s", lua_tostring(L, -2));
	if (!lua_istable(L, -1)) {
		reading_complain(reading, path, "expected a table, got %s", luaL_typename(L, -1));
		return;
	}
	reading_check_keys(reading, lua_gettop(L), path, credential_keys);
	spec->name = reading_copy(reading, "credentials", -2);
	lua_getfield(L, -1, "env");
	spec->env = reading_take_list(reading, path, 0);
	lua_getfield(L, -1, "secret");
	spec->secret = reading_take_list(reading, path, 0);
	read_pattern(reading, path, spec);
	if (lua_getfield(L, -1, "hint") == LUA_TSTRING)
		spec->hint = reading_copy(reading, path, -1);
	else if (!lua_isnil(L, -1))
		reading_complain(reading, path, "hint: expected text, got %s", luaL_typename(L, -1));
	lua_pop(L, 1);
	if (lua_getfield(L, -1, "optional") != LUA_TBOOLEAN && !lua_isnil(L, -1))
		reading_complain(reading, path, "optional: expected true or false, got %s", luaL_typename(L, -1));
	spec->optional = lua_toboolean(L, -1);
	lua_pop(L, 1);
}

static int compare_credentials(const void *a, const void *b)
{
	return strcmp(((const struct credential_spec *)a)->name, ((const struct credential_spec *)b)->name);
}

void manifest_read_credentials(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, "credentials");
	struct credential_spec *spec;

	if (type != LUA_TTABLE && type != LUA_TNIL)
		reading_complain(reading, "credentials", "expected a table, got %s", lua_typename(L, type));
	isolation_plain(L, -1);
	for (lua_pushnil(L); type == LUA_TTABLE && lua_next(L, -2); lua_pop(L, 1)) {
		if (reading->failed)
			continue;
		if (lua_type(L, -2) != LUA_TSTRING || manifest->credential_count == LIMIT_CREDENTIALS) {
			reading_complain(reading, "credentials", "expected name = { ... }, at most %d", LIMIT_CREDENTIALS);
			continue;
		}
		manifest->credentials =
			memory_resize(manifest->credentials, (manifest->credential_count + 1) * sizeof *manifest->credentials);
		spec = &manifest->credentials[manifest->credential_count++];
		*spec = (struct credential_spec){ 0 };
		read_credential(reading, spec);
	}
	lua_pop(L, 1);
	if (!reading->failed && manifest->credential_count > 1)
		qsort(manifest->credentials, manifest->credential_count, sizeof *manifest->credentials, compare_credentials);
}

static void free_credential(struct credential_spec *spec)
{
	credential_pattern_free(spec->compiled);
	free(spec->name);
	free(spec->pattern);
	free(spec->hint);
	reading_free_list(spec->env);
	reading_free_list(spec->secret);
}

void manifest_free_credentials(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->credential_count; i++)
		free_credential(&manifest->credentials[i]);
	free(manifest->credentials);
}
