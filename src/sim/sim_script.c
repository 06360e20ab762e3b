/* sim_script.c - the one thread that runs the vendor scripts: lua/sim/core.lua, and every other file of lua/sim/ that declares hosts.
 *
 * Owns one Lua state with the providers' sandbox and allocator, and require "crypto" beside it. HTTP threads hand an exchange
 * over and wait; their stack is too small for Lua (tech 1). Between requests it wakes the scripts' timers, which make webhooks.
 * The table of hosts is made once at start and only read after. */
#include "sim/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "script/bridge.h"
#include "script/library.h"
#include "script/sandbox.h"
#include "script/state.h"

#define STACK_BYTES (2 * 1024 * 1024)
#define CHUNK "return (require 'sim.core')"

static const char module_key; /* its address is the registry key of lua/sim/core.lua */

struct vendor_host {
	char *host;   /* "*.modal.run", in lower case */
	char *prefix; /* of the path, or "" */
	const char *provider;
};

struct sim_script {
	struct sim_script_options options;
	struct script_state *state;
	char *providers[LIMIT_SIM_VENDORS];
	size_t provider_count;
	struct vendor_host hosts[LIMIT_SIM_HOSTS];
	size_t host_count;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct sim_exchange *first, *last;
	bool stopping;
	int64_t due_ms; /* scripts' thread only: wall clock of the next timer, 0 when there is none */
};

/* ---- the request and the answer as Lua values, on the scripts' thread, inside a protected call ---- */

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text != NULL ? text : "");
	lua_setfield(L, -2, name);
}

/* A header, by its name in lower case, into the table on top. */
static void set_header(void *context, const char *name, const char *value)
{
	lua_State *L = context;
	char folded[128];

	if (text_fold(name, folded, sizeof folded))
		set_text(L, folded, value);
}

static void push_request(lua_State *L, const struct sim_exchange *x)
{
	const struct http_request *request = x->request;

	lua_createtable(L, 0, 16);
	if (x->provider != NULL)
		set_text(L, "provider", x->provider);
	set_text(L, "method", request->method);
	set_text(L, "host", x->host);
	set_text(L, "base", x->base);
	set_text(L, "path", x->path);
	set_text(L, "query_text", x->query);
	if (x->fault >= SIM_RATE_LIMIT)
		set_text(L, "fault", sim_fault_name(x->fault));
	lua_createtable(L, 0, 16);
	http_each_header(request, set_header, L);
	lua_setfield(L, -2, "headers");
	lua_pushlstring(L, request->body, request->body_length);
	lua_setfield(L, -2, "body");
	sim_form_push(L, http_header(request, "Content-Type"), request->body, request->body_length);
	lua_setfield(L, -2, "form");
	lua_pushinteger(L, clock_unix_ms());
	lua_setfield(L, -2, "now");
}

static void copy_text(lua_State *L, const char *name, char *to, size_t size)
{
	lua_getfield(L, -1, name);
	snprintf(to, size, "%s", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "");
	lua_pop(L, 1);
}

static int64_t integer_field(lua_State *L, const char *name)
{
	int64_t value;

	lua_getfield(L, -1, name);
	value = lua_isnumber(L, -1) ? (int64_t)lua_tonumber(L, -1) : 0;
	lua_pop(L, 1);
	return value;
}

static bool bool_field(lua_State *L, const char *name)
{
	bool value;

	lua_getfield(L, -1, name);
	value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

/* The table `headers` of the answer on top, as lines. A line end in a value ends it. */
static void read_headers(lua_State *L, struct buffer *out, const char *line_end)
{
	lua_getfield(L, -1, "headers");
	if (lua_istable(L, -1)) {
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 2)) {
			const char *value = luaL_tolstring(L, -1, NULL);
			if (lua_type(L, -3) == LUA_TSTRING)
				buffer_format(
					out, "%s: %.*s%s", lua_tostring(L, -3), (int)strcspn(value, "\r\n"), value, line_end);
		}
	}
	lua_pop(L, 1);
}

static void read_answer(lua_State *L, struct sim_exchange *x)
{
	size_t length;
	const char *body;

	luaL_checktype(L, -1, LUA_TTABLE);
	x->status = (int)integer_field(L, "status");
	x->delay_ms = integer_field(L, "delay_ms");
	x->paid = bool_field(L, "paid");
	x->fault_used = bool_field(L, "fault_used");
	copy_text(L, "job", x->job, sizeof x->job);
	copy_text(L, "prompt", x->prompt, sizeof x->prompt);
	read_headers(L, &x->headers, "\r\n");
	lua_getfield(L, -1, "json");
	x->is_json = !lua_isnil(L, -1);
	if (x->is_json)
		bridge_write(L, -1, &x->answer);
	lua_pop(L, 1);
	lua_getfield(L, -1, "body");
	body = lua_tolstring(L, -1, &length);
	if (body != NULL)
		buffer_append(&x->answer, body, length);
	lua_pop(L, 1);
}

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
	push_request(L, x);
	lua_call(L, 1, 1);
	read_answer(L, x);
	wake_at(script, integer_field(L, "wake"));
	return 0;
}

/* ---- timers ---- */

static char *take_text(lua_State *L, const char *name, size_t *length)
{
	size_t size = 0;
	const char *text;
	char *copy;

	lua_getfield(L, -1, name);
	text = lua_tolstring(L, -1, &size);
	copy = malloc(size + 1);
	if (copy != NULL) {
		memcpy(copy, text != NULL ? text : "", size);
		copy[size] = '\0';
	}
	if (length != NULL)
		*length = size;
	lua_pop(L, 1);
	return copy;
}

