/* test_setting.c - see test_setting.h. Nothing of it can be reached but by the environment at start. */
#include "base/test_setting.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *const names[TEST_SETTINGS] = {
	[TEST_CALL_WAIT_MS] = "PROVIDERD_TEST_CALL_WAIT_MS",
	[TEST_COMMIT_WAIT_MS] = "PROVIDERD_TEST_COMMIT_WAIT_MS",
	[TEST_WATCHDOG_MS] = "PROVIDERD_TEST_WATCHDOG_MS",
	[TEST_STOP_MS] = "PROVIDERD_TEST_STOP_MS",
	[TEST_DISK_FREE_BYTES] = "PROVIDERD_TEST_DISK_FREE_BYTES",
	[TEST_REPLY_SECONDS] = "PROVIDERD_TEST_REPLY_SECONDS",
	[TEST_LOAD_CPU_MS] = "PROVIDERD_TEST_LOAD_CPU_MS",
	[TEST_BODIES_BYTES] = "PROVIDERD_TEST_BODIES_BYTES",
	[TEST_CALL_CPU_MS] = "PROVIDERD_TEST_CALL_CPU_MS",
	[TEST_CALLS_TEXT_BYTES] = "PROVIDERD_TEST_CALLS_TEXT_BYTES",
	[TEST_HURRY] = "PROVIDERD_TEST_HURRY",
	[TEST_OUTPUTS_SECONDS] = "PROVIDERD_TEST_OUTPUTS_SECONDS",
	[TEST_SILENCE_SECONDS] = "PROVIDERD_TEST_SILENCE_SECONDS",
	[TEST_NO_FENCE] = "PROVIDERD_TEST_NO_FENCE",
	[TEST_NO_GENERATION] = "PROVIDERD_TEST_NO_GENERATION",
	[TEST_START_WAIT_MS] = "PROVIDERD_TEST_START_WAIT_MS",
	[TEST_RING_BYTES] = "PROVIDERD_TEST_RING_BYTES",
};

static int64_t values[TEST_SETTINGS]; /* 0: not set */
static struct {
	char place[64], step[32];
	double seconds; /* 0: nowhere */
} stall;

void test_settings_read(void)
{
	const char *text = getenv("PROVIDERD_TEST_STALL");

	for (size_t i = 0; i < TEST_SETTINGS; i++)
		values[i] = getenv(names[i]) != NULL ? strtoll(getenv(names[i]), NULL, 10) : 0;
	if (text == NULL || sscanf(text, "%63[^:]:%31[^:]:%lf", stall.place, stall.step, &stall.seconds) != 3)
		stall.seconds = 0;
}

int64_t test_setting(enum test_setting which, int64_t otherwise)
{
	return values[which] > 0 ? values[which] : otherwise;
}

void test_stall(const char *place, const char *step)
{
	int64_t until;

	if (stall.seconds <= 0 || strcmp(stall.place, place) != 0 || strcmp(stall.step, step) != 0)
		return;
	until = clock_monotonic_ns() + (int64_t)(stall.seconds * 1e9);
	while (clock_monotonic_ns() < until)
		;
}
