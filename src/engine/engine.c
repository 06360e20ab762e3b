/* engine.c - mailbox, loop and lifecycle of one engine.
 *
 * Owns every lua_State while its provider is in use. Runs on its own thread. The mailbox is a list under a mutex that is held
 * for a few instructions; the eventfd is written only when the list was empty. Transfers and timers join the same epoll loop. */
#include "engine/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"

#define STACK_BYTES (2 * 1024 * 1024)
#define BATCH 16

struct engine {
	pthread_t thread;
	pthread_mutex_t lock;
	struct engine_call *first; /* under lock */
	struct engine_call **last; /* under lock */
	bool stopping;             /* under lock */
	_Atomic size_t waiting;
	int epoll;
	int wake;
};

static struct engine_call *take_mail(struct engine *engine, bool *stopping)
{
	struct engine_call *mail;

	pthread_mutex_lock(&engine->lock);
	mail = engine->first;
	engine->first = NULL;
	engine->last = &engine->first;
	*stopping = engine->stopping;
	pthread_mutex_unlock(&engine->lock);
	return mail;
}

/* Runs a batch, then tells of all of it: who waits behind a call (the store) is woken once and finds the whole batch, so it commits in groups
 * when the engine is busy. */
static struct engine_call *run_batch(struct engine *engine, struct engine_call *mail)
{
	struct engine_call *call = mail, *next;
	int count = 0;

	for (; call != NULL && count < BATCH; call = call->next, count++)
		script_call_run(&call->call);
	atomic_fetch_sub_explicit(&engine->waiting, (size_t)count, memory_order_relaxed);
	for (; mail != call; mail = next) {
		next = mail->next; /* after done() the call is not ours */
		mail->done(mail);
	}
	return call;
}

static void run_mail(struct engine *engine, struct engine_call *mail)
{
	while (mail != NULL)
		mail = run_batch(engine, mail);
}

static void wait_for_mail(struct engine *engine)
{
	struct epoll_event events[8];
	uint64_t count;
	int ready = epoll_wait(engine->epoll, events, 8, -1);

	for (int i = 0; i < ready; i++) {
		if (events[i].data.fd == engine->wake && read(engine->wake, &count, sizeof count) == -1 && errno != EAGAIN)
			log_message(LOG_ERROR, "engine.wake", "cannot read the eventfd: %s", strerror(errno));
	}
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;
	struct engine_call *mail;
	bool stopping = false;

	pthread_setname_np(pthread_self(), "engine");
	while (!stopping) {
		mail = take_mail(engine, &stopping);
		if (mail == NULL && !stopping)
			wait_for_mail(engine);
		run_mail(engine, mail);
	}
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
	bool was_empty, closed;

	if (atomic_fetch_add_explicit(&engine->waiting, 1, memory_order_relaxed) >= LIMIT_ENGINE_QUEUE) {
		atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	call->next = NULL;
	pthread_mutex_lock(&engine->lock);
	closed = engine->stopping;
	was_empty = engine->first == NULL;
	if (!closed) {
		*engine->last = call;
		engine->last = &call->next;
	}
	pthread_mutex_unlock(&engine->lock);
	if (closed) {
		atomic_fetch_sub_explicit(&engine->waiting, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	if (was_empty)
		wake_engine(engine);
	return ERROR_NONE;
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

static void engine_free(struct engine *engine)
{
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
	made->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	made->epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = made->wake;
	if (made->wake == -1 || made->epoll == -1 || epoll_ctl(made->epoll, EPOLL_CTL_ADD, made->wake, &event) == -1 || start_thread(made) != 0) {
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
	engine_free(engine);
}
