/* state.c - the capped allocator, the budget and protected calls.
 *
 * A hook cannot interrupt C code: what loops there over something of a script's counts its steps with script_spend(). What could not (xpcall's
 * handler, __gc) is left out by sandbox.c. */
#include "script/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "script/alarm.h"
#include "script/library.h"
#include "script/sandbox.h"

#define NS_PER_MS 1000000LL
#define STEPS_BETWEEN_LOOKS 65536 /* where no tick tells of the time: some hundred microseconds */
#define MOST_LEVELS 32		  /* of C functions between a stop and the line that called them */

/* While a script runs, NULL when there is no memory: its call is refused. What the host does with a state is small and always succeeds. */
static void *resize_beside_pool(struct script_state *state, void *block, size_t size)
{
	return state->enforce ? realloc(block, size) : memory_resize(block, size);
}

static void give_block(struct script_state *state, void *block, size_t size)
{
	if (pool_owns(&state->pool, block))
		pool_give(&state->pool, block, size);
	else
		free(block);
}

/* A block that is in the pool, or belongs there, is moved by hand; the others are malloc's. */
static void *resize_block(struct script_state *state, void *block, size_t old_size, size_t new_size)
{
	bool pooled = block != NULL && pool_owns(&state->pool, block);
	void *moved;

	if (pooled && pool_same_size(old_size, new_size))
		return block;
	if (!pooled && new_size > POOL_LARGEST)
		return resize_beside_pool(state, block, new_size);
	moved = new_size <= POOL_LARGEST ? pool_take(&state->pool, new_size) : NULL;
	if (moved == NULL)
		moved = resize_beside_pool(state, NULL, new_size);
	if (moved != NULL && block != NULL) {
		memcpy(moved, block, old_size < new_size ? old_size : new_size);
		give_block(state, block, old_size);
	}
	return moved;
}

static size_t beyond(size_t used)
{
	return used > LIMIT_SCRIPT_RESIDENT_BYTES ? used - LIMIT_SCRIPT_RESIDENT_BYTES : 0;
}

static void set_used(struct script_state *state, size_t used)
{
	size_t before = beyond(state->memory_used), after = beyond(used);

	state->memory_used = used;
	if (state->crowd != NULL && before != after)
		atomic_fetch_add_explicit(state->crowd, after - before, memory_order_relaxed);
}

/* Many calls at once may not have what one may, each; what all of them usually need is there for each. */
static bool crowd_has_room(const struct script_state *state, size_t more)
{
	return state->crowd == NULL || beyond(state->memory_used + more) == 0 ||
	       atomic_load_explicit(state->crowd, memory_order_relaxed) + more <= LIMIT_SCRIPT_CROWD_BYTES;
}

static void *capped_allocate(void *context, void *block, size_t old_size, size_t new_size)
{
	struct script_state *state = context;
	void *moved;

	if (block == NULL)
		old_size = 0; /* for a new block Lua passes a type tag here, not a size */
	if (new_size == 0) {
		set_used(state, state->memory_used - old_size);
		if (block != NULL)
			give_block(state, block, old_size);
		return NULL;
	}
	if (state->enforce && new_size > old_size && state->memory_used + (new_size - old_size) > state->memory_limit)
		return NULL;
	if (state->enforce && new_size > old_size && !crowd_has_room(state, new_size - old_size)) {
		state->starved = true; /* not this call's fault */
		return NULL;
	}
	moved = resize_block(state, block, old_size, new_size);
	state->starved |= moved == NULL;
	if (moved == NULL && block != NULL && new_size <= old_size)
		moved = block; /* Lua takes it that shrinking cannot fail */
	if (moved != NULL)
		set_used(state, state->memory_used - old_size + new_size);
	return moved;
}

struct script_state *script_state_of(lua_State *L)
{
	return *(struct script_state **)lua_getextraspace(L);
}

static void budget_hook(lua_State *L, lua_Debug *where);

/* The line that runs, or that called the C function which does. */
static bool find_line(lua_State *L, lua_Debug *where)
{
	for (int level = 0; level < MOST_LEVELS && lua_getstack(L, level, where); level++)
		if (lua_getinfo(L, "Sl", where) != 0 && where->currentline > 0)
			return true;
	return false;
}

/* Raises "providers/x.lua:12: stopped". */
static void stop_now(struct script_state *state, lua_State *L, enum script_stop stop)
{
	lua_Debug where;

	state->stop = stop;
	/* From here every instruction raises again: a script cannot catch its way around the limit. Setting the hook walks the whole
	 * call stack, so only once. */
	if (lua_gethookcount(L) != 1)
		lua_sethook(L, budget_hook, LUA_MASKCOUNT, 1);
	if (find_line(L, &where))
		lua_pushfstring(L, "%s:%d: stopped", where.short_src, where.currentline);
	else
		lua_pushliteral(L, "stopped");
	lua_error(L);
}

