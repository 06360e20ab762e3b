/* instance_watch.c - the thread "instances": every LIMIT_SCRIPT_SLICE_MS it signals the threads whose call takes long. It sleeps while there is none.
 *
 * A signal must not come when the call has ended, or it would interrupt what the thread does then. So a call that is late says its end under the lock under which
 * signals are sent, and lets one that is on its way arrive. */
#include "script/instance_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"
#include "script/alarm.h"

#define TICK_NS (LIMIT_SCRIPT_SLICE_MS * 1000000LL)
#define IDLE_LOOKS 50 /* that find nothing, before it sleeps until it is woken */

struct instance_watch {
	pthread_t thread;
	struct watchdog *watchdog;
	_Atomic size_t waiting, memory;
	_Atomic bool asleep;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stopping;
	struct watched *first;
};

static _Thread_local int own_task; /* gettid() */

/* ---- the thread ---- */

/* Under the lock. True: something runs. */
static bool look_at_all(struct instance_watch *watch)
{
	int64_t now_ns = clock_monotonic_ns(), since_ns;
	bool busy = false;

	for (struct watched *watched = watch->first; watched != NULL; watched = watched->next) {
		since_ns = atomic_load(&watched->since_ns);
		if (since_ns == 0)
			continue;
		busy = true;
		if (since_ns != WATCHED_LATE &&
			(now_ns - since_ns < TICK_NS ||
				!atomic_compare_exchange_strong(&watched->since_ns, &since_ns, WATCHED_LATE)))
			continue;
		pthread_kill(watched->thread, ALARM_SIGNAL);
	}
	return busy;
}

/* Under the lock. Who begins a call says so first, then looks whether the thread sleeps: one of the two sees the other. */
static void sleep_until_wanted(struct instance_watch *watch)
{
	atomic_store(&watch->asleep, true);
	while (!watch->stopping && atomic_load(&watch->asleep) && !look_at_all(watch))
		pthread_cond_wait(&watch->wake, &watch->lock);
	atomic_store(&watch->asleep, false);
}

static void sleep_for_a_tick(struct instance_watch *watch)
{
	int64_t until_ns = clock_monotonic_ns() + TICK_NS;
	struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };

	while (!watch->stopping && pthread_cond_timedwait(&watch->wake, &watch->lock, &until) == 0)
		;
}

static void *watch_main(void *argument)
{
	struct instance_watch *watch = argument;
	int idle = 0;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stopping) {
		idle = look_at_all(watch) ? 0 : idle + 1;
		if (idle < IDLE_LOOKS)
			sleep_for_a_tick(watch);
		else
			sleep_until_wanted(watch);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

static void wake_watch(struct instance_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	atomic_store(&watch->asleep, false);
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
}

enum error_code instance_watch_start(struct watchdog *watchdog, struct instance_watch **watch, struct error *error)
{
	struct instance_watch *made = memory_new(sizeof *made);

	made->watchdog = watchdog;
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->wake);
	if (thread_start(&made->thread, "instances", 0, watch_main, made, error) != ERROR_NONE) {
		free(made);
		return ERROR_IO;
	}
	*watch = made;
	return ERROR_NONE;
}

void instance_watch_stop(struct instance_watch *watch)
{
	if (watch == NULL)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

/* ---- what is watched ---- */

void watched_open(struct watched *watched, struct instance_watch *watch)
{
	watched->watch = watch;
	if (watch == NULL)
		return;
	watched->pulse = watchdog_pulse(watch->watchdog, "request");
	pthread_mutex_lock(&watch->lock);
	watched->next = watch->first;
	watch->first = watched;
	pthread_mutex_unlock(&watch->lock);
}

void watched_close(struct watched *watched)
{
	struct watched **link;

	if (watched->watch == NULL)
		return;
	pthread_mutex_lock(&watched->watch->lock);
	for (link = &watched->watch->first; *link != watched; link = &(*link)->next)
		;
	*link = watched->next;
	pthread_mutex_unlock(&watched->watch->lock);
	pulse_free(watched->pulse);
}

int64_t watched_begin(struct watched *watched, const char *file, const char *step, uint64_t digest)
{
	int64_t now_ns = clock_monotonic_ns();

	if (watched->watch == NULL)
		return now_ns;
	if (own_task == 0) {
		own_task = gettid();
		script_alarm_take_ticks();
	}
	pulse_lend(watched->pulse, own_task, file, step, digest);
	watched->thread = pthread_self();
	atomic_store(&watched->since_ns, now_ns);
	if (atomic_load(&watched->watch->asleep))
		wake_watch(watched->watch);
	return now_ns;
}

void watched_end(struct watched *watched)
{
	if (watched->watch == NULL)
		return;
	pulse_return(watched->pulse);
	if (atomic_exchange(&watched->since_ns, 0) != WATCHED_LATE)
		return;
	pthread_mutex_lock(&watched->watch->lock); /* a signal that is being sent is sent now ... */
	pthread_mutex_unlock(&watched->watch->lock);
	syscall(SYS_getppid); /* ... and comes at the next return from the kernel at the latest */
}

void watched_beat(struct watched *watched)
{
	pulse_beat(watched->pulse);
}

_Atomic size_t *instance_watch_memory(struct instance_watch *watch)
{
	return watch != NULL ? &watch->memory : NULL;
}

size_t instance_watch_waiting(const struct instance_watch *watch)
{
	return watch != NULL ? atomic_load_explicit(&watch->waiting, memory_order_relaxed) : 0;
}

void instance_watch_wait(struct instance_watch *watch, bool begins)
{
	if (watch != NULL)
		atomic_fetch_add_explicit(&watch->waiting, begins ? 1 : (size_t)-1, memory_order_relaxed);
}
