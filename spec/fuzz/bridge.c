/* bridge.c - what is read without a tree is what the tree's way reads. */
#include "fuzz.h"

#include "base/json.h"
#include "script/bridge_parts.h"
#include "script/library.h"
#include "script/state.h"

/* The value on top as text. */
static char *written(lua_State *L)
{
	struct buffer out;

	buffer_init(&out, 64 * 1024 * 1024);
	bridge_write(L, -1, &out);
	FUZZ_CHECK(!out.failed);
	return buffer_take(&out);
}

/* Whether integers and others are the same is seen in the text: 1 and 1.0. */
static void compare(lua_State *L, const char *text, size_t size)
{
	struct error error;
	json_t *value;
	char *quick, *slow;

	if (!bridge_read_plain(L, text, size))
		return;
	FUZZ_CHECK(lua_gettop(L) == 1);
	value = json_read(text, size, &error);
	FUZZ_CHECK(value != NULL);
	quick = written(L);
	bridge_push(L, value);
	slow = written(L);
	FUZZ_CHECK(strcmp(quick, slow) == 0);
	json_decref(value);
	free(quick);
	free(slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script_state *state;
	char *text = fuzz_copy(data, size);

	if (state == NULL)
		state = script_state_new(script_library_read("/nowhere", NULL));
	compare(state->L, text, size);
	lua_settop(state->L, 0);
	free(text);
	return 0;
}
