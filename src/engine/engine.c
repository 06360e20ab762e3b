/* engine.c - mailbox, loop and lifecycle of one engine.
 *
 * Owns every lua_State while its provider is in use. Runs on its own thread. The mailbox is a list under a mutex that is held
 * for a few instructions; the eventfd is written only when the list was empty. Transfers join the same epoll loop. */
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

#define STACK_BYTES (2 * 1024 * 1024)
#define BATCH 16
#define LINGER_NS 200000
#define TAG_WAKE 0u
#define TAG_TRANSFERS 1u

struct engine {
	pthread_t thread;
	pthread_mutex_t lock;
	struct engine_call *first;	/* under lock */
	struct engine_call **last;	/* under lock */
	struct engine_note *first_note; /* under lock */
	struct engine_note **last_note; /* under lock */
	bool stopping;			/* under lock */
	bool stopped;			/* under lock: no note is run any more */
	bool asleep;			/* under lock: waits in epoll, or is about to */
	_Atomic size_t waiting;
	_Atomic bool noted; /* a hint that there are notes */
	int epoll;
	int wake;
	struct transfers *transfers;  /* NULL until the first live call */
	struct engine_call *answered; /* calls whose transfer has ended; engine thread only */
	struct engine_call **last_answered;
	struct engine_call *here; /* posted on the engine thread itself */
	struct engine_call **last_here;
	int64_t (*tick)(void *context, int64_t now_ns); /* or NULL */
	bool (*busy)(void *context);			/* or NULL */
	void *tick_context;
	int64_t due_ns; /* when it wants to be called again */
	bool finishing; /* engine thread only */
	struct engine_figures figures;
};

/* What waits in the mailbox. */
struct mail {
	struct engine_call *calls;
	struct engine_note *notes;
};

static bool is_empty(const struct mail *mail)
{
	return mail->calls == NULL && mail->notes == NULL;
}

/* Takes what is there. With nothing there the engine is marked as asleep if it is about to sleep: only then a poster must wake it. */
static struct mail take_mail(struct engine *engine, bool about_to_sleep, bool *stopping)
{
	struct mail mail;

