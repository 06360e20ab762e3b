/* engine.c - mailbox, loop and lifecycle of one engine.
 *
 * Owns every lua_State while its provider is in use. Runs on its own thread. The mailbox is a queue for each script (run_queue.h) and a list of
 * notes, under a mutex that is held for a few instructions; the eventfd is written only when the engine sleeps. Transfers join the same
 * epoll loop. A call that computes for long gives its turn away every LIMIT_SCRIPT_SLICE_MS. */
#include "engine/engine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/run_queue.h"

#define STACK_BYTES (2 * 1024 * 1024)
#define BATCH 16
#define BATCH_NS 1000000 /* a batch that takes longer is told of before it goes on */
#define LINGER_NS 200000
#define TAG_WAKE 0u
#define TAG_TRANSFERS 1u

struct turn {
	const struct provider *provider; /* to be compared, it may be gone */
	int64_t at_ns;
};

struct engine {
	pthread_t thread;
	struct pulse *pulse;
	pthread_mutex_t lock;
	struct run_queue queue;		/* under lock */
	struct engine_note *first_note; /* under lock */
	struct engine_note **last_note; /* under lock */
	bool stopping;			/* under lock */
	bool stopped;			/* under lock: no note is run any more */
	bool asleep;			/* under lock: waits in epoll, or is about to */
	_Atomic size_t waiting;		/* calls of other threads that are not begun */
	_Atomic bool noted;		/* a hint that there are notes */
	int epoll;
	int wake;
	struct transfers *transfers; /* NULL until the first live call */
	struct turn turns[2]; /* whose calls were run lately: the last, and the last of another script; engine thread only */
	int64_t (*tick)(void *context, int64_t now_ns); /* or NULL */
	bool (*busy)(void *context);			/* or NULL */
	void *tick_context;
	int64_t due_ns; /* when it wants to be called again */
	bool finishing; /* engine thread only */
	struct engine_figures figures;
};

/* What the engine finds when it looks. */
struct mail {
	struct engine_note *notes;
	int64_t calls_due_ns; /* when there is a call to run; INT64_MAX: none waits */
};

static bool is_empty(const struct mail *mail)
{
	return mail->notes == NULL && mail->calls_due_ns > clock_monotonic_ns();
}

/* Takes the notes that are there. With nothing to do the engine is marked as asleep if it is about to sleep: only then a poster must wake it. */
static struct mail take_mail(struct engine *engine, bool about_to_sleep, bool *stopping)
{
	struct mail mail;

	pthread_mutex_lock(&engine->lock);
	mail.notes = engine->first_note;
	mail.calls_due_ns = run_queue_due(&engine->queue);
	engine->first_note = NULL;
	engine->last_note = &engine->first_note;
	atomic_store_explicit(&engine->noted, false, memory_order_relaxed);
	*stopping = engine->stopping;
	engine->asleep = about_to_sleep && is_empty(&mail) && !engine->stopping;
	pthread_mutex_unlock(&engine->lock);
	return mail;
}

static bool has_mail(struct engine *engine)
{
	return atomic_load_explicit(&engine->waiting, memory_order_relaxed) > 0 ||
	       atomic_load_explicit(&engine->noted, memory_order_relaxed);
}

/* Before it sleeps after a call the engine looks again for a moment: under load the next call is microseconds away, and waking a thread costs more than
 * that. Between two looks it gives its core away. */
static struct mail await_mail(struct engine *engine, bool linger, bool *stopping)
{
	struct mail mail = take_mail(engine, false, stopping);
	int64_t until = linger ? clock_monotonic_ns() + LINGER_NS : 0;

	while (is_empty(&mail) && !*stopping && clock_monotonic_ns() < until) {
		sched_yield();
		if (has_mail(engine))
			mail = take_mail(engine, false, stopping);
	}
	return !is_empty(&mail) || *stopping ? mail : take_mail(engine, true, stopping);
}

static void enqueue(struct engine *engine, struct engine_call *call, enum run_kind kind)
{
	pthread_mutex_lock(&engine->lock);
	run_queue_add(&engine->queue, call, kind);
	pthread_mutex_unlock(&engine->lock);
}

/* ---- live calls: send what they ask for, go on when it has come back ---- */

