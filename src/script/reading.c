/* reading.c - takes values out of a provider's table, and says in which line one is wrong. Loader thread (or lint) only.
 *
 * What the fields are is manifest.c's. A misspelled key is named, with the nearest right one. */
#include "script/reading.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/bridge.h"
#include "script/isolation.h"
#include "script/state.h"

/* The line where a field is written: the first that has `key =` as a word. 1 when it is nowhere. */
static int line_of(const char *source, const char *key)
{
	size_t length = strlen(key);
	int line = 1;

	for (const char *at = source; *at != '\0'; at++) {
		if (*at == '\n')
			line++;
		if (strncmp(at, key, length) != 0 || (at > source && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
			continue;
		const char *after = at + length + strspn(at + length, " \t");
		if (after[0] == '=' && after[1] != '=')
			return line;
	}
	return 1;
}

void reading_complain(struct reading *reading, const char *key, const char *format, ...)
{
	char text[300];
	char top[64];
	va_list arguments;

	if (reading->failed)
		return;
	reading->failed = true;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	snprintf(top, sizeof top, "%.*s", (int)strcspn(key, ".["), key);
	error_set(reading->error, ERROR_SCRIPT, key, "%s:%d: %s: %s", reading->file, line_of(reading->source, top), key, text);
}

char *reading_copy(struct reading *reading, const char *key, int index)
{
	size_t length;
	const char *text = lua_tolstring(reading->L, index, &length);

	if (strlen(text) != length)
		reading_complain(reading, key, "the text has a NUL in it");
	return memory_copy_text(text);
}

char *reading_text(struct reading *reading, const char *key, bool required)
{
	lua_State *L = reading->L;
	char *text = NULL;
	int type = lua_getfield(L, reading->table, key);

	if (type == LUA_TSTRING)
		text = reading_copy(reading, key, -1);
	else if (type != LUA_TNIL || required)
		reading_complain(reading, key, "expected text, got %s", lua_typename(L, type));
	lua_pop(L, 1);
	return text;
}

char **reading_take_list(struct reading *reading, const char *path, size_t room_before)
{
	lua_State *L = reading->L;
	size_t count, taken = room_before;
	char **list = NULL;

	isolation_plain(L, -1);
	count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
	if (!lua_istable(L, -1) && !lua_isnil(L, -1))
		reading_complain(reading, path, "expected a list of texts, got %s", luaL_typename(L, -1));
	else if (count > LIMIT_ALIASES)
		reading_complain(reading, path, "at most %d items", LIMIT_ALIASES);
	else
		list = memory_new_array(count + room_before + 1, sizeof *list);
	for (size_t i = 0; list != NULL && i < count; i++) {
		if (lua_rawgeti(L, -1, (lua_Integer)i + 1) == LUA_TSTRING)
			list[taken++] = reading_copy(reading, path, -1);
		else
			reading_complain(reading, path, "item %zu: expected text, got %s", i + 1, luaL_typename(L, -1));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return list;
}

void reading_free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static int write_to_buffer(lua_State *L)
{
	bridge_write(L, 1, lua_touserdata(L, 2));
	return 0;
}

/* The table on top of the stack as JSON; what has no JSON form is named by its field. Out of memory or time is no fault of one field. */
static char *take_json(struct reading *reading, const char *key)
{
	lua_State *L = reading->L;
	struct buffer *json = bridge_push_buffer(L);
	char *text = NULL;
	int status;

	lua_pushcfunction(L, write_to_buffer);
	lua_pushvalue(L, -3);
	lua_pushlightuserdata(L, json);
	status = lua_pcall(L, 2, 0, 0);
	if (status == LUA_ERRMEM || (status != LUA_OK && script_state_of(L)->stop != SCRIPT_RUNNING))
		lua_error(L);
	if (status != LUA_OK) {
		reading_complain(reading, key, "%s", lua_tostring(L, -1));
		lua_pop(L, 1);
	} else {
		text = buffer_take(json);
	}
	lua_pop(L, 1);
	return text;
}

char *reading_json(struct reading *reading, const char *key, bool required)
{
	lua_State *L = reading->L;
	char *text = NULL;
	int type = lua_getfield(L, reading->table, key);

	if (type == LUA_TTABLE) {
		text = take_json(reading, key);
	} else if (type != LUA_TNIL || required) {
		reading_complain(reading, key, "expected a table, got %s", lua_typename(L, type));
	}
	lua_pop(L, 1);
	return text;
}

void reading_check_keys(struct reading *reading, int table, const char *path, const char *const *known)
{
	lua_State *L = reading->L;
	const char *name, *nearest;
	char full[128];
	size_t i;

	isolation_plain(L, table);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (reading->failed) /* one complaint is enough */
			continue;
		if (lua_type(L, -2) != LUA_TSTRING) {
			reading_complain(reading, path, "has a key that is not text");
			continue;
		}
		name = lua_tostring(L, -2);
		for (i = 0; known[i] != NULL && strcmp(known[i], name) != 0; i++)
			;
		if (known[i] != NULL)
			continue;
		nearest = text_nearest(name, known);
		snprintf(full, sizeof full, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
		reading_complain(reading, full, "unknown key%s%s%s", nearest != NULL ? "; did you mean '" : "",
			nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
	}
}

char *reading_member(struct reading *reading, const char *path, const char *key)
{
	char *text = NULL;

	if (lua_getfield(reading->L, -1, key) == LUA_TSTRING)
		text = reading_copy(reading, path, -1);
	else
		reading_complain(reading, path, "expected text, got %s", luaL_typename(reading->L, -1));
	lua_pop(reading->L, 1);
	return text;
}
