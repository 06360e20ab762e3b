/* call.c - runs prepare, estimate and submit (or another function) in one protected coroutine.
 *
 * Everything that touches Lua happens inside the coroutine, so that an error of any kind ends as a status here. C memory that a raise
 * could leak hangs off struct script_call and is freed with it. */
#include "script/call.h"

#include <stdatomic.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "script/bridge.h"
#include "script/context.h"
#include "script/estimate.h"
#include "script/isolation.h"
#include "script/refusal.h"

const char *script_call_prefix(const struct script_call *call)
{
	return call->function == FUNCTION_SUBMIT && strcmp(call->kind->name, "gpu") == 0 ? "job" : "";
}

#define BUFFERS 9

static void list_buffers(struct script_call *call, struct buffer *list[BUFFERS])
{
	struct buffer *all[BUFFERS] = { &call->payload, &call->fields, &call->estimates, &call->upstream, &call->result,
		&call->warnings, &call->notes, &call->refusals, &call->needs };

	memcpy(list, all, sizeof all);
}

struct buffer_total *script_call_total(void)
{
	static struct buffer_total all_texts;

	atomic_store_explicit(
		&all_texts.limit, (size_t)test_setting(TEST_CALLS_TEXT_BYTES, LIMIT_CALLS_TEXT_BYTES), memory_order_relaxed);
	return &all_texts;
}

void script_call_init(struct script_call *call)
{
	struct buffer *buffers[BUFFERS];

	list_buffers(call, buffers);
	call->texts = (struct buffer_budget){ .limit = LIMIT_CALL_TEXT_BYTES, .total = script_call_total() };
	for (size_t i = 0; i < BUFFERS; i++) {
		buffer_init(buffers[i], LIMIT_CALL_TEXT_BYTES);
		buffers[i]->budget = &call->texts;
	}
	outgoing_init(&call->outgoing);
	call->outgoing.url.budget = call->outgoing.body.budget = &call->texts;
	call->request = call->known = NULL;
	call->provider = NULL;
	call->instance = NULL;
}

void script_call_set(struct script_call *call, struct provider *provider, enum manifest_function function, const char *kind,
	json_t *request, bool dry_run)
{
	call->provider = provider_hold(provider);
	call->function = function;
	call->kind = kind_named(kind);
	call->request = json_incref(request);
	call->job = NULL;
	call->dry_run = dry_run;
	call->webhook_url = NULL;
	call->view = NULL;
	call->models = NULL;
	call->ignore_directory = false;
	call->asked_model[0] = call->missed_model[0] = call->priced_model[0] = call->priced_drivers[0] = '\0';
	call->observed = NULL;
	call->turn = NULL;
	call->outgoing.detour = NULL;
	call->outgoing.trace = NULL;
	call->outcome = CALL_FAILED;
	call->phase = PHASE_START;
	call->error = (struct error){ 0 };
	call->mode[0] = call->upstream_sha256[0] = '\0';
	call->optional_credentials = 0;
	call->large_request = call->mocked = false;
	call->requests = 0;
	call->estimate_free = false;
	call->warning_count = call->note_count = call->need_count = 0;
	call->estimate_micro_usd = call->estimate_high_micro_usd = -1;
	call->thread = NULL;
	call->thread_reference = call->own_reference = LUA_NOREF;
	call->spent = (struct script_spending){ 0 };
}

void script_call_clear(struct script_call *call, size_t keep_bytes)
{
	struct buffer *buffers[BUFFERS];

	list_buffers(call, buffers);
	for (size_t i = 0; i < BUFFERS; i++)
		buffer_reset(buffers[i], keep_bytes);
	outgoing_clear(&call->outgoing, keep_bytes);
	json_decref(call->request);
	json_decref(call->known);
	provider_release(call->provider);
	call->request = call->known = NULL;
	call->provider = NULL;
}

void script_call_free(struct script_call *call)
{
	script_call_clear(call, 0);
}

/* ---- inside the coroutine ---- */

/* That a call usually takes of a stack, which was shrunk behind the call before: so it grows once. */
#define LEAST_PLACES 20
#define POLL_PLACES 60
#define SUBMIT_PLACES 120

static int usual_places(enum manifest_function function)
{
	switch (function) {
	case FUNCTION_SUBMIT: return SUBMIT_PLACES;
	case FUNCTION_POLL: return POLL_PLACES;
	default: return LEAST_PLACES;
	}
}

/* Where the call's ctx, its request (or job), and of a submit prepare's results lie on the coroutine's stack. */
enum { CTX = 1, REQUEST, PAYLOAD = REQUEST, PLAN };

static void push_function(lua_State *L, struct script_call *call, enum manifest_function function)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, call->instance->functions[function]);
}

