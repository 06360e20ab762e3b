/* registry_start.c - waits for the registry's server. The main thread, before there are others that matter. */
#include "cli/registry_start.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/test_setting.h"
#include "database/database.h"

#define PAUSE_NS 500000000L
#define SECOND_MS 1000

/* A file is there or not; nobody brings it. */
static bool is_on_server(const char *home, const char *url)
{
	struct database_place *place = NULL;
	bool shared = database_find(home, url, &place, NULL) == ERROR_NONE && database_is_shared(place);

	database_place_free(place);
	return shared;
}

/* Sleeps a little. True: somebody wants the host to end. */
static bool is_stopped(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	return sigtimedwait(&ends, NULL, &(struct timespec){ .tv_nsec = PAUSE_NS }) != -1;
}

static void tell(const struct error *error, int64_t most_ms)
{
	log_message(LOG_WARN, "registry.waiting", "%s: %s; waiting for up to %lld s", error->path, error->message,
		(long long)most_ms / SECOND_MS);
}

static void add_waited(struct error *error, int64_t most_ms)
{
	size_t length = strlen(error->message);

	snprintf(error->message + length, sizeof error->message - length, "; it was waited for for %lld s",
		(long long)most_ms / SECOND_MS);
}

enum error_code registry_start(const char *home, const char *url, int keep_days, struct task_store **store, struct error *error)
{
	int64_t most_ms = test_setting(TEST_START_WAIT_MS, LIMIT_REGISTRY_START_MS);
	int64_t until_ns = clock_monotonic_ns() + most_ms * 1000000;
	enum error_code code = task_store_open(home, url, keep_days, store, error);

	if (code != ERROR_BUSY || !is_on_server(home, url))
		return code;
	tell(error, most_ms);
	while (code == ERROR_BUSY && clock_monotonic_ns() < until_ns) {
		if (is_stopped())
			return error_set(error, ERROR_BUSY, "", "it was stopped while it waited for the registry");
		code = task_store_open(home, url, keep_days, store, error);
	}
	if (code == ERROR_BUSY)
		add_waited(error, most_ms);
	return code;
}
