/* test_setting.h - what only specs set: PROVIDERD_TEST_... of the environment (CONTRIBUTING.md). Read once, before there are threads. */
#pragma once

#include <stdint.h>

enum test_setting {
	TEST_CALL_WAIT_MS = 0, /* LIMIT_CALL_WAIT_MS and LIMIT_LIVE_ANSWER_MS */
	TEST_COMMIT_WAIT_MS,   /* LIMIT_COMMIT_WAIT_MS */
	TEST_WATCHDOG_MS,      /* LIMIT_WATCHDOG_MS */
	TEST_STOP_MS,	       /* LIMIT_STOP_MS */
	TEST_DISK_FREE_BYTES,  /* LIMIT_DISK_FREE_BYTES */
	TEST_REPLY_SECONDS,    /* LIMIT_REPLY_SECONDS */
	TEST_LOAD_CPU_MS,      /* LIMIT_SCRIPT_LOAD_CPU_MS */
	TEST_BODIES_BYTES,     /* LIMIT_BODIES_BYTES */
	TEST_CALL_CPU_MS,      /* LIMIT_SCRIPT_CPU_MS */
	TEST_CALLS_TEXT_BYTES, /* LIMIT_CALLS_TEXT_BYTES */
	TEST_HURRY,	       /* live jobs' pauses are divided by it */
	TEST_OUTPUTS_SECONDS,  /* LIMIT_ARTIFACT_JOB_SECONDS */
	TEST_SILENCE_SECONDS,  /* LIMIT_TRANSFER_SILENCE_SECONDS */
	TEST_NO_FENCE,	       /* 1: a host that was declared dead writes and sends on: what the fence prevents is to be seen */
	TEST_NO_GENERATION,    /* 1: a connection that was lost may still commit */
	TEST_START_WAIT_MS,    /* LIMIT_REGISTRY_START_MS */
	TEST_RING_BYTES,       /* LIMIT_RING_BYTES; a multiple of 4096 */
	TEST_SETTINGS,
};

void test_settings_read(void);

/* The setting, or `otherwise` when it is not set. Any thread. */
int64_t test_setting(enum test_setting which, int64_t otherwise);

/* PROVIDERD_TEST_STALL=PLACE:STEP:SECONDS makes this place stand still in this step, busily: as C code does that never comes back. */
void test_stall(const char *place, const char *step);
