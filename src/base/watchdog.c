/* watchdog.c - a thread that looks at the pulses of others, and ends the process when one stands still.
 *
 * Only what is meant counts as a standstill: a look counts against a thread when the watchdog itself was on time, so a machine that was
 * suspended, or gives nobody its core, ends nothing; and when the thread used the processor, or slept, in between. Reading what a disk is slow
 * to give does not count. */
#include "base/watchdog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/sanitizer.h"
#include "base/test_setting.h"
#include "base/thread.h"

#define LOOKS 8	       /* in a row that find a thread where it was */
#define WORRIES 3      /* looks after which it is told of */
#define LAST_WORDS_S 3 /* for `stopped` */
#define BUSY_SHARE 5   /* a thread that had less than this part of a processor was not let work */

/* Code under a sanitizer is several times as slow. */
#define SLOWNESS (ADDRESS_SANITIZER || THREAD_SANITIZER ? 4 : 1)

struct pulse {
	const char *name;
	struct watchdog *watchdog;
	struct pulse *next;   /* under the watchdog's lock */
	pthread_mutex_t lock; /* guards what follows */
	bool owned, works;
	pid_t task;
	clockid_t cpu;
	uint64_t beats;
	const char *file, *step; /* of the script that it stands in; NULL: in none */
	uint64_t digest;
	int64_t since_ns; /* where it stands, as far as the watchdog has seen */

	/* the watchdog's thread's */
	uint64_t seen;
	int64_t first_cpu_ns, last_cpu_ns; /* when it was seen here first, and at the last look */
	int busy_looks, sleepy_looks;
};

struct watchdog {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stopping;
	int64_t end_at_ns; /* 0: never */
	struct pulse *pulses;

	void (*stopped)(void *context, const struct standstill *standstill);
	void *context;
	int64_t look_ns; /* between two looks */
};

/* ---- the threads that are watched ---- */

struct pulse *watchdog_pulse(struct watchdog *watchdog, const char *name)
{
	struct pulse *pulse;

	if (watchdog == NULL)
		return NULL;
	pulse = memory_new(sizeof *pulse);
	pulse->name = name;
	pulse->watchdog = watchdog;
	pthread_mutex_init(&pulse->lock, NULL);
	pthread_mutex_lock(&watchdog->lock);
	pulse->next = watchdog->pulses;
	watchdog->pulses = pulse;
	pthread_mutex_unlock(&watchdog->lock);
	return pulse;
}

void pulse_free(struct pulse *pulse)
{
	struct pulse **link;

	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->watchdog->lock);
	for (link = &pulse->watchdog->pulses; *link != pulse; link = &(*link)->next)
		;
	*link = pulse->next;
	pthread_mutex_unlock(&pulse->watchdog->lock);
	pthread_mutex_destroy(&pulse->lock);
	free(pulse);
}

void pulse_own(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	pulse->owned = pthread_getcpuclockid(pthread_self(), &pulse->cpu) == 0;
	pulse->task = gettid();
	pulse->works = true;
	pulse->beats++;
	pthread_mutex_unlock(&pulse->lock);
}

static void set_works(struct pulse *pulse, bool works)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	pulse->works = works;
	pulse->beats++;
	pthread_mutex_unlock(&pulse->lock);
}

void pulse_beat(struct pulse *pulse)
{
	set_works(pulse, true);
}

void pulse_rest(struct pulse *pulse)
{
	set_works(pulse, false);
}

/* Under the lock. */
static void stand_in(struct pulse *pulse, const char *file, const char *step, uint64_t digest)
{
	pulse->beats++;
	pulse->file = file;
	pulse->step = step;
	pulse->digest = digest;
}

void pulse_enter(struct pulse *pulse, const char *file, const char *step, uint64_t digest)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	stand_in(pulse, file, step, digest);
	pthread_mutex_unlock(&pulse->lock);
}

void pulse_leave(struct pulse *pulse)
{
	pulse_enter(pulse, NULL, NULL, 0);
}

