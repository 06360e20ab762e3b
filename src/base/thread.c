/* thread.c - see thread.h. Owns nothing; any thread. */
#include "base/thread.h"

#include <string.h>
#include <time.h>

enum error_code thread_start(
	pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *), void *context, struct error *error)
{
	pthread_attr_t attributes;
	int failed;

	pthread_attr_init(&attributes);
	if (stack_bytes > 0)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	failed = pthread_create(thread, &attributes, run, context);
	pthread_attr_destroy(&attributes);
	if (failed != 0)
		return error_set(error, ERROR_IO, NULL, "cannot start the thread \"%s\": %s", name, strerror(failed));
	pthread_setname_np(*thread, name);
	return ERROR_NONE;
}

void thread_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}
