/* clock.c - reads the clocks. Any thread. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_unix_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

size_t clock_format(int64_t unix_ms, char *text)
{
	/* the thread's newest second: times are written line by line, row by row, and rarely differ in it */
	static _Thread_local time_t last = -1;
	static _Thread_local char last_text[CLOCK_TEXT_BYTES];
	static _Thread_local size_t last_length;
	time_t seconds = (time_t)(unix_ms / 1000);
	unsigned ms = (unsigned)(unix_ms % 1000);
	struct tm parts;

	if (seconds != last) {
		gmtime_r(&seconds, &parts);
		last_length = strftime(last_text, sizeof last_text - sizeof ".000Z", "%Y-%m-%dT%H:%M:%S", &parts);
		last = seconds;
	}
	memcpy(text, last_text, last_length);
	memcpy(text + last_length,
		(char[]){ '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '\0' }, 6);
	return last_length + 5;
}
