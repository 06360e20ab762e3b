/* clock.c - reads the clocks. Any thread. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t ahead_ms; /* of this machine's clock: the registry's */

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_unix_ms(void)
{
	return clock_machine_ms() + atomic_load_explicit(&ahead_ms, memory_order_relaxed);
}

int64_t clock_machine_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

void clock_follow(int64_t ms)
{
	atomic_store_explicit(&ahead_ms, ms, memory_order_relaxed);
}

int64_t clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static char *write_digits(char *to, unsigned value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + digits;
}

/* Days since 1970 as year, month and day: years are counted from March, so that a leap day is the last of one, in eras of 400
 * years. */
static char *write_date(char *to, unsigned days)
{
	unsigned era_day, year_of_era, day_of_year, month;

	days += 719468; /* since 0000-03-01 */
	era_day = days % 146097;
	year_of_era = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153; /* 0 is March */
	to = write_digits(to, year_of_era + days / 146097 * 400 + (month >= 10), 4);
	*to++ = '-';
	to = write_digits(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	return write_digits(to, day_of_year - (153 * month + 2) / 5 + 1, 2);
}

/* By hand: it is done for every line of the log and every row of a list. Nothing is remembered in a _Thread_local: with 512
 * threads, the page that one of those took of each stack was 2 MiB. */
size_t clock_format(int64_t unix_ms, char *text)
{
	uint64_t ms = unix_ms > 0 ? (uint64_t)unix_ms % 253402300800000 : 0; /* years 1970 to 9999 */
	unsigned second = (unsigned)(ms / 1000 % 86400);
	char *to = write_date(text, (unsigned)(ms / 86400000));

	*to++ = 'T';
	to = write_digits(to, second / 3600, 2);
	*to++ = ':';
	to = write_digits(to, second / 60 % 60, 2);
	*to++ = ':';
	to = write_digits(to, second % 60, 2);
	*to++ = '.';
	to = write_digits(to, (unsigned)(ms % 1000), 3);
	*to++ = 'Z';
	*to = '\0';
	return (size_t)(to - text);
}
