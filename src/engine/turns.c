/* turns.c - runs calls in batches, and sees to it that no script has more of the engine than its turn.
 *
 * A call that computes for long gives its turn away every LIMIT_SCRIPT_SLICE_MS; what no hook can pause is made up for afterwards. */
#include "base/clock.h"
#include "base/limits.h"
#include "engine/internal.h"

#define BATCH 16
#define BATCH_NS 1000000 /* a batch that takes longer is told of before it goes on */

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
	int64_t cpu_ns = usual > BATCH_NS ? clock_thread_cpu_ns() : 0, now_ns, took_ns;

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

/* Calls that ran, in order, not yet told of. */
struct batch {
	struct engine_call *first, **last;
	int fresh;	   /* of them, and of those that were told of: posted by other threads */
	int64_t posted_ns; /* the first of these was posted then, */
	int64_t taken_ns;  /* and taken then */
};

static void settle_batch(struct batch *batch)
{
	struct engine_call *call = batch->first, *next;

	batch->first = NULL;
	batch->last = &batch->first;
	for (; call != NULL; call = next) {
		next = call->next; /* after done() the call is not ours */
		call_settle(call);
	}
}

static void append_to_batch(struct batch *batch, struct engine_call *call)
{
	call->next = NULL;
	*batch->last = call;
	batch->last = &call->next;
}

/* Who waits behind a call (the store) is woken once for a batch and finds all of it, so it commits in groups when the engine is busy. Nobody in it
 * waits for a call that may take long. */
bool turns_run(struct engine *engine, bool all)
{
	int64_t began_ns = clock_monotonic_ns(), now_ns = began_ns;
	struct batch batch = { .last = &batch.first };
	struct engine_call *call;
	enum run_kind kind;
	int count = 0;

	while (count < BATCH && now_ns - began_ns < BATCH_NS &&
		(call = mailbox_take(&engine->mailbox, all ? INT64_MAX : now_ns, &kind)) != NULL) {
		count++;
		if (kind == RUN_FRESH && !call->here && batch.fresh++ == 0) {
			batch.posted_ns = call->posted_ns;
			batch.taken_ns = now_ns;
		}
		if (turns_usual_ns(call->call.provider) > BATCH_NS)
			settle_batch(&batch);
		now_ns = run_timed(engine, call, kind, now_ns);
		if (call->call.outcome != CALL_PAUSED)
			append_to_batch(&batch, call);
	}
	if (batch.fresh > 0) {
		mailbox_begun(&engine->mailbox, batch.fresh);
		figures_note_wait(&engine->figures, batch.fresh, (batch.taken_ns - batch.posted_ns) / 1000);
		linger_note(&engine->linger, batch.posted_ns - engine->idle_ns);
	}
	settle_batch(&batch);
	if (count > 0)
		engine->idle_ns = clock_monotonic_ns();
	return count > 0;
}