static void transfer_done(struct transfer *transfer)
{
	struct engine_call *call = (struct engine_call *)(void *)((char *)transfer - offsetof(struct engine_call, transfer));

	enqueue(call->engine, call, RUN_ANSWERED);
}

/* curl and its TLS library cost 7 MB: a host that makes dry runs only never pays for them. */
static bool have_transfers(struct engine *engine)
{
	struct error error;

	if (engine->transfers == NULL && transfers_open(engine->epoll, TAG_TRANSFERS, &engine->transfers, &error) != ERROR_NONE)
		log_message(LOG_ERROR, "engine.transfers", "%s", error.message);
	return engine->transfers != NULL;
}

void engine_way_open(struct engine_way *way, const struct gate_view *view, const struct provider *provider)
{
	const struct config_live_provider *own = config_live_provider(view->config, provider->manifest.id);

	*way = (struct engine_way){
		.view = view,
		.detour = { .upstream = view->config->live.upstream,
			.script_base = provider->manifest.base_url,
			.base_url = own != NULL ? own->base_url : NULL },
	};
}

/* Where a transfer goes, whose credentials are written into it, and that its body is collected. */
static void aim_transfer(struct transfer *transfer, const struct engine_way *way, const struct provider *provider)
{
	transfer->detour = way->detour;
	transfer->view = way->view;
	transfer->subject = &provider->subject;
	transfer->sink = NULL;
	transfer->references = false;
	transfer->token = NULL;
	transfer->may_leave = NULL;
}

/* The last part of a webhook's URL opens it: who knows it can send deliveries. */
static const char *token_of(const char *webhook_url)
{
	const char *slash = webhook_url != NULL ? strrchr(webhook_url, '/') : NULL;

	return slash != NULL && slash[1] != '\0' ? slash + 1 : NULL;
}

static bool call_may_leave(struct transfer *transfer)
{
	struct engine_call *call = (struct engine_call *)(void *)((char *)transfer - offsetof(struct engine_call, transfer));
	bool may = call->may_leave == NULL || call->may_leave(call);

	call->denied |= !may;
	return may;
}

void engine_send(struct engine_call *call)
{
	struct transfer *transfer = &call->transfer;
	struct engine *engine = call->engine;

	call->sent_ns = clock_monotonic_ns();
	if (!have_transfers(engine)) {
		response_fail(&transfer->response, "connect", "out of memory");
		transfer_done(transfer);
		return;
	}
	transfer->outgoing = &call->call.outgoing;
	aim_transfer(transfer, &call->way, call->call.provider);
	transfer->references = call->call.function != FUNCTION_SUBMIT; /* what a job is polled by came from the vendor */
	transfer->token = token_of(call->call.webhook_url);
	transfer->may_leave = call_may_leave;
	transfer->done = transfer_done;
	transfers_start(engine->transfers, transfer);
}

void engine_deny(struct engine_call *call, const char *kind, const char *message)
{
	call->denied = true;
	response_fail(&call->transfer.response, kind, message);
	transfer_done(&call->transfer);
}

static bool is_unwanted(const struct engine_call *call)
{
	return call->unwanted != NULL && call->unwanted(call);
}

static void send_request(struct engine *engine, struct engine_call *call)
{
	call->engine = engine;
	call->sent_ns = 0;
	response_init(&call->transfer.response);
	if (call->call.function == FUNCTION_HEALTH)
		call->transfer.response.body.maximum = LIMIT_HEALTH_RESPONSE_BYTES;
	if (is_unwanted(call))
		engine_deny(call, "held", "nobody waits for it any more");
	else if (call->before_sending != NULL)
		call->before_sending(call);
	else if (outgoing_may_cost(&call->call.outgoing))
		engine_deny(call, "held", "only a job may send what may cost something");
	else
		engine_send(call);
}

/* ---- fetches: requests of the host itself ---- */

static void fetch_done(struct transfer *transfer)
{
	struct engine_fetch *fetch = (struct engine_fetch *)(void *)((char *)transfer - offsetof(struct engine_fetch, transfer));

	fetch->done(fetch);
}

