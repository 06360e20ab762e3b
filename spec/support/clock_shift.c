/* clock_shift.c - LD_PRELOAD for a host under test: its wall clock is ahead by the seconds that the file $CLOCK_SHIFT names holds, its monotonic
 * clock by those of $CLOCK_SHIFT_MONOTONIC. Without a name a clock is right. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WALL_SECONDS 1000000000 /* later times are the wall clock's: no machine has run for so long */

static long shift(const char *name)
{
	const char *path = getenv(name);
	FILE *file = path != NULL ? fopen(path, "r") : NULL;
	long seconds = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	fclose(file);
	return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, now);
	if (result == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += shift("CLOCK_SHIFT");
	if (result == 0 && clock == CLOCK_MONOTONIC)
		now->tv_sec += shift("CLOCK_SHIFT_MONOTONIC");
	return result;
}

/* The kernel waits by the right clock: what was reckoned from the shifted one would come late. */
static struct timespec right(const struct timespec *until)
{
	struct timespec time = *until;

	if (time.tv_sec < WALL_SECONDS)
		time.tv_sec -= shift("CLOCK_SHIFT_MONOTONIC");
	if (time.tv_sec < 0)
		time.tv_sec = 0;
	return time;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock, const struct timespec *until)
{
	static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec time = right(until);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	return real(condition, lock, &time);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
	static int (*real)(sem_t *, clockid_t, const struct timespec *);
	struct timespec time = right(until);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "sem_clockwait");
	return real(semaphore, clock, &time);
}
