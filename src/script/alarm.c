/* alarm.c - a timer for each thread that runs scripts and is sent no ticks, never stopped: it only ticks while the thread computes.
 *
 * Owns SIGUSR2, which goes to the thread that it is for. The handler reads a clock and calls lua_sethook(), the one function
 * of Lua that may be called at any moment; it allocates nothing and raises nothing. */
#include "script/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/sanitizer.h"
#include "script/state.h"

#define TICK_NS (LIMIT_SCRIPT_SLICE_MS * 1000000L) /* CPU time between two looks */

/* ThreadSanitizer holds a signal back until the next call that it intercepts; a loop in Lua makes none. */
#define TICKS_WAIT THREAD_SANITIZER

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static _Thread_local struct script_state *volatile watched;
static _Thread_local enum { TIMER_NONE = 0, TIMER_TICKS, TIMER_ANOTHER, TIMER_FAILED } timer_state;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;

static void on_tick(int number)
{
	struct script_state *state = watched;
	int kept = errno;

	(void)number;
	/* another thread counts time that passes: how much of it was computed is not known, perhaps next to nothing */
	if (state != NULL)
		script_tick(state, timer_state == TIMER_ANOTHER ? 0 : TICK_NS);
	errno = kept;
}

static void set_handler(void)
{
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(ALARM_SIGNAL, &action, NULL);
}

static void start_ticking(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ALARM_SIGNAL };
	struct itimerspec tick = { .it_interval = { .tv_nsec = TICK_NS }, .it_value = { .tv_nsec = TICK_NS } };
	timer_t timer;

	pthread_once(&handler_once, set_handler);
	event.sigev_notify_thread_id = gettid();
	timer_state = TIMER_TICKS;
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0 && timer_settime(timer, 0, &tick, NULL) == 0)
		return;
	timer_state = TIMER_FAILED;
	log_message(LOG_WARN, "script.alarm", "no timer for scripts: errno %d", errno);
}

void script_alarm_take_ticks(void)
{
	sigset_t signals;

	pthread_once(&handler_once, set_handler);
	sigemptyset(&signals);
	sigaddset(&signals, ALARM_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	timer_state = TIMER_ANOTHER;
}

bool script_alarm_watch(struct script_state *state)
{
	if (timer_state == TIMER_NONE && state != NULL)
		start_ticking();
	watched = state;
	return (timer_state == TIMER_TICKS || timer_state == TIMER_ANOTHER) && !TICKS_WAIT;
}
