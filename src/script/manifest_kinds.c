/* manifest_kinds.c - kind, kinds and feature_flag: what a provider makes, and which flags open it; and the kinds that its modes name. Loader thread
 * (or lint) only. */
#include "script/manifest_parts.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/memory.h"
#include "script/isolation.h"

static const char expected[] = "'gpu', 'image' or 'video'";

bool manifest_has_kind(const struct manifest *manifest, const struct kind *kind)
{
	for (size_t i = 0; i < manifest->kind_count; i++)
		if (manifest->kinds[i] == kind)
			return true;
	return false;
}

const char *manifest_flag(const struct manifest *manifest, const struct kind *kind)
{
	return kind == manifest->kinds[0] ? manifest->feature_flag : kind->flag;
}

static void read_own_kind(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	const struct kind *kind;

	manifest->kind = reading_text(reading, "kind", true);
	manifest->feature_flag = reading_text(reading, "feature_flag", false);
	if (manifest->kind == NULL)
		return;
	kind = kind_named(manifest->kind);
	if (kind == NULL) {
		reading_complain(reading, "kind", "expected %s, got '%s'", expected, manifest->kind);
		return;
	}
	manifest->kinds[manifest->kind_count++] = kind;
	if (manifest->feature_flag == NULL)
		manifest->feature_flag = memory_copy_text(kind->flag);
}

/* The own kind is there already, and is the first of the list. */
static void take_kind(struct reading *reading, size_t place, const char *name)
{
	struct manifest *manifest = reading->manifest;
	const struct kind *kind = kind_named(name);

	if (kind == NULL)
		reading_complain(reading, "kinds", "item %zu: expected %s, got '%s'", place + 1, expected, name);
	else if (place == 0 && kind != manifest->kinds[0])
		reading_complain(
			reading, "kinds", "expected the provider's own kind, '%s', first, got '%s'", manifest->kind, name);
	else if (place > 0 && manifest_has_kind(manifest, kind))
		reading_complain(reading, "kinds", "'%s' is there twice", name);
	else if (place > 0)
		manifest->kinds[manifest->kind_count++] = kind;
}

void manifest_read_kinds(struct reading *reading)
{
	char **names;

	read_own_kind(reading);
	if (lua_getfield(reading->L, reading->table, "kinds") == LUA_TNIL) {
		lua_pop(reading->L, 1);
		return;
	}
	names = reading_take_list(reading, "kinds", 0);
	if (names != NULL && names[0] == NULL)
		reading_complain(reading, "kinds", "expected a list that begins with '%s'", reading->manifest->kind);
	for (size_t i = 0; names != NULL && names[i] != NULL && !reading->failed; i++)
		take_kind(reading, i, names[i]);
	reading_free_list(names);
}

/* The kind of the mode on top of the stack. */
static void check_mode_kind(struct reading *reading, lua_Integer place)
{
	lua_State *L = reading->L;
	const struct kind *kind = NULL;
	int type = lua_getfield(L, -1, "kind");

	if (type == LUA_TSTRING)
		kind = kind_named(lua_tostring(L, -1));
	if (type != LUA_TNIL && (kind == NULL || !manifest_has_kind(reading->manifest, kind)))
		reading_complain(reading, "modes", "item %lld: kind: expected one of the provider's kinds, got %s",
			(long long)place, type == LUA_TSTRING ? lua_tostring(L, -1) : lua_typename(L, type));
	lua_pop(L, 1);
}

void manifest_check_modes(struct reading *reading)
{
	lua_State *L = reading->L;

	if (lua_getfield(L, reading->table, "modes") == LUA_TTABLE) {
		isolation_plain(L, -1);
		for (lua_Integer i = 1, count = (lua_Integer)lua_rawlen(L, -1); i <= count; i++) {
			if (lua_geti(L, -1, i) == LUA_TTABLE)
				check_mode_kind(reading, i);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}
