/* internal.h - what the files of the engine share. For this folder only; but for the mailbox it is all the engine thread's. */
#pragma once

#include "engine/engine.h"
#include "engine/mailbox.h"
#include "net/loop.h"

/* The scripts whose calls were run lately, to be compared only: they may be gone. */
struct turn {
	const struct provider *provider;
	int64_t at_ns;
};

struct engine {
	pthread_t thread;
	struct pulse *pulse; /* or NULL */
	struct mailbox mailbox;
	struct loop *loop;
	struct turn turns[2];				/* the last, and the last of another script */
	int64_t (*tick)(void *context, int64_t now_ns); /* or NULL */
	bool (*busy)(void *context);			/* or NULL */
	void *tick_context;
	int64_t due_ns; /* when it wants to be called again */
	bool finishing;
	struct engine_figures figures;
};

/* ---- turns.c: which calls run, for how long ---- */

/* What calls of this script took lately. Any thread. */
int64_t turns_usual_ns(const struct provider *provider);

/* Runs some calls whose turn it is (`all`: also of scripts that have to wait), and tells of each, or sends what it asks for. False: there was none. */
bool turns_run(struct engine *engine, bool all);

/* ---- engine_call.c: what a call asks for, and its answer ---- */

/* What is the engine's of a call that is posted; `here`: by the engine thread itself. Calls are used again. Any thread. */
void call_begin(struct engine_call *call, struct engine *engine, bool here);

/* Goes on with a call as far as it goes, whatever the reason for which it did not run. */
void call_run(struct engine_call *call, enum run_kind kind);

/* It has run as far as it can: its request is sent, or `done` is called and it may be its poster's. */
void call_settle(struct engine_call *call);

/* Where a transfer goes, whose credentials are written into it, and that its body is collected. */
void transfer_aim(struct transfer *transfer, const struct engine_way *way, const struct provider *provider);
