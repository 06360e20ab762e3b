/* turns.c - runs calls, and sees to it that no script has more of the engine than its turn.
 *
 * A call that computes for long gives its turn away every LIMIT_SCRIPT_SLICE_MS; what no hook can pause is made up for afterwards. */
#include "base/clock.h"
#include "base/limits.h"
#include "engine/internal.h"

#define TURNS 16	 /* in a row, and */
#define TURNS_NS 1000000 /* for so long, before transfers have theirs */

int64_t turns_usual_ns(const struct provider *provider)
{
	return atomic_load_explicit(&provider->line.usual_ns, memory_order_relaxed);
}

static void note_turn(struct engine *engine, const struct provider *provider, int64_t now_ns)
{
	if (engine->turns[0].provider != provider) {
		engine->turns[1] = engine->turns[0];
		engine->turns[0].provider = provider;
	}
	engine->turns[0].at_ns = now_ns;
}

/* Has another script been called lately? */
static bool others_wait(const struct engine *engine, int64_t now_ns)
{
	return engine->turns[1].provider != NULL && now_ns - engine->turns[1].at_ns < LIMIT_ENGINE_OTHERS_MS * 1000000LL;
}

/* What held the engine in one piece, where no hook could pause it, is made up for: the others get the larger part of its time. */
static void note_hold(struct engine *engine, struct provider *provider, int64_t cpu_ns, int64_t now_ns)
{
	int64_t pause = cpu_ns * LIMIT_ENGINE_HOLD_TIMES;

	if (cpu_ns < LIMIT_ENGINE_HOLD_MS * 1000000LL || !others_wait(engine, now_ns))
		return;
	if (pause > LIMIT_ENGINE_HOLD_PAUSE_MS * 1000000LL)
		pause = LIMIT_ENGINE_HOLD_PAUSE_MS * 1000000LL;
	mailbox_pause(&engine->mailbox, provider, now_ns + pause);
}

/* Runs a call as far as it goes. Returns the time at its end. */
static int64_t run_timed(struct engine *engine, struct engine_call *call, enum run_kind kind, int64_t began_ns)
{
	struct provider *provider = call->call.provider;
	int64_t spent_ns = call->call.spent.cpu_ns, usual = turns_usual_ns(provider);
	int64_t cpu_ns = usual > TURNS_NS ? clock_thread_cpu_ns() : 0, now_ns, took_ns;

	pulse_enter(engine->pulse, provider->file, manifest_function_name(call->call.function), provider->digest);
	call_run(call, kind);
	pulse_leave(engine->pulse);
	now_ns = clock_monotonic_ns();
	took_ns = now_ns - began_ns;
	call->ran_ns += took_ns;
	note_turn(engine, provider, now_ns);
	if (took_ns >= LIMIT_ENGINE_HOLD_MS * 1000000LL) /* a busy machine may have taken a part of it */
		note_hold(engine, provider,
			cpu_ns != 0			    ? clock_thread_cpu_ns() - cpu_ns
			: call->call.outcome == CALL_PAUSED ? call->call.spent.cpu_ns - spent_ns
							    : took_ns,
			now_ns);
	if (call->call.outcome == CALL_PAUSED)
		mailbox_put(&engine->mailbox, call, RUN_PAUSED);
	else
		atomic_store_explicit(&provider->line.usual_ns, usual + (call->ran_ns - usual) / 4, memory_order_relaxed);
	return now_ns;
}

/* A call of another thread is begun. */
static void note_fresh(struct engine *engine, const struct engine_call *call, int64_t now_ns)
{
	mailbox_begun(&engine->mailbox);
	figures_note_wait(&engine->figures, (now_ns - call->posted_ns) / 1000);
}

bool turns_run(struct engine *engine, bool all)
{
	int64_t began_ns = clock_monotonic_ns(), now_ns = began_ns;
	struct engine_call *call;
	enum run_kind kind;
	int count = 0;

	while (count < TURNS && now_ns - began_ns < TURNS_NS &&
		(call = mailbox_take(&engine->mailbox, all ? INT64_MAX : now_ns, &kind)) != NULL) {
		count++;
		if (kind == RUN_FRESH && !call->here)
			note_fresh(engine, call, now_ns);
		now_ns = run_timed(engine, call, kind, now_ns);
		if (call->call.outcome != CALL_PAUSED)
			call_settle(call);
	}
	return count > 0;
}
