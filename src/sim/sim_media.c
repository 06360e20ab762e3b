/* sim_media.c - require "media" of the vendor scripts: the files that their jobs make, by src/media/.
 *
 *   media.make("png", name, 512, 512, seconds)   its bytes; what it looks like follows from the name
 *   media.type("png")                            "image/png"; nil for what is made by nobody here */
#include "sim/internal.h"

#include <lauxlib.h>

#include "media/media.h"
#include "script/bridge.h"

static int check_side(lua_State *L, int argument)
{
	lua_Number side = luaL_checknumber(L, argument);

	return side >= 1 && side <= LIMIT_MEDIA_SIDE ? (int)side : side > 1 ? LIMIT_MEDIA_SIDE : 1;
}

static int sim_media_make(lua_State *L)
{
	struct media_wish wish = { 0 };
	struct buffer *out;

	if (!media_format_named(luaL_checkstring(L, 1), &wish.format))
		return luaL_argerror(L, 1, "there is no such format");
	wish.seed = luaL_checkstring(L, 2);
	wish.width = check_side(L, 3);
	wish.height = check_side(L, 4);
	wish.seconds = luaL_checknumber(L, 5);
	out = bridge_push_buffer(L);
	out->maximum = LIMIT_SIM_ANSWER_BYTES;
	if (!media_make(&wish, out))
		return luaL_error(L, "no room for the file");
	lua_pushlstring(L, out->data, out->length);
	return 1;
}

static int sim_media_type(lua_State *L)
{
	enum media_format format;

	lua_pushstring(L, media_format_named(luaL_checkstring(L, 1), &format) ? media_type(format) : NULL);
	return 1;
}

void sim_media_push(lua_State *L)
{
	static const luaL_Reg functions[] = { { "make", sim_media_make }, { "type", sim_media_type }, { NULL, NULL } };

	luaL_newlib(L, functions);
}