static bool cpu_is_over(const struct script_state *state)
{
	return state->cpu_start_ns != 0 && clock_thread_cpu_ns() - state->cpu_start_ns > state->cpu_limit_ns;
}

void script_tick(struct script_state *state, int64_t tick_ns)
{
	if (state->cpu_start_ns == 0)
		state->cpu_start_ns = clock_thread_cpu_ns() - tick_ns;
	state->late = cpu_is_over(state);
	if (state->late)
		lua_sethook(state->running, budget_hook, LUA_MASKCOUNT, 1); /* stop at the next instruction */
	else if (lua_gethookcount(state->running) == 0)
		lua_sethook(state->running, budget_hook, LUA_MASKCOUNT, LIMIT_SCRIPT_HOOK_COUNT);
}

static bool slice_is_over(const struct script_state *state)
{
	return clock_thread_cpu_ns() - state->cpu_start_ns >= LIMIT_SCRIPT_SLICE_MS * NS_PER_MS;
}

/* Waits here, wherever in C or Lua the code is, so its thread computes nothing meanwhile. */
static enum script_stop await_turn(struct script_state *state)
{
	struct script_turn *turn = state->turn;

	if (turn == NULL || (!turn->awaited && (state->cpu_start_ns == 0 || !slice_is_over(state))))
		return SCRIPT_RUNNING;
	if (!turn->awaited) {
		turn->awaited = true;
		turn->answer = turn->await(turn->context);
	}
	return turn->answer;
}

/* Which limit is over, of a script that runs. */
static enum script_stop find_stop(struct script_state *state)
{
	if (state->stop != SCRIPT_RUNNING)
		return state->stop;
	if (state->instructions > LIMIT_SCRIPT_INSTRUCTIONS)
		return SCRIPT_STOP_INSTRUCTIONS;
	return state->late || cpu_is_over(state) ? SCRIPT_STOP_CPU : await_turn(state);
}

/* Others wait for this thread: the code goes on when it is its turn again. Not from within a C function, such as a comparison of
 * table.sort: there the code runs on to its limit. */
static bool must_pause(const struct script_state *state, lua_State *L)
{
	return state->may_pause && slice_is_over(state) && lua_isyieldable(L);
}

static void budget_hook(lua_State *L, lua_Debug *where)
{
	struct script_state *state = script_state_of(L);
	enum script_stop stop;

	(void)where;
	state->instructions += LIMIT_SCRIPT_HOOK_COUNT;
	stop = find_stop(state);
	if (stop != SCRIPT_RUNNING)
		stop_now(state, L, stop);
	if (must_pause(state, L)) {
		state->paused = true;
		lua_yield(L, 0); /* in a hook it returns, and must be the last */
	}
}

bool script_may_spend(lua_State *L, size_t steps)
{
	struct script_state *state = script_state_of(L);

	if (!state->enforce)
		return true;
	state->instructions += (int64_t)steps;
	state->unlooked += (int64_t)steps;
	if (!state->late && state->unlooked < STEPS_BETWEEN_LOOKS)
		return true;
	state->unlooked = 0;
	return find_stop(state) == SCRIPT_RUNNING;
}

void script_stop_spent(lua_State *L)
{
	struct script_state *state = script_state_of(L);
	enum script_stop stop = find_stop(state);

	stop_now(state, L, stop != SCRIPT_RUNNING ? stop : SCRIPT_STOP_CPU);
}

void script_spend(lua_State *L, size_t steps)
{
	if (!script_may_spend(L, steps))
		script_stop_spent(L);
}

void script_stop_starved(lua_State *L)
{
	stop_now(script_state_of(L), L, SCRIPT_STOP_STARVED);
}

void script_check_buffer(lua_State *L, const struct buffer *buffer)
{
	if (buffer->starved)
		script_stop_starved(L);
	if (buffer->failed)
		stop_now(script_state_of(L), L, buffer->budget != NULL ? SCRIPT_STOP_TEXT : SCRIPT_STOP_MEMORY);
}

enum script_stop script_memory_stop(const struct script_state *state)
{
	return state->starved ? SCRIPT_STOP_STARVED : SCRIPT_STOP_MEMORY;
}

struct script_state *script_state_new(struct script_library *library)
{
	struct script_state *state = memory_new(sizeof *state);

	state->memory_limit = LIMIT_SCRIPT_MEMORY_BYTES;
	pool_open(&state->pool);
	state->L = lua_newstate(capped_allocate, state);
	*(struct script_state **)lua_getextraspace(state->L) = state;
	state->library = script_library_hold(library);
	sandbox_build(state->L);
	return state;
}