/* A script may add to the answer, not say what the host says. */
static void check_fields(lua_State *L)
{
	static const char *const ours[] = { "ok", "execution_allowed", "feature", "credentials", "provider", "name", "kind",
		"pricing_url", "docs_url", "last_checked", "capabilities", "pricing", "dry_run", "id", "job_id", "status",
		"progress", "mode", "job", "payload", "estimates", "upstream", "upstream_sha256", "artifacts", "result", "reason",
		"warnings", "notes", "live", "error", NULL };

	isolation_plain(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "prepare: the names of further fields must be text");
		for (const char *const *name = ours; *name != NULL; name++)
			if (strcmp(*name, lua_tostring(L, -2)) == 0)
				luaL_error(L, "prepare: the further field '%s' is the host's", *name);
	}
}

/* Further fields of the answer: "\"model\":\"x\"," from the table at `index`. */
static void write_further_fields(lua_State *L, int index, struct script_call *call)
{
	if (lua_type(L, index) != LUA_TTABLE)
		return;
	lua_pushvalue(L, index);
	check_fields(L);
	lua_pop(L, 1);
	bridge_write(L, index, &call->fields);
	if (call->fields.length <= 2) { /* {} */
		buffer_clear(&call->fields);
		return;
	}
	/* an object's text without its braces, with a comma at the end, is a list of members */
	memmove(call->fields.data, call->fields.data + 1, call->fields.length - 1);
	call->fields.length--;
	call->fields.data[call->fields.length - 1] = ',';
}

static void keep_mode(lua_State *L, int index, struct script_call *call)
{
	if (lua_getfield(L, index, "mode") == LUA_TSTRING) {
		strncpy(call->mode, lua_tostring(L, -1), sizeof call->mode - 1);
		call->mode[sizeof call->mode - 1] = '\0';
	}
	lua_pop(L, 1);
}

/* The function returned: a result, or nil and why it cannot be done. */
static int finish_function(lua_State *L, int status, lua_KContext context)
{
	struct script_call *call = script_state_of(L)->call;

	(void)status;
	(void)context;
	if (lua_isnil(L, -2)) {
		refusal_collect(L, lua_absindex(L, -1), call);
		call->outcome = CALL_REFUSED;
		return 0;
	}
	if (!lua_istable(L, -2))
		return luaL_error(
			L, "%s returned %s, a table is expected", manifest_function_name(call->function), luaL_typename(L, -2));
	bridge_write_result(L, -2, &call->result); /* it may say what was paid for: no figure of it is worth losing that */
	call->outcome = CALL_DONE;
	return 0;
}

/* Calls what was asked for: health(ctx), poll(job, ctx) and its like, submit(payload, ctx, plan), or describe(id, ctx, known). */
static int begin_function(lua_State *L, struct script_call *call)
{
	int function = lua_gettop(L) + 1;

	call->phase = PHASE_CALL;
	push_function(L, call, call->function);
	if (call->function == FUNCTION_DESCRIBE)
		lua_getfield(L, REQUEST, "id");
	else if (call->function != FUNCTION_HEALTH)
		lua_pushvalue(L, REQUEST);
	lua_pushvalue(L, CTX);
	if (call->function == FUNCTION_SUBMIT)
		lua_pushvalue(L, PLAN);
	else if (call->function == FUNCTION_DESCRIBE)
		lua_getfield(L, REQUEST, "known");
	lua_callk(L, lua_gettop(L) - function, 2, 0, finish_function);
	return finish_function(L, LUA_OK, 0);
}

static int finish_estimate(lua_State *L, int status, lua_KContext context)
{
	struct script_call *call = script_state_of(L)->call;

	(void)status;
	(void)context;
	estimate_write(L, lua_absindex(L, -2), call);
	lua_pop(L, 2);
	return begin_function(L, call);
}

static int begin_estimate(lua_State *L, struct script_call *call)
{
	call->phase = PHASE_ESTIMATE;
	if (!call->provider->manifest.has[FUNCTION_ESTIMATE]) {
		lua_pushnil(L);
		lua_pushnil(L);
	} else {
		push_function(L, call, FUNCTION_ESTIMATE);
		lua_pushvalue(L, PAYLOAD);
		lua_pushvalue(L, PLAN);
		lua_pushvalue(L, CTX);
		lua_callk(L, 3, 2, 0, finish_estimate);
	}
	return finish_estimate(L, LUA_OK, 0);
}

