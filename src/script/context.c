/* context.c - what ctx does. The functions find their call through the state, so scripts hold no pointer and no userdata. */
#include "script/context.h"

#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "script/bridge.h"
#include "script/call.h"
#include "script/outgoing_read.h"
#include "script/refusal.h"
#include "script/response_push.h"

static struct script_call *current_call(lua_State *L)
{
	struct script_call *call = script_state_of(L)->call;

	if (call == NULL || call->thread == NULL)
		luaL_error(L, "ctx is used outside the call that it was made for");
	return call;
}

/* prepare and estimate send nothing, and decide nothing by an answer. */
static struct script_call *call_that_sends(lua_State *L, const char *function)
{
	struct script_call *call = current_call(L);

	if (call->phase != PHASE_CALL)
		luaL_error(L, "%s: not in prepare or estimate: they send nothing", function);
	return call;
}

/* The engine has an answer: it is what ctx.request returns. */
static int request_answered(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return response_push(L, current_call(L)->response);
}

/* The text on top (popped), as an item of a list of JSON texts. */
static void list_text(lua_State *L, struct buffer *list)
{
	bridge_write(L, -1, list);
	buffer_char(list, ',');
	lua_pop(L, 1);
}

/* What keeps a live request with a credential from a host on which strangers have names. */
static void need_listing(lua_State *L, struct script_call *call, const char *url)
{
	const char *id = call->provider->manifest.id, *host;
	size_t length;

	host = destination_host(url, &length);
	if (config_lists_host(call->view->config, id, host, length) || call->need_count++ >= LIMIT_SCRIPT_WARNINGS)
		return;
	lua_pushlstring(L, host, length);
	lua_pushfstring(L,
		"live.providers.%s.hosts does not name %s: others can have names like it, so the credential goes there "
		"only once the operator adds it to that list in %s (the host, or a pattern such as \"name--*.example.com\")",
		id, lua_tostring(L, -1), call->view->config->file);
	list_text(L, &call->needs);
	lua_pop(L, 1);
}

/* The directory's functions may go to more hosts. */
static char *const *directory_hosts(const struct script_call *call)
{
	return manifest_function_is_of_directory(call->function) ? call->provider->manifest.directory.hosts : NULL;
}

/* A dry run's first request is the preview, unless it brings its own answer (mock) and a later one is meant. A live one is sent. What the
 * outgoing request borrows is anchored on the stack while the call waits. */
static int context_request(lua_State *L)
{
	struct script_call *call = call_that_sends(L, "ctx.request");

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (call->requests >= LIMIT_CALL_REQUESTS) /* who catches it spends its own time */
		return luaL_error(L, "ctx.request: more than %d requests in one call", LIMIT_CALL_REQUESTS);
	call->requests++;
	outgoing_clear(&call->outgoing, SIZE_MAX);
	outgoing_read(L, 1, &call->provider->manifest, directory_hosts(call), &call->outgoing);
	call->optional_credentials |= outgoing_optional_credentials(&call->outgoing, &call->provider->subject);
	if (!call->dry_run)
		return lua_yieldk(L, 0, 0, request_answered);
	if (call->outgoing.shared_host && !call->mocked && call->view != NULL && outgoing_has_credential(&call->outgoing))
		need_listing(L, call, call->outgoing.url.data);
	if (lua_getfield(L, 1, "mock") != LUA_TNIL) {
		call->mocked = true;
		return 1;
	}
	outgoing_write_preview(&call->outgoing, &call->upstream);
	if (call->upstream.starved)
		script_stop_starved(L);
	if (call->upstream.failed)
		return luaL_error(L, "ctx.request: the request is too large to show");
	if (call->function == FUNCTION_SUBMIT)
		outgoing_digest(&call->outgoing, &call->upstream, call->upstream_sha256);
	return lua_yield(L, 0);
}

static int context_warn(lua_State *L)
{
	struct script_call *call = current_call(L);
	const char *field, *prefix;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (lua_getfield(L, 1, "message") != LUA_TSTRING)
		return luaL_error(L, "ctx.warn { field =, message = }: message must be text");
	field = lua_getfield(L, 1, "field") == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
	if (call->warning_count++ >= LIMIT_SCRIPT_WARNINGS)
		return 0;
	prefix = field != NULL ? script_call_prefix(call) : "";
	lua_pushfstring(L, "%s%s%s%s%s", prefix, *prefix != '\0' ? "." : "", field != NULL ? field : "",
		field != NULL ? ": " : "", lua_tostring(L, 2));
	list_text(L, &call->warnings);
	return 0;
}

static int context_note(lua_State *L)
{
	struct script_call *call = current_call(L);

	luaL_checktype(L, 1, LUA_TSTRING);
	lua_settop(L, 1);
	if (call->note_count++ < LIMIT_SCRIPT_WARNINGS)
		list_text(L, &call->notes);
	return 0;
}

/* What a dry run can do without and a live submit cannot. */
static int context_needs(lua_State *L)
{
	struct script_call *call = call_that_sends(L, "ctx.needs");

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (call->need_count++ < LIMIT_SCRIPT_WARNINGS)
		refusal_write(L, 1, call, &call->needs);
	return 0;
}

