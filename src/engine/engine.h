/* engine.h - the thread that runs all Lua: a mailbox in front of one event loop (docs/architecture.md, "A submit's way").
 *
 * Other threads post calls and are told through a callback; nothing here waits for them. An object without globals. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/watchdog.h"
#include "engine/figures.h"
#include "net/transfer.h"
#include "script/call.h"

struct engine;

/* What a live call needs beyond a dry run. All borrowed until `done`. */
struct engine_way {
	const struct gate_view *view;	  /* whose credentials are written in */
	struct destination_detour detour; /* live.upstream, and the provider's base_url */
};

/* How the requests of a live call ended that may cost something: all but GET, HEAD and those that the script marks as free. */
enum engine_sending {
	SENDING_NOTHING = 0, /* none was made, or none left the machine */
	SENDING_ANSWERED,
	SENDING_UNKNOWN, /* one got no answer: the vendor may have done it */
};

/* A call in the mailbox. The poster keeps it alive until `done` was called, on the engine thread; `done` must not block. */
struct engine_call {
	struct script_call call;
	struct engine_way way;
	void (*done)(struct engine_call *call);
	/* Live calls: asked before each request leaves. It must see to it that engine_send() or engine_deny() is called, now or later. NULL: what
	 * costs nothing leaves, what may cost does not. Engine thread. */
	void (*before_sending)(struct engine_call *call);
	/* Or NULL: asked once more when the connection stands, just before the first byte leaves. Engine thread, inside curl. */
	bool (*may_leave)(const struct engine_call *call);
	/* Or NULL: an answer has come, in transfer.response, and the script is about to get it. Engine thread. */
	void (*answered)(struct engine_call *call);
	/* Or NULL: nobody waits for it any more, so it is not run, nothing it asks for is sent, and `done` finds it CALL_FAILED. Engine thread. */
	bool (*unwanted)(const struct engine_call *call);

	/* What became of it, to be read when done. */
	enum engine_sending sending;
	int taken;	  /* requests that may cost, and that the vendor did not refuse to take for now */
	bool denied;	  /* engine_deny() was called for one of its requests, or may_leave() kept it */
	char failure[16]; /* SENDING_UNKNOWN, SENDING_NOTHING: the response's kind, or "" */

	/* The engine's own. */
	struct transfer transfer;
	int64_t posted_ns;
	int64_t ran_ns;	 /* how long it has run so far */
	int64_t sent_ns; /* when the request under way left; 0: none is */
	bool here;	 /* posted on the engine's thread */
	struct engine *engine;
	struct engine_call *next;
};

/* A function to run on the engine thread. The poster keeps it alive until it runs. */
struct engine_note {
	void (*run)(struct engine_note *note);
	struct engine_note *next; /* the engine's */
};

/* Fills in where the requests of a live call go: with the credentials, live.upstream and the provider's base_url of `view`, borrowed. */
void engine_way_open(struct engine_way *way, const struct gate_view *view, const struct provider *provider);

/* Starts the engine's thread, which is watched by `pulse`, or (NULL) by nobody. ERROR_IO: it cannot be started. */
enum error_code engine_start(struct pulse *pulse, struct engine **engine, struct error *error);

/* Runs what is waiting, gives transfers under way LIMIT_STOP_TRANSFER_SECONDS to end, then ends the thread. */
void engine_stop(struct engine *engine);

/* After engine_stop(), when nobody can post any more. */
void engine_free(struct engine *engine);

/* Queues a call behind the others of its script. ERROR_BUSY when LIMIT_ENGINE_QUEUE calls are waiting, ERROR_LIMIT when LIMIT_SCRIPT_QUEUE of this
 * script are (then `done` is not called). Any thread; never blocks. */
enum error_code engine_post(struct engine *engine, struct engine_call *call);

/* Takes a posted call back that the engine has not begun: it is the poster's again, and `done` is not called. False: it was begun. Any thread;
 * never blocks. */
bool engine_withdraw(struct engine *engine, struct engine_call *call);

/* About how long a new call of this script would wait, in seconds, from 1 to 60: for Retry-After. Any thread. */
int engine_wait_seconds(struct engine *engine, const struct provider *provider);

/* Queues a function. ERROR_BUSY when the engine has stopped: it never runs then. Any thread; never blocks. */
enum error_code engine_run(struct engine *engine, struct engine_note *note);

/* `tick` is called on the engine thread whenever what it returned last is due, and after anything else has run there: it does what is due and
 * returns when it wants to be called again (monotonic nanoseconds). `busy` says whether something is under way that an engine which is to stop
 * should wait for. Engine thread. */
void engine_set_clock(
	struct engine *engine, int64_t (*tick)(void *context, int64_t now_ns), bool (*busy)(void *context), void *context);

/* Engine thread: queues a call without a limit, for who schedules by itself; it stands in its script's queue like the others. */
void engine_post_here(struct engine *engine, struct engine_call *call);

/* Engine thread, after before_sending(): lets the request go, or answers it with a failure of this kind without sending it. */
void engine_send(struct engine_call *call);
void engine_deny(struct engine_call *call, const char *kind, const char *message);

/* A request that the host makes for itself, guarded as a script's is: a GET of `outgoing`. The poster keeps it alive until `done` was called, on
 * the engine thread, with what came back in transfer.response; `done` must not block, and may free the fetch. */
struct engine_fetch {
	struct outgoing outgoing;
	struct provider *provider; /* whose credentials and base_url count; held by the poster */
	struct engine_way way;
	void (*done)(struct engine_fetch *fetch);
	struct transfer transfer; /* its response is the poster's when done; the rest, and what follows, is the engine's */
	struct engine *engine;
	struct engine_note note;
};

/* Starts a fetch. ERROR_BUSY when the engine has stopped (then `done` is not called). Any thread; never blocks. */
enum error_code engine_fetch(struct engine *engine, struct engine_fetch *fetch);

/* True once the engine lets nothing new begin: what is under way is being finished. Engine thread. */
bool engine_is_stopping(const struct engine *engine);

/* What it has counted, for as long as the engine is there. Any thread. */
const struct engine_figures *engine_figures(const struct engine *engine);

/* Calls waiting now. */
size_t engine_backlog(struct engine *engine);
