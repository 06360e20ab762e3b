/* provider.c - loads a script into a provider. Runs on the loader's thread (or lint's); the result is handed to the engine. */
#include "script/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "script/isolation.h"
#include "script/sandbox.h"

struct loading {
	struct provider *provider;
	const char *text;
	struct error *error;
};

/* From here on no call sees what another one did. */
static void seal(lua_State *L, const struct provider *provider)
{
	lua_Integer count = 0;

	lua_newtable(L);
	for (int i = 0; i < FUNCTION_COUNT; i++)
		if (provider->functions[i] != LUA_NOREF) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, provider->functions[i]);
			lua_rawseti(L, -2, ++count);
		}
	isolation_seal_script(L, provider->file);
}

/* Reads the manifest of the table at 1 and keeps its functions. Protected. */
static int keep_provider(lua_State *L)
{
	struct loading *loading = lua_touserdata(L, 2);
	struct provider *provider = loading->provider;

	lua_settop(L, 1);
	if (manifest_read(L, provider->file, loading->text, &provider->manifest, loading->error) != ERROR_NONE) {
		lua_pushboolean(L, 0);
		return 1;
	}
	for (int i = 0; i < FUNCTION_COUNT; i++) {
		provider->functions[i] = LUA_NOREF;
		if (!provider->manifest.has[i])
			continue;
		lua_getfield(L, 1, manifest_function_name(i));
		provider->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	seal(L, provider);
	lua_pushboolean(L, 1);
	return 1;
}

static enum error_code make_kinds(struct provider *provider, struct error *error)
{
	const struct manifest *manifest = &provider->manifest;
	enum error_code code = ERROR_NONE;

	for (; provider->kind_count < manifest->kind_count && code == ERROR_NONE; provider->kind_count++)
		code = provider_kind_make(
			manifest, manifest->kinds[provider->kind_count], &provider->kinds[provider->kind_count], error);
	return code;
}

const struct provider_kind *provider_as(const struct provider *provider, const char *kind)
{
	for (size_t i = 0; i < provider->kind_count; i++)
		if (strcmp(provider->kinds[i].kind->name, kind) == 0)
			return &provider->kinds[i];
	return NULL;
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
static void name_file(const char *file, struct error *error)
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

static enum error_code load_script(struct provider *provider, const char *text, size_t length, struct error *error)
{
	lua_State *L = provider->state->L;
	struct loading loading = { .provider = provider, .text = text, .error = error };
	char chunk[256];
	enum error_code code;
	int status;

	snprintf(chunk, sizeof chunk, "@%s", provider->file);
	script_budget_begin(provider->state, L, test_setting(TEST_LOAD_CPU_MS, LIMIT_SCRIPT_LOAD_CPU_MS));
	status = sandbox_load(L, text, length, chunk);
	script_budget_end(provider->state);
	if (status != LUA_OK) {
		script_explain(provider->state, L, status, error);
		return error->code;
	}
	code = script_protected_call(provider->state, 0, 1, test_setting(TEST_LOAD_CPU_MS, LIMIT_SCRIPT_LOAD_CPU_MS), error);
	if (code != ERROR_NONE)
		return code;
	lua_pushcfunction(L, keep_provider);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, &loading);
	code = script_protected_call(provider->state, 2, 1, test_setting(TEST_LOAD_CPU_MS, LIMIT_SCRIPT_LOAD_CPU_MS), error);
	if (code != ERROR_NONE)
		return code;
	code = lua_toboolean(L, -1) ? ERROR_NONE : error->code;
	lua_settop(L, 0);
	return code;
}

static void provider_free(struct provider *provider)
{
	script_state_free(provider->state);
	manifest_free(&provider->manifest);
	for (size_t i = 0; i < provider->kind_count; i++)
		provider_kind_free(&provider->kinds[i]);
	free(provider->file);
	pthread_mutex_destroy(&provider->rest_lock);
	free(provider);
}

enum error_code provider_load(const char *file, const char *text, size_t length, struct script_library *library,
	uint64_t generation, struct provider **provider, struct error *error)
{
	struct provider *made = memory_new(sizeof *made);
	enum error_code code;

	pthread_mutex_init(&made->rest_lock, NULL);
	atomic_store(&made->holders, 1);
	made->generation = generation;
	made->loaded_ms = clock_unix_ms();
	made->file = memory_copy_text(file);
	made->state = script_state_new(library);
	code = load_script(made, text, length, error);
	if (code == ERROR_NONE)
		code = make_kinds(made, error);
	if (code != ERROR_NONE) {
		name_file(file, error);
		provider_free(made);
		return code;
	}
	lua_gc(made->state->L, LUA_GCCOLLECT);
	made->subject = (struct gate_subject){
		.provider = made->manifest.id,
		.aliases = made->manifest.aliases,
		.credentials = made->manifest.credentials,
		.credential_count = made->manifest.credential_count,
	};
	*provider = made;
	return ERROR_NONE;
}

struct destination_detour provider_detour(const struct provider *provider, const struct gate_view *view)
{
	const struct config_live_provider *own = config_live_provider(view->config, provider->manifest.id);

	return (struct destination_detour){ .upstream = view->config->live.upstream,
		.script_base = provider->manifest.base_url,
		.base_url = own != NULL ? own->base_url : NULL };
}

struct provider *provider_hold(struct provider *provider)
{
	atomic_fetch_add_explicit(&provider->holders, 1, memory_order_relaxed);
	return provider;
}

void provider_release(struct provider *provider)
{
	if (provider != NULL && atomic_fetch_sub_explicit(&provider->holders, 1, memory_order_acq_rel) == 1)
		provider_free(provider);
}

static void begin_rest(struct provider *provider, const char *why, int64_t now_ns)
{
	pthread_mutex_lock(&provider->rest_lock);
	snprintf(provider->rest_reason, sizeof provider->rest_reason, "%.160s; stopped %d times within %d s, so it rests", why,
		LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000);
	pthread_mutex_unlock(&provider->rest_lock);
	atomic_store(&provider->rest_until_ns, now_ns + LIMIT_SCRIPT_REST_MS * 1000000LL);
	log_message(LOG_WARN, "script.rests", "%.160s; stopped %d times within %d s, so it rests for %d s or until it is changed",
		why, LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000, LIMIT_SCRIPT_REST_MS / 1000);
}

void provider_note_stop(struct provider *provider, const char *why)
{
	int64_t now = clock_monotonic_ns();
	int64_t *times = provider->stop_times_ns;

	memmove(times + 1, times, (LIMIT_SCRIPT_KILLS - 1) * sizeof *times);
	times[0] = now;
	atomic_fetch_add(&provider->stops, 1);
	if (times[LIMIT_SCRIPT_KILLS - 1] != 0 && now - times[LIMIT_SCRIPT_KILLS - 1] < LIMIT_SCRIPT_KILL_WINDOW_MS * 1000000LL) {
		begin_rest(provider, why, now);
		memset(times, 0, sizeof provider->stop_times_ns);
	}
}

void provider_stood_still(struct provider *provider, const char *step, const char *at)
{
	provider->stood_still = true;
	snprintf(provider->rest_reason, sizeof provider->rest_reason,
		"%.120s rests until it is changed: its %s did not come back (%s), and the host had to be ended", provider->file,
		step, at != NULL ? at : "earlier");
	log_message(LOG_WARN, "script.rests", "%s", provider->rest_reason);
}

bool provider_rests(struct provider *provider)
{
	return provider->stood_still || provider_resting_ms(provider) > 0;
}

int64_t provider_resting_ms(struct provider *provider)
{
	int64_t until = atomic_load_explicit(&provider->rest_until_ns, memory_order_relaxed);
	int64_t left;

	if (until == 0)
		return 0;
	left = until - clock_monotonic_ns();
	return left > 0 ? left / 1000000 + 1 : 0;
}

void provider_rest_reason(struct provider *provider, char *text, size_t size)
{
	pthread_mutex_lock(&provider->rest_lock);
	snprintf(text, size, "%s", provider->rest_reason);
	pthread_mutex_unlock(&provider->rest_lock);
}