/* Where a later request of this job will take the credential: said before the job is paid, since its questions would be refused. */
static int context_needs_host(lua_State *L)
{
	struct script_call *call = call_that_sends(L, "ctx.needs_host");
	const struct manifest *manifest = &call->provider->manifest;
	const char *url = luaL_checkstring(L, 1);
	struct error error = { 0 };

	if (!call->dry_run)
		return 0;
	if (destination_check(url, manifest->hosts, false, &error) != ERROR_NONE) {
		lua_pushfstring(L, "%s: %s", luaL_optstring(L, 2, "url"), error.message);
		if (call->need_count++ < LIMIT_SCRIPT_WARNINGS)
			list_text(L, &call->needs);
	} else if (call->view != NULL && !destination_is_own(url, manifest->hosts, manifest->own_hosts)) {
		need_listing(L, call, url);
	}
	return 0;
}

static void keep_id(char to[MODEL_ID_BYTES + 1], const char *id)
{
	size_t length = strlen(id);

	if (length <= MODEL_ID_BYTES)
		memcpy(to, id, length + 1);
}

/* A fresh table of the tree (taken over), or nil. Until it is made the tree is the call's, so that a raise leaks nothing. */
static int push_known(lua_State *L, struct script_call *call, json_t *tree)
{
	json_decref(call->known);
	call->known = tree;
	if (tree == NULL)
		lua_pushnil(L);
	else
		bridge_push(L, tree);
	json_decref(call->known);
	call->known = NULL;
	return 1;
}

/* What the directory knows of a model: never waits, never sends. */
static int context_model(lua_State *L)
{
	struct script_call *call = current_call(L);
	const char *id = luaL_checkstring(L, 1);
	const struct model_source *models = call->models;
	bool unseen = false;
	json_t *tree;

	if (models == NULL)
		return push_known(L, call, NULL);
	tree = models->model(models->context, call->provider->manifest.id, id, !call->dry_run, &unseen);
	keep_id(call->asked_model, id);
	if (unseen)
		keep_id(call->missed_model, id);
	return push_known(L, call, tree);
}

static int context_price(lua_State *L)
{
	struct script_call *call = current_call(L);
	const char *id = luaL_checkstring(L, 1);
	const struct model_source *models = call->models;

	return push_known(L, call, models != NULL ? models->price(models->context, call->provider->manifest.id, id) : NULL);
}

static bool fits_name(const char *text, size_t most)
{
	return strlen(text) <= most;
}

/* What this host's own jobs of a model have cost. Asked for, it is also what this job will be counted as. */
static int context_observed(lua_State *L)
{
	struct script_call *call = current_call(L);
	const char *model = luaL_checkstring(L, 1), *drivers = luaL_optstring(L, 2, "");
	const struct observed_source *observed = call->observed;
	char day[CLOCK_TEXT_BYTES];
	struct observed_price price;

	lua_settop(L, 2);
	if (!fits_name(model, MODEL_ID_BYTES) || !fits_name(drivers, OBSERVED_DRIVERS_BYTES))
		return 0;
	memcpy(call->priced_model, model, strlen(model) + 1);
	memcpy(call->priced_drivers, drivers, strlen(drivers) + 1);
	if (observed == NULL || !observed->find(observed->context, call->provider->manifest.id, model, drivers, &price))
		return 0;
	clock_format(price.newest_ms, day);
	lua_createtable(L, 0, 4);
	lua_pushnumber(L, micro_usd_dollars(price.median));
	lua_setfield(L, -2, "median");
	lua_pushnumber(L, micro_usd_dollars(price.maximum));
	lua_setfield(L, -2, "maximum");
	lua_pushinteger(L, price.count);
	lua_setfield(L, -2, "count");
	lua_pushlstring(L, day, strlen("2026-11-30"));
	lua_setfield(L, -2, "as_of");
	return 1;
}

/* What every ctx of such calls finds: it is made once per state. [-0, +1, m] */
static void make_class(lua_State *L, const struct kind *kind, bool dry_run)
{
	static const luaL_Reg functions[] = { { "request", context_request }, { "warn", context_warn }, { "note", context_note },
		{ "needs", context_needs }, { "needs_host", context_needs_host }, { "model", context_model },
		{ "price", context_price }, { "observed", context_observed }, { NULL, NULL } };

	lua_createtable(L, 0, 1);
	luaL_newlib(L, functions);
	lua_pushboolean(L, dry_run);
	lua_setfield(L, -2, "dry_run");
	lua_pushstring(L, kind->name);
	lua_setfield(L, -2, "kind");
	lua_setfield(L, -2, "__index");
}

/* A ctx of its own for each call: what a script may put into it is gone with the call. */
void context_push(lua_State *L, struct script_call *call)
{
	static const char keys[KIND_COUNT][2]; /* their addresses are the registry keys */
	const char *key = &keys[kind_place(call->kind)][call->dry_run];

	lua_createtable(L, 0, 0);
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
		lua_pop(L, 1);
		make_class(L, call->kind, call->dry_run);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, key);
	}
	lua_setmetatable(L, -2);
	if (call->webhook_url != NULL) {
		lua_pushstring(L, call->webhook_url);
		lua_setfield(L, -2, "webhook_url");
	}
	if (call->ignore_directory) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "ignore_directory");
	}
}
