/* instance.h - one running copy of a provider's script: a Lua state with the script's functions, and a C stack of its own.
 *
 * A script has several, so several of its calls run at once; each call finds the script as it was loaded (isolation.h), whichever instance it gets. An
 * instance runs one call at a time, on the thread that has taken it (instance_pool.h), or belongs to the engine, whose calls wait for vendors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "script/instance_watch.h"
#include "script/manifest.h"
#include "script/state.h"

struct provider;
struct script_call;

struct script_instance {
	struct script_state *state;
	int functions[FUNCTION_COUNT]; /* registry references; LUA_NOREF when absent */
	struct stack *stack;	       /* NULL: the engine's, which has a large one of its own */
	size_t counted;		       /* of its memory, in provider.memory_used */
	struct watched watched;	       /* while it runs */
	struct script_instance *next;  /* in the pool: those that are free */
};

/* Runs the provider's text in a new state. `pooled`: it gets a stack, and is watched by the provider's watch; else it is the engine's. With `manifest` it is
 * the script's first: what it says of itself is read into that. ERROR_SCRIPT and ERROR_LIMIT with "providers/x.lua:LINE: ...", ERROR_MEMORY. Any thread; one that
 * has a small stack for those that are pooled, and not the first. */
enum error_code instance_load(struct provider *provider, bool pooled, struct manifest *manifest,
	struct script_instance **instance, struct error *error);

/* Makes the message begin with "providers/x.lua:LINE: ", if it does not: those of limits name no place. */
void instance_name_file(const char *file, struct error *error);

void instance_free(struct provider *provider, struct script_instance *instance); /* NULL: does nothing */

/* Runs a dry call to its end, on the instance's stack. The caller has the instance for itself. Returns when it began (monotonic nanoseconds). */
int64_t instance_run(struct script_instance *instance, struct script_call *call);