/* Of the request on the stack were made the payload and the plan; or it was refused as bad input. */
static int finish_prepare(lua_State *L, int status, lua_KContext context)
{
	struct script_call *call = script_state_of(L)->call;

	(void)status;
	(void)context;
	if (lua_isnil(L, PAYLOAD)) {
		refusal_to_error(L, PAYLOAD + 1, &call->error);
		call->outcome = CALL_INVALID;
		return 0;
	}
	if (!lua_istable(L, PAYLOAD))
		return luaL_error(L, "prepare returned %s, a payload table is expected", luaL_typename(L, PAYLOAD));
	write_further_fields(L, PAYLOAD + 1, call);
	lua_remove(L, PAYLOAD + 1);
	keep_mode(L, PAYLOAD, call);
	bridge_write(L, PAYLOAD, &call->payload);
	return begin_estimate(L, call);
}

/* The same as of a tree { id, state = {}, payload }. A text that is no JSON, in a damaged registry, is no payload. */
static void push_job(lua_State *L, const struct script_job *job)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, job->id);
	lua_setfield(L, -2, "id");
	lua_createtable(L, 0, 0);
	lua_setfield(L, -2, "state");
	if (job->payload_length == 0 || !bridge_read(L, job->payload, job->payload_length, NULL))
		lua_createtable(L, 0, 0);
	lua_setfield(L, -2, "payload");
}

static void push_request(lua_State *L, const struct script_call *call)
{
	if (call->job != NULL)
		push_job(L, call->job);
	else
		bridge_push(L, call->request);
}

/* The body of the coroutine. The script's functions are called with continuations, so that they may pause or wait. [-1, +0, e] */
static int call_body(lua_State *L)
{
	struct script_call *call = script_state_of(L)->call;

	lua_settop(L, 0);
	luaL_checkstack(L, usual_places(call->function), NULL);
	context_push(L, call);
	if (call->function != FUNCTION_HEALTH)
		push_request(L, call);
	call->phase = PHASE_PREPARE;
	if (call->function != FUNCTION_SUBMIT)
		return begin_function(L, call);
	if (call->provider->manifest.has[FUNCTION_PREPARE]) {
		push_function(L, call, FUNCTION_PREPARE);
		lua_insert(L, REQUEST);
		lua_pushvalue(L, CTX);
		lua_callk(L, 2, 3, 0, finish_prepare);
	} else {
		lua_settop(L, PLAN + 1);
	}
	return finish_prepare(L, LUA_OK, 0);
}

/* ---- around it ---- */

/* The coroutine of the call: the spare one, or a new one. */
static void take_thread(struct script_call *call, struct script_state *state)
{
	if (state->spare != NULL) {
		call->thread = state->spare;
		call->thread_reference = state->spare_reference;
		state->spare = NULL;
	} else {
		call->thread = lua_newthread(state->L);
		call->thread_reference = luaL_ref(state->L, LUA_REGISTRYINDEX);
	}
}

/* One that failed is dropped, not repaired. */
static void give_thread_back(struct script_call *call, struct script_state *state)
{
	bool failed = call->outcome == CALL_FAILED || call->outcome == CALL_RESTING;
	bool usable = lua_resetthread(call->thread) == LUA_OK && !failed && state->spare == NULL;

	if (usable) {
		lua_settop(call->thread, 0);
		state->spare = call->thread;
		state->spare_reference = call->thread_reference;
	} else {
		luaL_unref(state->L, LUA_REGISTRYINDEX, call->thread_reference);
	}
	call->thread = NULL;
	/* What a large body or a stopped script left behind must not stay until the next cycle. What calls that wait for an answer still hold is no reason to
	 * look again. */
	if (state->bytes_held > LIMIT_SCRIPT_RESIDENT_BYTES ||
		(state->memory_used > LIMIT_SCRIPT_RESIDENT_BYTES && state->memory_used > 2 * state->memory_kept)) {
		lua_gc(state->L, LUA_GCCOLLECT);
		if (state->memory_used > LIMIT_SCRIPT_RESIDENT_BYTES) /* what had a finalizer goes in the cycle after it */
			lua_gc(state->L, LUA_GCCOLLECT);
		state->memory_kept = state->memory_used;
	}
}

static const char *phase_name(const struct script_call *call)
{
	static const enum manifest_function earlier[] = { FUNCTION_PREPARE, FUNCTION_PREPARE, FUNCTION_ESTIMATE };

	return manifest_function_name(call->phase == PHASE_CALL ? call->function : earlier[call->phase]);
}

