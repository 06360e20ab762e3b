/* engine.c - the engine's loop, its start and its stop.
 *
 * Owns every lua_State while its provider is in use. Each turn of the loop it looks into the mailbox, has the transfers driven (net/loop.h), runs
 * some calls, and does what is due. */
#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/internal.h"

#define STACK_BYTES (2 * 1024 * 1024) /* Lua's parser and pattern functions recurse in C */
#define STOP_LOOK_NS 10000000	      /* between two looks at what is left when it stops */

/* ---- the loop ---- */

static void run_notes(struct engine_note *note)
{
	struct engine_note *next;

	for (; note != NULL; note = next) {
		next = note->next; /* after run() the note is not ours */
		note->run(note);
	}
}

static void run_due(struct engine *engine)
{
	if (engine->tick != NULL)
		engine->due_ns = engine->tick(engine->tick_context, clock_monotonic_ns());
}

static bool is_busy(struct engine *engine)
{
	return transfers_running(engine->loop) > 0 || mailbox_has_calls(&engine->mailbox) ||
	       (engine->busy != NULL && engine->busy(engine->tick_context));
}

/* Notes and calls that wait, and timers that are due: a write that failed is tried again. */
static void run_waiting(struct engine *engine)
{
	run_notes(mailbox_look(&engine->mailbox).notes);
	turns_run(engine, true);
	run_due(engine);
}

/* Transfers under way may still bring what was paid for: they get some time before the host is gone. What they lead to is finished too, but
 * nothing new begins. */
static void finish_engine(struct engine *engine)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_STOP_TRANSFER_SECONDS * 1000000000LL;

	engine->finishing = true;
	while (is_busy(engine) && clock_monotonic_ns() < deadline) {
		transfers_dispense(engine->loop);
		run_waiting(engine);
		if (is_busy(engine))
			loop_run_once(
				engine->loop, mailbox_has_calls(&engine->mailbox) ? 0 : clock_monotonic_ns() + STOP_LOOK_NS);
	}
	transfers_abort(engine->loop);
	deadline = clock_monotonic_ns() + LIMIT_STOP_CALLS_MS * 1000000LL;
	do
		run_waiting(engine);
	while (mailbox_has_calls(&engine->mailbox) && clock_monotonic_ns() < deadline);
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;
	struct engine_note *notes;
	struct mail mail = { 0 };

	pulse_own(engine->pulse);
	while (!mail.stopping) {
		mail = mailbox_look(&engine->mailbox);
		if (mail_is_empty(&mail))
			loop_run_once(engine->loop, mail.calls_due_ns < engine->due_ns ? mail.calls_due_ns : engine->due_ns);
		else if (transfers_running(engine->loop) > 0)
			loop_run_once(engine->loop, 0);
		run_notes(mail.notes);
		turns_run(engine, false);
		run_due(engine);
	}
	finish_engine(engine);
	while ((notes = mailbox_close(&engine->mailbox)) != NULL)
		run_notes(notes);
	pulse_rest(engine->pulse);
	return NULL;
}

/* ---- doors ---- */

enum error_code engine_post(struct engine *engine, struct engine_call *call)
{
	enum error_code code;

	call_begin(call, engine, false);
	code = mailbox_post(&engine->mailbox, call);
	if (code == ERROR_NONE)
		loop_wake(engine->loop);
	return code;
}

void engine_post_here(struct engine *engine, struct engine_call *call)
{
	call_begin(call, engine, true);
	mailbox_put(&engine->mailbox, call, RUN_FRESH);
}

bool engine_withdraw(struct engine *engine, struct engine_call *call)
{
	return mailbox_withdraw(&engine->mailbox, call);
}

int engine_wait_seconds(struct engine *engine, const struct provider *provider)
{
	int64_t wait = mailbox_wait_ns(&engine->mailbox, provider) / 1000000000 + 1;

	return wait < LIMIT_RETRY_AFTER_SECONDS ? (int)wait : LIMIT_RETRY_AFTER_SECONDS;
}

enum error_code engine_run(struct engine *engine, struct engine_note *note)
{
	enum error_code code = mailbox_note(&engine->mailbox, note);

	if (code == ERROR_NONE)
		loop_wake(engine->loop);
	return code;
}

void engine_set_clock(
	struct engine *engine, int64_t (*tick)(void *context, int64_t now_ns), bool (*busy)(void *context), void *context)
{
	engine->tick = tick;
	engine->busy = busy;
	engine->tick_context = context;
}

bool engine_is_stopping(const struct engine *engine)
{
	return engine->finishing;
}

const struct engine_figures *engine_figures(const struct engine *engine)
{
	return &engine->figures;
}

size_t engine_backlog(struct engine *engine)
{
	return atomic_load_explicit(&engine->mailbox.waiting, memory_order_relaxed);
}

/* ---- start and stop ---- */

enum error_code engine_start(struct pulse *pulse, struct engine **engine, struct error *error)
{
	struct engine *made = memory_new(sizeof *made);
	enum error_code code;

	made->pulse = pulse;
	made->due_ns = INT64_MAX;
	mailbox_init(&made->mailbox);
	code = loop_new(pulse, &made->loop, error);
	if (code == ERROR_NONE)
		code = thread_start(&made->thread, "engine", STACK_BYTES, engine_main, made, error);
	if (code != ERROR_NONE) {
		engine_free(made);
		return code;
	}
	*engine = made;
	return ERROR_NONE;
}

void engine_stop(struct engine *engine)
{
	if (engine == NULL)
		return;
	mailbox_stop(&engine->mailbox);
	loop_wake(engine->loop);
	pthread_join(engine->thread, NULL);
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	loop_free(engine->loop);
	mailbox_destroy(&engine->mailbox);
	free(engine);
}