void script_state_free(struct script_state *state)
{
	if (state == NULL)
		return;
	lua_close(state->L);
	pool_close(&state->pool);
	script_library_release(state->library);
	free(state);
}

void script_budget_begin(struct script_state *state, lua_State *L, int64_t cpu_limit_ms)
{
	state->running = L;
	state->pcall_depth = 0;
	state->stop = SCRIPT_RUNNING;
	state->starved = false;
	state->instructions = state->unlooked = 0;
	state->late = false;
	state->cpu_limit_ns = state->cpu_whole_ns = cpu_limit_ms * NS_PER_MS;
	state->cpu_start_ns = 0;
	state->may_pause = state->paused = false;
	state->enforce = true;
	/* A hook costs a fifth of all that a script computes, so it is set by the first tick, when a call turns out to be long. */
	if (script_alarm_watch(state)) {
		if (lua_gethookcount(L) != 0) /* left from a long call */
			lua_sethook(L, NULL, 0, 0);
	} else {
		script_tick(state, 0);
	}
}

void script_budget_end(struct script_state *state)
{
	script_alarm_watch(NULL);
	state->enforce = false;
}

void script_budget_slice(struct script_state *state, const struct script_spending *spent)
{
	state->may_pause = true;
	if (spent->cpu_ns == 0)
		return;
	state->cpu_limit_ns -= spent->cpu_ns;
	state->instructions = spent->instructions;
	state->pcall_depth = spent->pcall_depth;
	state->starved = spent->starved;
	script_tick(state, 0); /* it is long already: the hook is set at once */
}

void script_budget_spent(const struct script_state *state, struct script_spending *spent)
{
	spent->cpu_ns += clock_thread_cpu_ns() - state->cpu_start_ns;
	spent->instructions = state->instructions;
	spent->pcall_depth = state->pcall_depth;
	spent->starved = state->starved;
}

/* The length of "providers/x.lua:12: " when the text is stop_now()'s, else 0. */
static int stop_place_length(const char *text)
{
	const char *end = strstr(text, ": stopped");

	return end != NULL && strcmp(end, ": stopped") == 0 ? (int)(end - text) + 2 : 0;
}

static void explain_limit(struct script_state *state, const char *text, struct error *error)
{
	int place = stop_place_length(text);

	if (state->stop == SCRIPT_STOP_STARVED)
		error_memory(error);
	else if (state->stop == SCRIPT_STOP_RESTS || state->stop == SCRIPT_STOP_LATE)
		error_set(error, ERROR_BUSY, NULL, "the host did not get to this call in time");
	else if (state->stop == SCRIPT_STOP_TEXT)
		error_set(error, ERROR_LIMIT, NULL,
			"what the script returns and sends is over its memory limit of %d MiB of text",
			LIMIT_CALL_TEXT_BYTES / 1048576);
	else if (state->stop == SCRIPT_STOP_MEMORY)
		error_set(error, ERROR_LIMIT, NULL, "the script is over its memory limit of %d MiB",
			LIMIT_SCRIPT_MEMORY_BYTES / 1048576);
	else if (state->stop == SCRIPT_STOP_INSTRUCTIONS)
		error_set(error, ERROR_LIMIT, NULL, "%.*sthe script is over its limit of %lld instructions", place, text,
			LIMIT_SCRIPT_INSTRUCTIONS);
	else
		error_set(error, ERROR_LIMIT, NULL, "%.*sthe script is over its CPU time limit of %lld ms", place, text,
			(long long)(state->cpu_whole_ns / NS_PER_MS));
}

void script_explain(struct script_state *state, lua_State *L, int status, struct error *error)
{
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;

	if (status == LUA_ERRMEM)
		state->stop = script_memory_stop(state);
	if (text == NULL)
		text = status == LUA_ERRMEM ? "not enough memory" : "the script raised an error that is not text";
	if (state->stop != SCRIPT_RUNNING)
		explain_limit(state, text, error);
	else
		error_set(error, ERROR_SCRIPT, NULL, "%s", text);
	lua_pop(L, 1);
}

enum error_code script_protected_call(
	struct script_state *state, int arguments, int results, int64_t cpu_limit_ms, struct error *error)
{
	int status;

	script_budget_begin(state, state->L, cpu_limit_ms);
	status = lua_pcall(state->L, arguments, results, 0);
	script_budget_end(state);
	if (status == LUA_OK)
		return ERROR_NONE;
	script_explain(state, state->L, status, error);
	return error != NULL ? error->code : ERROR_SCRIPT;
}
