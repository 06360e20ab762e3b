/* clock.h - the clocks, and time as text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_BYTES 32

int64_t clock_unix_ms(
	void); /* wall clock, milliseconds since 1970 UTC; the registry's, where hosts share one: what they store compares */
int64_t clock_machine_ms(void);	   /* this machine's own: for the log, and for what others sign */
int64_t clock_monotonic_ns(void);  /* never goes back */
int64_t clock_boot_ns(void);	   /* the same, and goes on while the machine is suspended */
int64_t clock_thread_cpu_ns(void); /* CPU time that this thread has used */

/* The wall clock is so far ahead of this machine's. Any thread. */
void clock_follow(int64_t ms);

/* Writes "2026-11-23T12:00:00.123Z" (RFC 3339). `text` holds CLOCK_TEXT_BYTES. Returns its length. */
size_t clock_format(int64_t unix_ms, char *text);