/* An error ended the coroutine: a table with `field` and `message` is bad input or a refusal, everything else a fault of the script. */
static void end_with_error(struct script_call *call, struct script_state *state, int status)
{
	lua_State *thread = call->thread;

	if (status == LUA_ERRRUN && lua_istable(thread, -1) && state->stop == SCRIPT_RUNNING && call->phase != PHASE_START) {
		refusal_take_error(thread, call, call->phase != PHASE_CALL);
		return;
	}
	if (status == LUA_ERRMEM && call->phase == PHASE_START && !state->starved) { /* no code of the script has run yet */
		error_set(&call->error, ERROR_INVALID, "", "this is more than fits in a script's memory, %d MiB",
			LIMIT_SCRIPT_MEMORY_BYTES / 1048576);
		call->outcome = CALL_INVALID;
		return;
	}
	script_explain(state, thread, status, &call->error);
	call->outcome = state->stop == SCRIPT_STOP_RESTS ? CALL_RESTING : CALL_FAILED;
	if (state->stop == SCRIPT_STOP_STARVED || state->stop == SCRIPT_STOP_RESTS || state->stop == SCRIPT_STOP_LATE)
		return; /* not for what the script did */
	if (strncmp(call->error.message, call->provider->file, strlen(call->provider->file)) != 0) {
		struct error bare = call->error;

		error_set(&call->error, bare.code, call->provider->file, "%s: %s: %.300s", call->provider->file, phase_name(call),
			bare.message);
	}
	if (state->stop != SCRIPT_RUNNING && !call->large_request)
		provider_note_stop(call->provider, call->error.message);
}

/* What C wrote for the script is whole, or the call has failed. */
static void check_texts(struct script_call *call)
{
	struct buffer *buffers[BUFFERS];
	bool failed = false, starved = false;

	list_buffers(call, buffers);
	for (size_t i = 0; i < BUFFERS; i++) {
		failed |= buffers[i]->failed;
		starved |= buffers[i]->starved;
	}
	if (!failed)
		return;
	call->outcome = CALL_FAILED;
	if (starved)
		error_memory(&call->error);
	else
		error_set(&call->error, ERROR_LIMIT, call->provider->file,
			"%s: %s: what the script returns and sends is over its limit of %d MiB of text", call->provider->file,
			phase_name(call), LIMIT_CALL_TEXT_BYTES / 1048576);
}

static void finish_run(struct script_call *call, struct script_state *state, int status)
{
	if (status == LUA_YIELD) /* in ctx.request */
		call->outcome = call->dry_run ? CALL_PREVIEW : CALL_WAITING;
	else if (status != LUA_OK)
		end_with_error(call, state, status);
	if (call->outcome != CALL_FAILED && call->outcome != CALL_INVALID && call->outcome != CALL_RESTING)
		check_texts(call);
}

static bool goes_on(const struct script_call *call)
{
	return call->outcome == CALL_WAITING || call->outcome == CALL_PAUSED;
}

/* One resume under the budget. On the engine's thread others wait, so there it is for a slice of it. */
static void run_on(struct script_call *call)
{
	struct script_state *state = call->instance->state;
	int status, results;

	state->call = call;
	isolation_enter(call);
	script_budget_begin(state, call->thread, test_setting(TEST_CALL_CPU_MS, LIMIT_SCRIPT_CPU_MS));
	state->turn = call->turn;
	if (call->instance->stack == NULL)
		script_budget_slice(state, &call->spent);
	status = lua_resume(call->thread, NULL, 0, &results);
	script_budget_end(state);
	if (status == LUA_YIELD && state->paused) {
		script_budget_spent(state, &call->spent);
		call->outcome = CALL_PAUSED;
	} else {
		call->spent = (struct script_spending){ 0 };
		finish_run(call, state, status);
	}
	isolation_leave(call, goes_on(call));
	if (!goes_on(call)) {
		give_thread_back(call, state);
		json_decref(call->request); /* now, while the HTTP thread that shares the tree waits */
		call->request = NULL;
	}
	provider_count_memory(call->provider, call->instance);
	state->call = NULL;
	state->turn = NULL;
}

void script_call_run(struct script_call *call, struct script_instance *instance)
{
	if (provider_rests(call->provider)) {
		call->outcome = CALL_RESTING;
		return;
	}
	call->instance = instance;
	take_thread(call, instance->state);
	test_stall(call->provider->manifest.id, manifest_function_name(call->function));
	lua_checkstack(call->thread, usual_places(call->function) + LUA_MINSTACK); /* at once; without room call_body() says so */
	lua_pushcfunction(call->thread, call_body);
	run_on(call);
}

void script_call_continue(struct script_call *call)
{
	call->outcome = CALL_FAILED;
	run_on(call);
}

void script_call_resume(struct script_call *call, struct response *response)
{
	call->response = response;
	call->outcome = CALL_FAILED;
	run_on(call);
	call->response = NULL;
}

void script_call_abandon(struct script_call *call)
{
	call->outcome = CALL_FAILED;
	if (call->thread != NULL)
		give_thread_back(call, call->instance->state);
}
