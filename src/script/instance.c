/* instance.c - loads a script's text into a state of its own, and runs calls there. */
#include "script/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/stack.h"
#include "base/test_setting.h"
#include "script/call.h"
#include "script/isolation.h"
#include "script/provider.h"
#include "script/sandbox.h"

#define STACK_BYTES (2 * 1024 * 1024) /* Lua's parser and pattern functions recurse in C */

struct loading {
	struct provider *provider;
	struct script_instance *instance;
	struct manifest *manifest; /* to be read; or NULL */
	struct error *error;
	enum error_code code;
};

/* From here on no call sees what another one did. */
static void seal(lua_State *L, const struct loading *loading)
{
	lua_Integer count = 0;

	lua_newtable(L);
	for (int i = 0; i < FUNCTION_COUNT; i++)
		if (loading->instance->functions[i] != LUA_NOREF) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, loading->instance->functions[i]);
			lua_rawseti(L, -2, ++count);
		}
	isolation_seal_script(L, loading->provider->file);
}

/* Keeps the functions of the table at 1. Protected. */
static int keep_functions(lua_State *L)
{
	struct loading *loading = lua_touserdata(L, 2);
	const struct provider *provider = loading->provider;

	lua_settop(L, 1);
	if (loading->manifest != NULL)
		loading->code = manifest_read(L, provider->file, provider->text, loading->manifest, loading->error);
	if (loading->code != ERROR_NONE)
		return 0;
	for (int i = 0; i < FUNCTION_COUNT; i++) {
		if (!provider->manifest.has[i])
			continue;
		lua_getfield(L, 1, manifest_function_name(i));
		loading->instance->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	seal(L, loading);
	return 0;
}

static enum error_code run_text(struct loading *loading)
{
	const struct provider *provider = loading->provider;
	struct script_state *state = loading->instance->state;
	int64_t cpu_ms = test_setting(TEST_LOAD_CPU_MS, LIMIT_SCRIPT_LOAD_CPU_MS);
	lua_State *L = state->L;
	char chunk[256];
	enum error_code code;
	int status;

	snprintf(chunk, sizeof chunk, "@%s", provider->file);
	script_budget_begin(state, L, cpu_ms);
	status = sandbox_load(L, provider->text, provider->text_length, chunk);
	script_budget_end(state);
	if (status != LUA_OK) {
		script_explain(state, L, status, loading->error);
		return loading->error->code;
	}
	code = script_protected_call(state, 0, 1, cpu_ms, loading->error);
	if (code != ERROR_NONE)
		return code;
	lua_pushcfunction(L, keep_functions);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, loading);
	code = script_protected_call(state, 2, 0, cpu_ms, loading->error);
	return code == ERROR_NONE ? loading->code : code;
}

static void load_here(void *argument)
{
	struct loading *loading = argument;
	struct script_instance *instance = loading->instance;

	instance->state = script_state_new(loading->provider->library);
	if (instance->stack != NULL)
		instance->state->crowd = instance_watch_memory(loading->provider->watch);
	loading->code = run_text(loading);
	if (loading->code != ERROR_NONE)
		return;
	lua_gc(instance->state->L, LUA_GCCOLLECT);
	provider_count_memory(loading->provider, instance);
}

/* Lua cuts the beginning of a long file name: ".../x.lua:3: ...". Returns what follows the name, or NULL. */
static const char *after_cut_name(const char *file, const char *message)
{
	const char *colon = strncmp(message, "...", 3) == 0 ? strchr(message, ':') : NULL;
	size_t tail = colon != NULL ? (size_t)(colon - message) - 3 : 0;
	size_t length = strlen(file);

	return tail > 0 && tail <= length && memcmp(file + length - tail, message + 3, tail) == 0 ? colon : NULL;
}

/* "providers/x.lua:3: ..." already, or made so: messages of limits name no place. */
void instance_name_file(const char *file, struct error *error)
{
	char message[sizeof error->message];
	const char *rest = after_cut_name(file, error->message);

	if (strncmp(error->message, file, strlen(file)) == 0)
		return;
	if (rest != NULL) {
		snprintf(message, sizeof message, "%s%s", file, rest);
		memcpy(error->message, message, sizeof message);
		return;
	}
	snprintf(message, sizeof message, "%s:1: %.*s", file, (int)(sizeof message - strlen(file) - 8), error->message);
	memcpy(error->message, message, sizeof message);
}

/* NULL: no stack could be had. */
static struct script_instance *make_instance(const struct provider *provider, bool pooled)
{
	struct script_instance *instance = memory_new(sizeof *instance);

	for (int i = 0; i < FUNCTION_COUNT; i++)
		instance->functions[i] = LUA_NOREF;
	if (!pooled)
		return instance;
	instance->stack = stack_new(STACK_BYTES);
	if (instance->stack == NULL) {
		free(instance);
		return NULL;
	}
	watched_open(&instance->watched, provider->watch);
	return instance;
}

enum error_code instance_load(
	struct provider *provider, bool pooled, struct manifest *manifest, struct script_instance **instance, struct error *error)
{
	struct script_instance *made = make_instance(provider, pooled);
	struct loading loading = { .provider = provider, .instance = made, .manifest = manifest, .error = error };

	if (made == NULL)
		return error_memory(error);
	if (pooled && manifest == NULL) {
		watched_begin(&made->watched, provider->file, "load", provider->digest);
		stack_run(made->stack, load_here, &loading);
		watched_end(&made->watched);
	} else {
		load_here(&loading);
	}
	atomic_fetch_add_explicit(&provider->instances, 1, memory_order_relaxed);
	if (loading.code == ERROR_NONE)
		*instance = made;
	else
		instance_free(provider, made);
	if (loading.code != ERROR_NONE)
		instance_name_file(provider->file, error);
	return loading.code;
}

void instance_free(struct provider *provider, struct script_instance *instance)
{
	if (instance == NULL)
		return;
	watched_close(&instance->watched);
	atomic_fetch_sub_explicit(&provider->instances, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&provider->memory_used, instance->counted, memory_order_relaxed);
	script_state_free(instance->state);
	stack_free(instance->stack);
	free(instance);
}

/* ---- calls ---- */

struct instance_call {
	struct script_instance *instance;
	struct script_call *call;
};

static void run_here(void *argument)
{
	struct instance_call *run = argument;

	script_call_run(run->call, run->instance);
}

int64_t instance_run(struct script_instance *instance, struct script_call *call)
{
	struct instance_call run = { .instance = instance, .call = call };
	int64_t began_ns = watched_begin(
		&instance->watched, call->provider->file, manifest_function_name(call->function), call->provider->digest);

	stack_run(instance->stack, run_here, &run);
	watched_end(&instance->watched);
	return began_ns;
}
