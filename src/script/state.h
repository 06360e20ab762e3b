/* state.h - one capped Lua state, and protected, budgeted calls into it.
 *
 * A state belongs to one provider script. It may be built on one thread and used on another, never on two at once. Memory is
 * counted always and capped only while script code runs (between begin and end of a budget): what the host does with a state outside of it
 * always succeeds, as its other small allocations (base/memory.h). CPU time and instructions are counted per resume; a stop is sticky: pcall
 * cannot swallow it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/error.h"
#include "script/pool.h"

enum script_stop {
	SCRIPT_RUNNING = 0,
	SCRIPT_STOP_CPU,
	SCRIPT_STOP_INSTRUCTIONS,
	SCRIPT_STOP_MEMORY,
	SCRIPT_STOP_TEXT,    /* of what C writes for it */
	SCRIPT_STOP_STARVED, /* the host has no memory: not the script's fault */
	SCRIPT_STOP_RESTS,   /* it was to go on when its turn came, and its script rests by now */
	SCRIPT_STOP_LATE,    /* its turn did not come in time */
};

/* Code that has computed for longer than LIMIT_SCRIPT_SLICE_MS asks once before it goes on: `await` comes back when it may (SCRIPT_RUNNING), or says why it may
 * not. On the script's thread and stack. */
struct script_turn {
	enum script_stop (*await)(void *context);
	void *context;
	bool awaited;
	enum script_stop answer;
};

struct buffer;
struct script_library;
struct script_call;

struct script_state {
	lua_State *L;
	struct pool pool;
	size_t memory_used;
	size_t memory_limit;
	_Atomic size_t *
		crowd; /* what the instances of all scripts take beyond LIMIT_SCRIPT_RESIDENT_BYTES each, together; or NULL: it does not count */
	size_t memory_kept; /* what the last full collection left */
	bool enforce;	    /* true while script code runs */
	bool starved;	    /* since the budget began, malloc had nothing to give */
	enum script_stop stop;
	lua_State *running;	       /* the coroutine (or main thread) under the budget */
	int pcall_depth;	       /* pcalls within pcalls, see sandbox.c */
	volatile bool late;	       /* set by a tick: C code stops when it next counts its work */
	int64_t unlooked;	       /* steps counted since the last look at the clock */
	volatile int64_t cpu_start_ns; /* 0 until the first tick */
	int64_t cpu_limit_ns;	       /* what is left of the next */
	int64_t cpu_whole_ns;	       /* as messages say it */
	int64_t instructions;
	struct script_turn *turn; /* or NULL: it need not ask */
	bool may_pause;		  /* the code is a coroutine that its caller goes on with: it yields when its slice is over */
	bool paused;		  /* it did */
	bool remembers;		  /* the simulator's: nothing is sealed, scripts keep what they write */
	size_t bytes_held;	  /* by values of bridge_push_bytes(), which Lua's collector takes for small */
	const char *whole;	  /* the text that a tree of json_read_partly() is of, while it is pushed */
	int variables;		  /* that are set back after a call, see isolation_variables.c */
	struct script_library *library; /* the texts of lua/, for require; held */
	struct script_call *call;	/* the call that runs now, for ctx functions; NULL at load */
	lua_State *spare;		/* a coroutine that ended well, for the next call; NULL if there is none */
	int spare_reference;
};

/* A new state with the sandbox of sandbox.h in it. `library` gets one more holder. */
struct script_state *script_state_new(struct script_library *library);
void script_state_free(struct script_state *state);

/* The state that a lua_State (main or coroutine) belongs to. */
struct script_state *script_state_of(lua_State *L);

/* Starts and ends the budget around script code that runs on L. */
void script_budget_begin(struct script_state *state, lua_State *L, int64_t cpu_limit_ms);
void script_budget_end(struct script_state *state);

/* For work in C over what a script made: counts steps of it, each about as much as an instruction of Lua, and raises the stop when the time or
 * the instructions are over. Whatever loops over something of the script's calls it in the loop: then no call can outlive the limit. Outside of
 * a budget it does nothing. [-0, +0, e] */
void script_spend(lua_State *L, size_t steps);

/* The same without raising, for code that must not be left: false when it should stop. Then script_stop_spent() raises. [-0, +0, -], [-0, +0, e] */
bool script_may_spend(lua_State *L, size_t steps);
void script_stop_spent(lua_State *L);

#define SCRIPT_BYTES_OF_A_STEP 64 /* that are copied or compared at once */

/* What code that paused has used of its budget, to go on with. */
struct script_spending {
	int64_t cpu_ns;
	int64_t instructions;
	int pcall_depth;
	bool starved;
};

/* Between begin and end: the code on L may pause (LIMIT_SCRIPT_SLICE_MS), and goes on from what it has spent. After the end of code that
 * paused, script_budget_spent() says what that is; all zero at first. */
void script_budget_slice(struct script_state *state, const struct script_spending *spent);
void script_budget_spent(const struct script_state *state, struct script_spending *spent);

/* Raises, when a buffer has failed, the stop of the memory or text limit, or that the host has no memory. [-0, +0, e] */
void script_check_buffer(lua_State *L, const struct buffer *buffer);

/* Raises the stop for want of the host's memory. [-0, +0, e] */
void script_stop_starved(lua_State *L);

/* What Lua's own error of memory comes from: the script's limit, or the host. */
enum script_stop script_memory_stop(const struct script_state *state);

/* For alarm.h, from a signal handler: `tick_ns` of CPU time have gone by at the most since the code began, or since the last tick. Sets the
 * hook that counts instructions and looks at the clock; when the time is over, the one that stops at the next instruction. */
void script_tick(struct script_state *state, int64_t tick_ns);

/* Calls the function below `arguments` values on the state's main thread under a budget, like lua_pcall. ERROR_SCRIPT with the message
 * "providers/x.lua:12: ...", ERROR_LIMIT with the limit that was hit, or ERROR_MEMORY: then there are no results.
 * [-(arguments + 1), +results|0, -] */
enum error_code script_protected_call(
	struct script_state *state, int arguments, int results, int64_t cpu_limit_ms, struct error *error);

/* Turns the error value on top of L and the state's stop into a text that names script line and limit; the codes are those of
 * script_protected_call(). [-1, +0, -] */
void script_explain(struct script_state *state, lua_State *L, int status, struct error *error);
