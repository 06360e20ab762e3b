/* manifest_directory.c - what a script says of its vendor's directory of models. Loader thread (or lint) only. */
#include "script/manifest_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

static const char *const directory_keys[] = { "hosts", "place", "job_place", "list_seconds", "describe_seconds", "price_seconds",
	"pace_seconds", NULL };

/* A number of the table on top of the stack, from `least` to `most`; `otherwise` when it is absent. */
static double read_seconds(struct reading *reading, const char *key, double least, double most, double otherwise)
{
	lua_State *L = reading->L;
	int type = lua_getfield(L, -1, key);
	double seconds = type == LUA_TNUMBER ? lua_tonumber(L, -1) : otherwise;

	lua_pop(L, 1);
	if ((type == LUA_TNUMBER || type == LUA_TNIL) && seconds >= least && seconds <= most)
		return seconds;
	reading_complain(reading, "directory", "%s: expected a number of seconds from %g to %g", key, least, most);
	return otherwise;
}

/* Where the inputs of a model stand in a request, or NULL when the table on top of the stack does not say. */
static char *read_inputs_place(struct reading *reading, const char *key, const char *example)
{
	lua_State *L = reading->L;
	char *place = NULL, path[32];

	snprintf(path, sizeof path, "directory.%s", key);
	if (lua_getfield(L, -1, key) == LUA_TSTRING)
		place = reading_copy(reading, path, -1);
	else if (!lua_isnil(L, -1))
		reading_complain(reading, "directory", "%s: expected text such as '%s'", key, example);
	lua_pop(L, 1);
	return place;
}

static void read_table(struct reading *reading)
{
	struct manifest_directory *directory = &reading->manifest->directory;
	lua_State *L = reading->L;

	directory->declared = true;
	reading_check_keys(reading, lua_gettop(L), "directory", directory_keys);
	lua_getfield(L, -1, "hosts");
	directory->hosts = reading_take_list(reading, "directory.hosts", 0);
	directory->place = read_inputs_place(reading, "place", "parameters.");
	directory->job_place = read_inputs_place(reading, "job_place", "job.input.");
	directory->list_seconds = (int)read_seconds(reading, "list_seconds", 1, LIMIT_DIRECTORY_AGE_SECONDS, 86400);
	directory->describe_seconds = (int)read_seconds(reading, "describe_seconds", 1, LIMIT_DIRECTORY_AGE_SECONDS, 86400);
	directory->price_seconds = (int)read_seconds(reading, "price_seconds", 1, LIMIT_DIRECTORY_AGE_SECONDS, 3600);
	directory->pace_ms = (int)lrint(1000 * read_seconds(reading, "pace_seconds", 0, 86400, 1));
}

void manifest_read_directory(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	bool asked = manifest->has[FUNCTION_MODELS] || manifest->has[FUNCTION_DESCRIBE] || manifest->has[FUNCTION_PRICES];
	int type = lua_getfield(reading->L, reading->table, "directory");

	if (type == LUA_TTABLE)
		read_table(reading);
	else if (type != LUA_TNIL)
		reading_complain(reading, "directory", "expected a table, got %s", lua_typename(reading->L, type));
	else if (asked)
		reading_complain(reading, "models",
			"models, describe and prices need a table 'directory' too: directory = { hosts = { ... } }, or {}");
	lua_pop(reading->L, 1);
	if (manifest->directory.place == NULL)
		manifest->directory.place = memory_copy_text("");
	if (manifest->directory.job_place == NULL)
		manifest->directory.job_place = memory_copy_text(manifest->directory.place);
}

void manifest_free_directory(struct manifest *manifest)
{
	reading_free_list(manifest->directory.hosts);
	free(manifest->directory.place);
	free(manifest->directory.job_place);
}