static void start_fetch(struct engine_note *note)
{
	struct engine_fetch *fetch = (struct engine_fetch *)(void *)((char *)note - offsetof(struct engine_fetch, note));
	struct transfer *transfer = &fetch->transfer;

	response_init(&transfer->response);
	if (fetch->engine->finishing || !have_transfers(fetch->engine)) {
		response_fail(&transfer->response, "connect", "the host is stopping, or out of memory");
		fetch->done(fetch);
		return;
	}
	transfer->outgoing = &fetch->outgoing;
	aim_transfer(transfer, &fetch->way, fetch->provider);
	transfer->done = fetch_done;
	transfers_start(fetch->engine->transfers, transfer);
}

/* The call has run as far as it can: it waits for an answer, or it is done. */
static void settle_call(struct engine *engine, struct engine_call *call)
{
	if (call->call.outcome == CALL_WAITING)
		send_request(engine, call);
	else
		call->done(call);
}

/* One whose answer is unknown stays so, whatever comes after it; and after one that was answered there is no "nothing was sent": the whole call would be
 * made again, and the first request with it. What became of such a call the script says. */
static void note_sending(struct engine_call *call)
{
	const struct response *response = &call->transfer.response;

	if (!outgoing_may_cost(&call->call.outgoing))
		return;
	if (!response_was_never_sent(response) && !response_puts_off(response))
		call->taken++;
	if (call->sending == SENDING_UNKNOWN)
		return;
	if (call->sending == SENDING_ANSWERED && response_was_never_sent(response))
		return;
	call->failure[0] = '\0';
	call->sending = SENDING_ANSWERED;
	if (!response->failed)
		return;
	memcpy(call->failure, response->kind, sizeof call->failure);
	call->sending = response_was_never_sent(response) ? SENDING_NOTHING : SENDING_UNKNOWN;
}

/* One that was denied never left. */
static void note_answer(struct engine *engine, struct engine_call *call)
{
	if (call->sent_ns != 0)
		figures_note_answer(&engine->figures, call->call.provider->manifest.id, &call->transfer.response,
			(clock_monotonic_ns() - call->sent_ns) / 1000);
	call->sent_ns = 0;
}

/* Goes on with a call whose answer has come. Never from inside curl (tech 2.1). */
static void run_answered(struct engine *engine, struct engine_call *call)
{
	note_sending(call);
	note_answer(engine, call);
	response_restore(&call->transfer.response, &call->way.detour);
	if (is_unwanted(call))
		script_call_abandon(&call->call);
	else
		script_call_resume(&call->call, &call->transfer.response);
	response_clear(&call->transfer.response);
}

/* ---- the loop ---- */