void pulse_lend(struct pulse *pulse, int task, const char *file, const char *step, uint64_t digest)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	pulse->owned = pulse->works = pthread_getcpuclockid(pthread_self(), &pulse->cpu) == 0;
	pulse->task = task;
	stand_in(pulse, file, step, digest);
	pthread_mutex_unlock(&pulse->lock);
}

void pulse_return(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	pulse->works = false;
	stand_in(pulse, NULL, NULL, 0);
	pthread_mutex_unlock(&pulse->lock);
}

/* ---- looking ---- */

static int64_t cpu_of(const struct pulse *pulse)
{
	struct timespec time;

	return clock_gettime(pulse->cpu, &time) == 0 ? time.tv_sec * 1000000000LL + time.tv_nsec : 0;
}

/* The kernel's letter: R runs or would like to, S sleeps, D waits for a disk, T is stopped. */
static char state_of(pid_t task)
{
	char path[64], text[256], state = 'D';
	const char *end;
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)task);
	file = fopen(path, "re");
	if (file == NULL)
		return state;
	if (fgets(text, sizeof text, file) != NULL && (end = strrchr(text, ')')) != NULL && end[1] == ' ')
		state = end[2];
	fclose(file);
	return state;
}

static void start_over(struct pulse *pulse, uint64_t beats, int64_t now_ns)
{
	pulse->seen = beats;
	pulse->since_ns = now_ns;
	pulse->busy_looks = pulse->sleepy_looks = 0;
	pulse->first_cpu_ns = pulse->last_cpu_ns = cpu_of(pulse);
}

/* Counts this look. True: it stands still. */
static bool look_closer(const struct watchdog *watchdog, struct pulse *pulse)
{
	int64_t cpu_ns = cpu_of(pulse);

	if ((cpu_ns - pulse->last_cpu_ns) * BUSY_SHARE >= watchdog->look_ns)
		pulse->busy_looks++;
	else if (state_of(pulse->task) == 'S')
		pulse->sleepy_looks++;
	pulse->last_cpu_ns = cpu_ns;
	return pulse->sleepy_looks >= LOOKS ||
	       (pulse->busy_looks >= LOOKS && cpu_ns - pulse->first_cpu_ns >= watchdog->look_ns * LOOKS / 2);
}