/* The delivery on top, handed over. Drops it when there is no memory: a webhook may get lost. */
static void deliver(lua_State *L, struct sim_script *script)
{
	struct sim_delivery *delivery = calloc(1, sizeof *delivery);
	struct buffer headers;

	if (delivery == NULL)
		return;
	buffer_init(&headers, LIMIT_SIM_HEAD_BYTES);
	read_headers(L, &headers, "\n");
	delivery->headers = buffer_take(&headers);
	delivery->url = take_text(L, "url", NULL);
	delivery->body = take_text(L, "body", &delivery->body_length);
	copy_text(L, "provider", delivery->provider, sizeof delivery->provider);
	copy_text(L, "job", delivery->job, sizeof delivery->job);
	delivery->tries = (int)integer_field(L, "tries");
	delivery->pause_ms = integer_field(L, "pause_ms");
	delivery->due_ms = clock_unix_ms();
	if (delivery->url == NULL || delivery->body == NULL || delivery->headers == NULL)
		sim_delivery_free(delivery);
	else
		script->options.deliver(script->options.context, delivery);
}

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
		deliver(L, script);
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

	pthread_setname_np(pthread_self(), "sim-scripts");
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

/* ---- which vendor ---- */

static bool host_matches(const char *pattern, const char *host)
{
	size_t pattern_length = strlen(pattern), length = strlen(host);

	if (pattern[0] != '*')
		return strcasecmp(pattern, host) == 0;
	return length > pattern_length - 1 && strcasecmp(host + length - (pattern_length - 1), pattern + 1) == 0;
}

static bool path_matches(const char *prefix, const char *path)
{
	size_t length = strlen(prefix);

	return strncmp(prefix, path, length) == 0 && (length == 0 || path[length] == '/' || path[length] == '\0');
}

const char *sim_script_provider(const struct sim_script *script, const char *host, const char *path)
{
	const char *provider = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < script->host_count; i++) {
		const struct vendor_host *entry = &script->hosts[i];
		size_t length = strlen(entry->host) + strlen(entry->prefix);
		if (length > longest && host_matches(entry->host, host) && path_matches(entry->prefix, path)) {
			longest = length;
			provider = entry->provider;
		}
	}
	return provider;
}

bool sim_script_has(const struct sim_script *script, const char *provider)
{
	for (size_t i = 0; i < script->provider_count; i++)
		if (strcasecmp(script->providers[i], provider) == 0)
			return true;
	return false;
}

static void keep_host(lua_State *L, struct sim_script *script, const char *pattern, const char *provider)
{
	struct vendor_host *entry = &script->hosts[script->host_count];
	size_t length = strcspn(pattern, "/");

	if (script->host_count == LIMIT_SIM_HOSTS)
		luaL_error(L, "the simulator knows at most %d hosts", LIMIT_SIM_HOSTS);
	entry->host = strndup(pattern, length);
	entry->prefix = strdup(pattern + length);
	entry->provider = provider;
	script->host_count++;
	if (entry->host == NULL || entry->prefix == NULL)
		luaL_error(L, "out of memory");
}

/* The list { { provider =, hosts = { ... } }, ... } on top. */
static void keep_hosts(lua_State *L, struct sim_script *script)
{
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		char *provider = take_text(L, "provider", NULL);
		if (provider == NULL || script->provider_count == LIMIT_SIM_VENDORS) {
			free(provider);
			luaL_error(L, "out of memory, or more than %d vendors", LIMIT_SIM_VENDORS);
			return;
		}
		script->providers[script->provider_count++] = provider;
		lua_getfield(L, -1, "hosts");
		for (lua_Integer j = 1; lua_rawgeti(L, -1, j) == LUA_TSTRING; j++) {
			keep_host(L, script, lua_tostring(L, -1), provider);
			lua_pop(L, 1);
		}
		lua_pop(L, 3);
	}
	lua_pop(L, 1);
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

static int load_scripts(lua_State *L)
{
	struct sim_script *script = lua_touserdata(L, 1);

	sim_crypto_push(L);
	sandbox_add_module(L, "crypto");
	if (sandbox_load(L, CHUNK, sizeof CHUNK - 1, "@simulate") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
	lua_getfield(L, -1, "start");
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, (lua_Integer)script->options.seed);
	lua_setfield(L, -2, "seed");
	lua_pushinteger(L, script->options.job_ms);
	lua_setfield(L, -2, "job_ms");
	push_module_names(L, script->state->library);
	lua_setfield(L, -2, "modules");
	lua_call(L, 1, 1);
	keep_hosts(L, script);
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

static enum error_code start_thread(struct sim_script *script, struct error *error)
{
	pthread_attr_t attributes;
	int problem;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	problem = pthread_create(&script->thread, &attributes, script_main, script);
	pthread_attr_destroy(&attributes);
	if (problem != 0)
		return error_set(error, ERROR_IO, NULL, "cannot start a thread: %s", strerror(problem));
	script->started = true;
	return ERROR_NONE;
}

enum error_code sim_script_open(const struct sim_script_options *options, struct sim_script **script, struct error *error)
{
	struct sim_script *made = calloc(1, sizeof *made);
	enum error_code code;

	if (made == NULL)
		return error_memory(error);
	made->options = *options;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->wake, NULL);
	code = load_state(made, error);
	if (code == ERROR_NONE)
		code = start_thread(made, error);
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
	for (size_t i = 0; i < script->provider_count; i++)
		free(script->providers[i]);
	for (size_t i = 0; i < script->host_count; i++) {
		free(script->hosts[i].host);
		free(script->hosts[i].prefix);
	}
	pthread_cond_destroy(&script->wake);
	pthread_mutex_destroy(&script->lock);
	free(script);
}
