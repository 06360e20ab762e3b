/* sim_script.c - the one thread that runs the vendor scripts: lua/sim/core.lua, and every other file of lua/sim/ that declares hosts.
 *
 * Owns one Lua state with the providers' sandbox and allocator, and require "crypto" and "media" beside it. HTTP threads hand an exchange over and wait: a Lua
 * state is one thread's, and their stack is too small for it. Between requests it wakes the scripts' timers, which make webhooks. */
#include "sim/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"
#include "script/library.h"
#include "script/sandbox.h"
#include "script/state.h"

#define STACK_BYTES (2 * 1024 * 1024)
#define CHUNK "return (require 'sim.core')"

static const char module_key; /* its address is the registry key of lua/sim/core.lua */

struct sim_script {
	struct sim_script_options options;
	struct script_state *state;
	struct sim_hosts hosts;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct sim_exchange *first, *last;
	bool stopping;
	int64_t due_ms; /* scripts' thread only: wall clock of the next timer, 0 when there is none */
};

static void wake_at(struct sim_script *script, int64_t due_ms)
{
	if (due_ms > 0 && (script->due_ms == 0 || due_ms < script->due_ms))
		script->due_ms = due_ms;
}

static int run_exchange(lua_State *L)
{
	struct sim_script *script = lua_touserdata(L, 1);
	struct sim_exchange *x = lua_touserdata(L, 2);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
	lua_getfield(L, -1, "handle");
	sim_lua_push_request(L, x);
	lua_call(L, 1, 1);
	wake_at(script, sim_lua_read_answer(L, x));
	return 0;
}

/* ---- timers ---- */

static int run_timers(lua_State *L)
{
	struct sim_script *script = lua_touserdata(L, 1);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
	lua_getfield(L, -1, "tick");
	lua_pushinteger(L, clock_unix_ms());
	lua_call(L, 1, 2);
	script->due_ms = (int64_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		script->options.deliver(script->options.context, sim_lua_take_delivery(L));
		lua_pop(L, 1);
	}
	return 0;
}

static void look_at_timers(struct sim_script *script)
{
	struct error error;
	lua_State *L = script->state->L;

	if (script->due_ms == 0 || clock_unix_ms() < script->due_ms)
		return;
	script->due_ms = 0;
	lua_pushcfunction(L, run_timers);
	lua_pushlightuserdata(L, script);
	if (script_protected_call(script->state, 1, 0, LIMIT_SIM_CPU_MS, &error) != ERROR_NONE)
		fprintf(stderr, "providerd simulate: %s\n", error.message);
}

/* ---- the thread ---- */

static void serve_exchange(struct sim_script *script, struct sim_exchange *x)
{
	lua_State *L = script->state->L;

	lua_pushcfunction(L, run_exchange);
	lua_pushlightuserdata(L, script);
	lua_pushlightuserdata(L, x);
	if (script_protected_call(script->state, 2, 0, LIMIT_SIM_CPU_MS, &x->error) == ERROR_NONE)
		x->error.code = ERROR_NONE;
}

/* Waits for an exchange or the next timer. NULL: a timer, or the end. Called and returns with the lock. */
static struct sim_exchange *wait_for_work(struct sim_script *script)
{
	struct sim_exchange *x;

	while (script->first == NULL && !script->stopping) {
		struct timespec until = { .tv_sec = script->due_ms / 1000, .tv_nsec = script->due_ms % 1000 * 1000000 };
		if (script->due_ms == 0)
			pthread_cond_wait(&script->wake, &script->lock);
		else if (pthread_cond_timedwait(&script->wake, &script->lock, &until) == ETIMEDOUT)
			break;
	}
	x = script->first;
	if (x != NULL)
		script->first = x->next;
	return x;
}

static void *script_main(void *argument)
{
	struct sim_script *script = argument;

	pthread_mutex_lock(&script->lock);
	while (!script->stopping || script->first != NULL) {
		struct sim_exchange *x = wait_for_work(script);
		pthread_mutex_unlock(&script->lock);
		if (x != NULL)
			serve_exchange(script, x);
		else
			look_at_timers(script);
		pthread_mutex_lock(&script->lock);
		if (x != NULL) {
			x->done = true;
			pthread_cond_signal(&x->ended);
		}
		if (script->due_ms != 0 && clock_unix_ms() >= script->due_ms) {
			pthread_mutex_unlock(&script->lock);
			look_at_timers(script);
			pthread_mutex_lock(&script->lock);
		}
	}
	pthread_mutex_unlock(&script->lock);
	return NULL;
}

