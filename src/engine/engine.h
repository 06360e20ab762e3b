/* engine.h - the thread that runs all Lua: a mailbox in front of one epoll loop (design 4).
 *
 * Other threads post calls and are told through a callback; nothing here waits for them. The engine is an object without globals: a
 * second one is a loop in main.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/transfer.h"
#include "script/call.h"

struct engine;

/* What a live call needs beyond a dry run. All borrowed until `done`. */
struct engine_way {
	const char *upstream; /* live.upstream, or NULL */
	const char *base_url; /* stands in for the script's base_url, or NULL */
	const char *(*credential)(void *context, const char *name);
	void *context;
};

/* A call in the mailbox. The poster keeps it alive until `done` was called, on the engine thread; `done` must not block. */
struct engine_call {
	struct script_call call;
	struct engine_way way;	  /* read when call.dry_run is false */
	struct transfer transfer; /* the engine's */
	void (*done)(struct engine_call *call);
	struct engine *engine;	  /* the engine's */
	struct engine_call *next; /* the engine's */
};

/* Starts the engine's thread (2 MiB of stack: tech 0, fact 1). */
enum error_code engine_start(struct engine **engine, struct error *error);

/* Runs what is waiting, gives transfers under way a few seconds to end, then ends the thread. */
void engine_stop(struct engine *engine);

/* Queues a call. ERROR_BUSY when LIMIT_ENGINE_QUEUE calls are waiting (then `done` is not called). Any thread; never blocks. */
enum error_code engine_post(struct engine *engine, struct engine_call *call);

/* Calls waiting now. */
size_t engine_backlog(struct engine *engine);