static void copy_text(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static void copy_place(const struct pulse *pulse, struct standstill *where)
{
	where->thread = pulse->name;
	copy_text(where->file, pulse->file, sizeof where->file);
	copy_text(where->step, pulse->step, sizeof where->step);
	where->digest = pulse->digest;
}

/* Looks at one thread. True: it stands still, where `where` says. */
static bool look_at(const struct watchdog *watchdog, struct pulse *pulse, bool on_time, int64_t now_ns, struct standstill *where)
{
	bool still = false;

	pthread_mutex_lock(&pulse->lock);
	if (!pulse->owned || !pulse->works || pulse->beats != pulse->seen || !on_time) {
		start_over(pulse, pulse->beats, now_ns);
	} else if (look_closer(watchdog, pulse)) {
		still = true;
		copy_place(pulse, where);
		where->seconds = (now_ns - pulse->since_ns) / 1000000000;
	}
	pthread_mutex_unlock(&pulse->lock);
	return still;
}

bool watchdog_problem(struct watchdog *watchdog, char *text, size_t size)
{
	int64_t now_ns = clock_monotonic_ns(), still_ns;
	bool found = false;

	pthread_mutex_lock(&watchdog->lock);
	for (struct pulse *pulse = watchdog->pulses; pulse != NULL && !found; pulse = pulse->next) {
		pthread_mutex_lock(&pulse->lock);
		still_ns = pulse->owned && pulse->works && pulse->beats == pulse->seen ? now_ns - pulse->since_ns : 0;
		found = still_ns > watchdog->look_ns * WORRIES;
		if (found)
			snprintf(text, size, "the %s has not come back for %lld s%s%s%s%s", pulse->name,
				(long long)(still_ns / 1000000000), pulse->file != NULL ? " from " : "",
				pulse->file != NULL ? pulse->file : "", pulse->file != NULL ? ", " : "",
				pulse->file != NULL ? pulse->step : "");
		pthread_mutex_unlock(&pulse->lock);
	}
	pthread_mutex_unlock(&watchdog->lock);
	return found;
}

/* ---- the end ---- */

void standstill_write(const struct standstill *where, char text[STANDSTILL_TEXT_BYTES])
{
	bool in_script = where->file[0] != '\0';

	if (where->thread == NULL)
		snprintf(text, STANDSTILL_TEXT_BYTES, "the host did not stop in time: the process ends");
	else
		snprintf(text, STANDSTILL_TEXT_BYTES, "the %s has not come back%s%s%s%s for %lld s: the process ends",
			where->thread, in_script ? " from " : "", where->file, in_script ? ", " : "", where->step,
			(long long)where->seconds);
}

/* `stopped` may meet what stands still: it has its time, and no more. */
static _Noreturn void end_process(const struct watchdog *watchdog, const struct standstill *where)
{
	char text[STANDSTILL_TEXT_BYTES];

	standstill_write(where, text);
	dprintf(STDERR_FILENO, "providerd: %s\n", text);
	alarm(LAST_WORDS_S);
	watchdog->stopped(watchdog->context, where);
	_exit(WATCHDOG_EXIT);
}

static void watchdog_look(struct watchdog *watchdog, bool on_time, int64_t now_ns)
{
	struct standstill where = { .thread = NULL };

	if (watchdog->end_at_ns != 0 && now_ns >= watchdog->end_at_ns)
		end_process(watchdog, &where);
	for (struct pulse *pulse = watchdog->pulses; pulse != NULL; pulse = pulse->next)
		if (look_at(watchdog, pulse, on_time, now_ns, &where))
			end_process(watchdog, &where);
}

static void *watchdog_main(void *argument)
{
	struct watchdog *watchdog = argument;
	int64_t last_ns = clock_monotonic_ns(), now_ns, until_ns;
	struct timespec until;

	pthread_mutex_lock(&watchdog->lock);
	while (!watchdog->stopping) {
		until_ns = last_ns + watchdog->look_ns;
		until = (struct timespec){ .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };
		while (!watchdog->stopping && pthread_cond_timedwait(&watchdog->wake, &watchdog->lock, &until) == 0)
			;
		now_ns = clock_monotonic_ns();
		if (!watchdog->stopping)
			watchdog_look(watchdog, now_ns - last_ns < 2 * watchdog->look_ns, now_ns);
		last_ns = now_ns;
	}
	pthread_mutex_unlock(&watchdog->lock);
	return NULL;
}

void watchdog_end_at(struct watchdog *watchdog, int64_t deadline_ns)
{
	if (watchdog == NULL)
		return;
	pthread_mutex_lock(&watchdog->lock);
	watchdog->end_at_ns = deadline_ns;
	pthread_mutex_unlock(&watchdog->lock);
}

enum error_code watchdog_start(void (*stopped)(void *context, const struct standstill *standstill), void *context,
	struct watchdog **watchdog, struct error *error)
{
	struct watchdog *made = memory_new(sizeof *made);

	made->stopped = stopped;
	made->context = context;
	made->look_ns = test_setting(TEST_WATCHDOG_MS, LIMIT_WATCHDOG_MS * SLOWNESS) * 1000000 / LOOKS;
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->wake);
	if (thread_start(&made->thread, "watchdog", 0, watchdog_main, made, error) != ERROR_NONE) {
		free(made);
		return ERROR_IO;
	}
	*watchdog = made;
	return ERROR_NONE;
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	pthread_mutex_lock(&watchdog->lock);
	watchdog->stopping = true;
	pthread_cond_signal(&watchdog->wake);
	pthread_mutex_unlock(&watchdog->lock);
	pthread_join(watchdog->thread, NULL);
	while (watchdog->pulses != NULL)
		pulse_free(watchdog->pulses);
	pthread_cond_destroy(&watchdog->wake);
	pthread_mutex_destroy(&watchdog->lock);
	free(watchdog);
}