static void run_call(struct engine *engine, struct engine_call *call, enum run_kind kind)
{
	if (kind == RUN_ANSWERED)
		run_answered(engine, call);
	else if (is_unwanted(call))
		script_call_abandon(&call->call);
	else if (kind == RUN_PAUSED)
		script_call_continue(&call->call);
	else
		script_call_run(&call->call);
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
static void note_hold(struct engine *engine, struct script_line *line, int64_t cpu_ns, int64_t now_ns)
{
	int64_t pause = cpu_ns * LIMIT_ENGINE_HOLD_TIMES;

	if (cpu_ns < LIMIT_ENGINE_HOLD_MS * 1000000LL || !others_wait(engine, now_ns))
		return;
	if (pause > LIMIT_ENGINE_HOLD_PAUSE_MS * 1000000LL)
		pause = LIMIT_ENGINE_HOLD_PAUSE_MS * 1000000LL;
	pthread_mutex_lock(&engine->lock);
	line->not_before_ns = now_ns + pause;
	pthread_mutex_unlock(&engine->lock);
}

static int64_t usual_ns(const struct provider *provider)
{
	return atomic_load_explicit(&provider->line.usual_ns, memory_order_relaxed);
}

/* Runs a call as far as it goes. Returns the time at its end. */
static int64_t run_timed(struct engine *engine, struct engine_call *call, enum run_kind kind, int64_t began_ns)
{
	struct provider *provider = call->call.provider;
	int64_t spent_ns = call->call.spent.cpu_ns, usual = usual_ns(provider);
	int64_t cpu_ns = usual > BATCH_NS ? clock_thread_cpu_ns() : 0, now_ns, took_ns;

	pulse_enter(engine->pulse, provider->file, manifest_function_name(call->call.function), provider->digest);
	run_call(engine, call, kind);
	pulse_leave(engine->pulse);
	now_ns = clock_monotonic_ns();
	took_ns = now_ns - began_ns;
	call->ran_ns += took_ns;
	note_turn(engine, provider, now_ns);
	if (took_ns >= LIMIT_ENGINE_HOLD_MS * 1000000LL) /* a busy machine may have taken a part of it */
		note_hold(engine, &provider->line,
			cpu_ns != 0			    ? clock_thread_cpu_ns() - cpu_ns
			: call->call.outcome == CALL_PAUSED ? call->call.spent.cpu_ns - spent_ns
							    : took_ns,
			now_ns);
	if (call->call.outcome == CALL_PAUSED)
		enqueue(engine, call, RUN_PAUSED);
	else
		atomic_store_explicit(&provider->line.usual_ns, usual + (call->ran_ns - usual) / 4, memory_order_relaxed);
	return now_ns;
}

static void settle_calls(struct engine *engine, struct engine_call **calls)
{
	struct engine_call *call = *calls, *next;

	*calls = NULL;
	for (; call != NULL; call = next) {
		next = call->next; /* after done() the call is not ours */
		settle_call(engine, call);
	}
}

static struct engine_call *take_call(struct engine *engine, int64_t now_ns, enum run_kind *kind)
{
	struct engine_call *call;

	pthread_mutex_lock(&engine->lock);
	call = run_queue_take(&engine->queue, now_ns, kind);
	pthread_mutex_unlock(&engine->lock);
	return call;
}

/* Runs a batch, then tells of all of it: who waits behind a call (the store) is woken once and finds the whole batch, so it commits in groups
 * when the engine is busy. Nobody in it waits for a call that may take long. False: there was nothing to run. */
static bool run_batch(struct engine *engine, bool all)
{
	int64_t began_ns = clock_monotonic_ns(), now_ns = began_ns, waited_us = 0;
	struct engine_call *ended = NULL, **last = &ended, *call;
	enum run_kind kind;
	int count = 0, fresh = 0;

	while (count < BATCH && now_ns - began_ns < BATCH_NS &&
		(call = take_call(engine, all ? INT64_MAX : now_ns, &kind)) != NULL) {
		count++;
		if (kind == RUN_FRESH && !call->here && fresh++ == 0)
			waited_us = (now_ns - call->posted_ns) / 1000;
		if (usual_ns(call->call.provider) > BATCH_NS) {
			settle_calls(engine, &ended);
			last = &ended;
		}
		now_ns = run_timed(engine, call, kind, now_ns);
		if (call->call.outcome == CALL_PAUSED)
			continue;
		call->next = NULL;
		*last = call;
		last = &call->next;
	}
	if (fresh > 0) {
		atomic_fetch_sub_explicit(&engine->waiting, (size_t)fresh, memory_order_relaxed);
		figures_note_wait(&engine->figures, fresh, waited_us);
	}
	settle_calls(engine, &ended);
	return count > 0;
}

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

static int wait_ms(const struct engine *engine, int64_t calls_due_ns)
{
	int64_t due_ns = calls_due_ns < engine->due_ns ? calls_due_ns : engine->due_ns;
	int64_t left;

	if (due_ns == INT64_MAX)
		return -1;
	left = due_ns - clock_monotonic_ns();
	return left <= 0 ? 0 : left > 60000000000LL ? 60000 : (int)(left / 1000000 + 1);
}

static void wait_for_events(struct engine *engine, int timeout_ms)
{
	struct epoll_event events[64];
	uint64_t count;
	int ready;

	if (timeout_ms != 0)
		pulse_rest(engine->pulse);
	ready = epoll_wait(engine->epoll, events, 64, timeout_ms);
	pulse_beat(engine->pulse);
	for (int i = 0; i < ready; i++) {
		if (events[i].data.u64 >> 32 == TAG_TRANSFERS)
			transfers_ready(engine->transfers, (int)(uint32_t)events[i].data.u64, events[i].events);
		else if (read(engine->wake, &count, sizeof count) == -1 && errno != EAGAIN)
			log_message(LOG_ERROR, "engine.wake", "cannot read the eventfd: %s", strerror(errno));
	}
	if (engine->transfers != NULL)
		transfers_finish(engine->transfers);
}

static bool has_calls(struct engine *engine)
{
	bool some;

	pthread_mutex_lock(&engine->lock);
	some = run_queue_due(&engine->queue) != INT64_MAX;
	pthread_mutex_unlock(&engine->lock);
	return some;
}

static bool is_busy(struct engine *engine)
{
	return (engine->transfers != NULL && transfers_running(engine->transfers) > 0) || has_calls(engine) ||
	       (engine->busy != NULL && engine->busy(engine->tick_context));
}

/* Notes and calls that wait, and timers that are due: a write that failed is tried again. */
static void run_waiting(struct engine *engine)
{
	bool stopping;

	run_notes(take_mail(engine, false, &stopping).notes);
	run_batch(engine, true);
	run_due(engine);
}

/* Transfers under way may still bring what was paid for: they get some time before the host is gone. What they lead to is finished too, but
 * nothing new begins. */
static void finish(struct engine *engine)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_STOP_TRANSFER_SECONDS * 1000000000LL;

	engine->finishing = true;
	while (is_busy(engine) && clock_monotonic_ns() < deadline) {
		run_waiting(engine);
		if (is_busy(engine))
			wait_for_events(engine, has_calls(engine) ? 0 : 10);
	}
	if (engine->transfers != NULL) {
		transfers_abort(engine->transfers);
		transfers_finish(engine->transfers);
	}
	deadline = clock_monotonic_ns() + LIMIT_STOP_CALLS_MS * 1000000LL;
	do
		run_waiting(engine);
	while (has_calls(engine) && clock_monotonic_ns() < deadline);
}