	pthread_mutex_lock(&engine->lock);
	mail.calls = engine->first;
	mail.notes = engine->first_note;
	engine->first = NULL;
	engine->last = &engine->first;
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

/* ---- live calls: send what they ask for, go on when it has come back ---- */

static void transfer_done(struct transfer *transfer)
{
	struct engine_call *call = (struct engine_call *)(void *)((char *)transfer - offsetof(struct engine_call, transfer));
	struct engine *engine = call->engine;

	call->next = NULL;
	*engine->last_answered = call;
	engine->last_answered = &call->next;
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
	transfer->done = transfer_done;
	transfers_start(engine->transfers, transfer);
}

void engine_deny(struct engine_call *call, const char *kind, const char *message)
{
	response_fail(&call->transfer.response, kind, message);
	transfer_done(&call->transfer);
}

static void send_request(struct engine *engine, struct engine_call *call)
{
	call->engine = engine;
	call->sent_ns = 0;
	response_init(&call->transfer.response);
	if (call->before_sending != NULL && outgoing_may_cost(&call->call.outgoing))
		call->before_sending(call);
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

/* One that was lost stays lost, whatever comes after it; and after one that was answered there is no "nothing was sent": the whole call would be
 * made again, and the first request with it. What became of such a call the script says. */
static void note_fate(struct engine_call *call)
{
	const struct response *response = &call->transfer.response;

	if (!outgoing_may_cost(&call->call.outgoing) || call->fate == FATE_LOST)
		return;
	if (call->fate == FATE_ANSWERED && response_was_never_sent(response))
		return;
	call->failure[0] = '\0';
	call->fate = FATE_ANSWERED;
	if (!response->failed)
		return;
	memcpy(call->failure, response->kind, sizeof call->failure);
	call->fate = response_was_never_sent(response) ? FATE_NOTHING_SENT : FATE_LOST;
}

/* One that was denied never left. */
static void note_answer(struct engine *engine, struct engine_call *call)
{
	if (call->sent_ns != 0)
		figures_note_answer(&engine->figures, call->call.provider->manifest.id, &call->transfer.response,
			(clock_monotonic_ns() - call->sent_ns) / 1000);
	call->sent_ns = 0;
}

/* Goes on with every call whose answer has come. Never from inside curl (tech 2.1). */
static void run_answered(struct engine *engine)
{
	struct engine_call *call, *next;

	if (engine->transfers != NULL)
		transfers_finish(engine->transfers);
	call = engine->answered;
	engine->answered = NULL;
	engine->last_answered = &engine->answered;
	for (; call != NULL; call = next) {
		next = call->next;
		note_fate(call);
		note_answer(engine, call);
		response_restore(&call->transfer.response, &call->way.detour);
		script_call_resume(&call->call, &call->transfer.response);
		response_clear(&call->transfer.response);
		settle_call(engine, call);
	}
}

/* ---- the loop ---- */

/* Runs a batch, then tells of all of it: who waits behind a call (the store) is woken once and finds the whole batch, so it commits in groups
 * when the engine is busy. */
static struct engine_call *run_batch(struct engine *engine, struct engine_call *mail)
{
	struct engine_call *call = mail, *next;
	int64_t waited_us = (clock_monotonic_ns() - mail->posted_ns) / 1000;
	int count = 0;

	for (; call != NULL && count < BATCH; call = call->next, count++)
		script_call_run(&call->call);
	atomic_fetch_sub_explicit(&engine->waiting, (size_t)count, memory_order_relaxed);
	figures_note_wait(&engine->figures, count, waited_us);
	for (; mail != call; mail = next) {
		next = mail->next; /* after done() the call is not ours */
		settle_call(engine, mail);
	}
	return call;
}

static void run_notes(struct engine_note *note)
{
	struct engine_note *next;

	for (; note != NULL; note = next) {
		next = note->next; /* after run() the note is not ours */
		note->run(note);
	}
}

static void run_mail(struct engine *engine, struct mail mail)
{
	run_notes(mail.notes);
	while (mail.calls != NULL)
		mail.calls = run_batch(engine, mail.calls);
}

/* Calls that were posted here while others ran. */
static void run_here(struct engine *engine)
{
	struct engine_call *call;

	while ((call = engine->here) != NULL) {
		engine->here = call->next;
		if (engine->here == NULL)
			engine->last_here = &engine->here;
		script_call_run(&call->call);
		settle_call(engine, call);
	}
}

static void run_due(struct engine *engine)
{
	if (engine->tick == NULL)
		return;
	for (;;) {
		engine->due_ns = engine->tick(engine->tick_context, clock_monotonic_ns());
		if (engine->here == NULL)
			return;
		run_here(engine);
	}
}

static int wait_ms(const struct engine *engine)
{
	int64_t left;

	if (engine->answered != NULL)
		return 0;
	if (engine->due_ns == INT64_MAX)
		return -1;
	left = engine->due_ns - clock_monotonic_ns();
	return left <= 0 ? 0 : left > 60000000000LL ? 60000 : (int)(left / 1000000 + 1);
}

static void wait_for_events(struct engine *engine, int timeout_ms)
{
	struct epoll_event events[64];
	uint64_t count;
	int ready = epoll_wait(engine->epoll, events, 64, timeout_ms);

	for (int i = 0; i < ready; i++) {
		if (events[i].data.u64 >> 32 == TAG_TRANSFERS)
			transfers_ready(engine->transfers, (int)(uint32_t)events[i].data.u64, events[i].events);
		else if (read(engine->wake, &count, sizeof count) == -1 && errno != EAGAIN)
			log_message(LOG_ERROR, "engine.wake", "cannot read the eventfd: %s", strerror(errno));
	}
	run_answered(engine);
}

static bool is_busy(struct engine *engine)
{
	return (engine->transfers != NULL && transfers_running(engine->transfers) > 0) || engine->answered != NULL ||
	       (engine->busy != NULL && engine->busy(engine->tick_context));
}

static void run_waiting(struct engine *engine)
{
	bool stopping;

	run_mail(engine, take_mail(engine, false, &stopping));
	run_here(engine);
	run_answered(engine);
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
			wait_for_events(engine, 10);
	}
	if (engine->transfers != NULL)
		transfers_abort(engine->transfers);
	run_answered(engine);
	run_waiting(engine);
}

/* A note that was taken in is run, or what it carries would belong to nobody: the last look and the closing are one step. */
static void close_mailbox(struct engine *engine)
{
	struct mail mail;

	do {
		pthread_mutex_lock(&engine->lock);
		mail = (struct mail){ .notes = engine->first_note };
		engine->first_note = NULL;
		engine->last_note = &engine->first_note;
		engine->stopped = is_empty(&mail);
		pthread_mutex_unlock(&engine->lock);
		run_notes(mail.notes);
	} while (!is_empty(&mail));
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;
	bool stopping = false, had_calls = false;
	struct mail mail;

	pthread_setname_np(pthread_self(), "engine");
	while (!stopping) {
		mail = await_mail(engine, had_calls, &stopping);
		had_calls = mail.calls != NULL;
		if (is_empty(&mail) && !stopping)
			wait_for_events(engine, wait_ms(engine));
		else if (engine->answered != NULL || (engine->transfers != NULL && transfers_running(engine->transfers) > 0))
			wait_for_events(engine, 0);
		run_mail(engine, mail);
		run_due(engine);
	}
	finish(engine);
	close_mailbox(engine);
	return NULL;
}

static void wake_engine(struct engine *engine)
{
	uint64_t one = 1;

	while (write(engine->wake, &one, sizeof one) == -1 && errno == EINTR)
		;
}

enum error_code engine_post(struct engine *engine, struct engine_call *call)
{
	bool wake, closed;

	if (atomic_fetch_add_explicit(&engine->waiting, 1, memory_order_relaxed) >= LIMIT_ENGINE_QUEUE) {
		atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	call->next = NULL;
	call->posted_ns = clock_monotonic_ns();
	pthread_mutex_lock(&engine->lock);
	closed = engine->stopping;
	wake = engine->asleep;
	engine->asleep = false;
	if (!closed) {
		*engine->last = call;
		engine->last = &call->next;
	}
	pthread_mutex_unlock(&engine->lock);
	if (closed) {
		atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	if (wake)
		wake_engine(engine);
	return ERROR_NONE;
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
	call->next = NULL;
	*engine->last_here = call;
	engine->last_here = &call->next;
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

enum error_code engine_start(struct engine **engine, struct error *error)
{
	struct engine *made = calloc(1, sizeof *made);
	struct epoll_event event = { .events = EPOLLIN };

	if (made == NULL)
		return error_memory(error);
	pthread_mutex_init(&made->lock, NULL);
	made->last = &made->first;
	made->last_note = &made->first_note;
	made->last_answered = &made->answered;
	made->last_here = &made->here;
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