void sim_script_run(struct sim_script *script, struct sim_exchange *x)
{
	x->done = false;
	x->next = NULL;
	pthread_cond_init(&x->ended, NULL);
	pthread_mutex_lock(&script->lock);
	if (script->first == NULL)
		script->first = x;
	else
		script->last->next = x;
	script->last = x;
	pthread_cond_signal(&script->wake);
	while (!x->done)
		pthread_cond_wait(&x->ended, &script->lock);
	pthread_mutex_unlock(&script->lock);
	pthread_cond_destroy(&x->ended);
}

/* ---- start and end ---- */

/* The list of the names "sim.fal", ... */
static void push_module_names(lua_State *L, const struct script_library *library)
{
	const char *name;
	lua_Integer count = 0;

	lua_newtable(L);
	for (size_t i = 0; (name = script_library_name(library, i)) != NULL; i++) {
		if (strncmp(name, "sim.", 4) == 0) {
			lua_pushstring(L, name);
			lua_rawseti(L, -2, ++count);
		}
	}
}

static void push_switches(lua_State *L, const struct sim_script_options *options)
{
	lua_newtable(L);
	for (size_t i = 0; i < options->directory_switch_count; i++) {
		lua_pushstring(L, options->directory_switches[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static int load_scripts(lua_State *L)
{
	struct sim_script *script = lua_touserdata(L, 1);

	sim_crypto_push(L);
	sandbox_add_module(L, "crypto");
	sim_media_push(L);
	sandbox_add_module(L, "media");
	if (sandbox_load(L, CHUNK, sizeof CHUNK - 1, "@simulate") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
	lua_getfield(L, -1, "start");
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, (lua_Integer)script->options.seed);
	lua_setfield(L, -2, "seed");
	lua_pushinteger(L, script->options.job_ms);
	lua_setfield(L, -2, "job_ms");
	push_module_names(L, script->state->library);
	lua_setfield(L, -2, "modules");
	push_switches(L, &script->options);
	lua_setfield(L, -2, "directory");
	lua_call(L, 1, 1);
	sim_hosts_read(L, &script->hosts);
	return 0;
}

static enum error_code load_state(struct sim_script *script, struct error *error)
{
	struct script_library *library = script_library_read(script->options.directory, NULL);

	if (library == NULL)
		return error_memory(error);
	script->state = script_state_new(library);
	script_library_release(library);
	script->state->memory_limit = LIMIT_SIM_MEMORY_BYTES;
	script->state->remembers = true;
	lua_pushcfunction(script->state->L, load_scripts);
	lua_pushlightuserdata(script->state->L, script);
	return script_protected_call(script->state, 1, 0, LIMIT_SIM_CPU_MS, error);
}

const struct sim_hosts *sim_script_hosts(const struct sim_script *script)
{
	return &script->hosts;
}

enum error_code sim_script_open(const struct sim_script_options *options, struct sim_script **script, struct error *error)
{
	struct sim_script *made = memory_new(sizeof *made);
	enum error_code code;

	made->options = *options;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->wake, NULL);
	code = load_state(made, error);
	if (code == ERROR_NONE)
		code = thread_start(&made->thread, "sim-scripts", STACK_BYTES, script_main, made, error);
	made->started = code == ERROR_NONE;
	if (code != ERROR_NONE)
		sim_script_close(made);
	else
		*script = made;
	return code;
}

void sim_script_close(struct sim_script *script)
{
	if (script == NULL)
		return;
	if (script->started) {
		pthread_mutex_lock(&script->lock);
		script->stopping = true;
		pthread_cond_signal(&script->wake);
		pthread_mutex_unlock(&script->lock);
		pthread_join(script->thread, NULL);
	}
	script_state_free(script->state);
	sim_hosts_free(&script->hosts);
	pthread_cond_destroy(&script->wake);
	pthread_mutex_destroy(&script->lock);
	free(script);
}