/* A note that was taken in is run, or what it carries would belong to nobody: the last look and the closing are one step. */
static void close_mailbox(struct engine *engine)
{
	struct engine_note *notes;

	do {
		pthread_mutex_lock(&engine->lock);
		notes = engine->first_note;
		engine->first_note = NULL;
		engine->last_note = &engine->first_note;
		engine->stopped = notes == NULL;
		pthread_mutex_unlock(&engine->lock);
		run_notes(notes);
	} while (notes != NULL);
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;
	bool stopping = false, had_calls = false;
	struct mail mail;

	pthread_setname_np(pthread_self(), "engine");
	pulse_own(engine->pulse);
	while (!stopping) {
		mail = await_mail(engine, had_calls, &stopping);
		if (is_empty(&mail) && !stopping)
			wait_for_events(engine, wait_ms(engine, mail.calls_due_ns));
		else if (engine->transfers != NULL && transfers_running(engine->transfers) > 0)
			wait_for_events(engine, 0);
		run_notes(mail.notes);
		had_calls = run_batch(engine, false);
		run_due(engine);
	}
	finish(engine);
	close_mailbox(engine);
	pulse_rest(engine->pulse);
	return NULL;
}

static void wake_engine(struct engine *engine)
{
	uint64_t one = 1;

	while (write(engine->wake, &one, sizeof one) == -1 && errno == EINTR)
		;
}

static enum error_code refuse_post(struct engine *engine, enum error_code code)
{
	atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
	return code;
}

/* What is the engine's of a call; calls are used again. */
static void begin_call(struct engine_call *call, bool here)
{
	call->posted_ns = clock_monotonic_ns();
	call->ran_ns = call->sent_ns = 0;
	call->here = here;
	call->sending = SENDING_NOTHING;
	call->taken = 0;
	call->denied = false;
	call->failure[0] = '\0';
}

enum error_code engine_post(struct engine *engine, struct engine_call *call)
{
	bool wake, closed, full;

	if (atomic_fetch_add_explicit(&engine->waiting, 1, memory_order_relaxed) >= LIMIT_ENGINE_QUEUE)
		return refuse_post(engine, ERROR_BUSY);
	begin_call(call, false);
	pthread_mutex_lock(&engine->lock);
	closed = engine->stopping;
	full = call->call.provider->line.fresh_count >= LIMIT_SCRIPT_QUEUE;
	wake = engine->asleep && !closed && !full;
	if (!closed && !full) {
		engine->asleep = false;
		run_queue_add(&engine->queue, call, RUN_FRESH);
	}
	pthread_mutex_unlock(&engine->lock);
	if (closed || full)
		return refuse_post(engine, closed ? ERROR_BUSY : ERROR_LIMIT);
	if (wake)
		wake_engine(engine);
	return ERROR_NONE;
}

bool engine_withdraw(struct engine *engine, struct engine_call *call)
{
	bool taken;

	pthread_mutex_lock(&engine->lock);
	taken = run_queue_withdraw(&engine->queue, call);
	pthread_mutex_unlock(&engine->lock);
	if (taken)
		atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
	return taken;
}

int engine_wait_seconds(struct engine *engine, const struct provider *provider)
{
	const struct script_line *line = &provider->line;
	int64_t wait, pause;

	pthread_mutex_lock(&engine->lock);
	wait = line->fresh_count * usual_ns(provider);
	pause = line->not_before_ns - clock_monotonic_ns();
	pthread_mutex_unlock(&engine->lock);
	wait = (wait + (pause > 0 ? pause : 0)) / 1000000000 + 1;
	return wait < LIMIT_RETRY_AFTER_SECONDS ? (int)wait : LIMIT_RETRY_AFTER_SECONDS;
}

enum error_code engine_run(struct engine *engine, struct engine_note *note)
{
	bool wake, closed;

	note->next = NULL;
	pthread_mutex_lock(&engine->lock);
	closed = engine->stopped;
	wake = engine->asleep;
	engine->asleep = false;
	if (!closed) {
		*engine->last_note = note;
		engine->last_note = &note->next;
		atomic_store_explicit(&engine->noted, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&engine->lock);
	if (wake)
		wake_engine(engine);
	return closed ? ERROR_BUSY : ERROR_NONE;
}

enum error_code engine_fetch(struct engine *engine, struct engine_fetch *fetch)
{
	fetch->engine = engine;
	fetch->note.run = start_fetch;
	return engine_run(engine, &fetch->note);
}

void engine_set_clock(
	struct engine *engine, int64_t (*tick)(void *context, int64_t now_ns), bool (*busy)(void *context), void *context)
{
	engine->tick = tick;
	engine->busy = busy;
	engine->tick_context = context;
}

void engine_post_here(struct engine *engine, struct engine_call *call)
{
	begin_call(call, true);
	enqueue(engine, call, RUN_FRESH);
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
	return atomic_load_explicit(&engine->waiting, memory_order_relaxed);
}

static int start_thread(struct engine *engine)
{
	pthread_attr_t attributes;
	int failed;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failed = pthread_create(&engine->thread, &attributes, engine_main, engine);
	pthread_attr_destroy(&attributes);
	return failed;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	transfers_close(engine->transfers);
	if (engine->epoll != -1)
		close(engine->epoll);
	if (engine->wake != -1)
		close(engine->wake);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

enum error_code engine_start(struct pulse *pulse, struct engine **engine, struct error *error)
{
	struct engine *made = calloc(1, sizeof *made);
	struct epoll_event event = { .events = EPOLLIN };

	if (made == NULL)
		return error_memory(error);
	made->pulse = pulse;
	pthread_mutex_init(&made->lock, NULL);
	run_queue_init(&made->queue);
	made->last_note = &made->first_note;
	made->due_ns = INT64_MAX;
	made->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	made->epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.u64 = (uint64_t)TAG_WAKE << 32 | (uint32_t)made->wake;
	if (made->wake == -1 || made->epoll == -1 || epoll_ctl(made->epoll, EPOLL_CTL_ADD, made->wake, &event) == -1 ||
		start_thread(made) != 0) {
		engine_free(made);
		return error_set(error, ERROR_IO, NULL, "cannot start the engine: %s", strerror(errno));
	}
	*engine = made;
	return ERROR_NONE;
}

void engine_stop(struct engine *engine)
{
	if (engine == NULL)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->stopping = true;
	pthread_mutex_unlock(&engine->lock);
	wake_engine(engine);
	pthread_join(engine->thread, NULL);
}
