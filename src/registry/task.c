/* task.c - the words for a task's status and its events. No state; any thread. */
#include "registry/task.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = { "queued", "running", "done", "error", "canceled", "unknown" };

const char *task_status_name(enum task_status status)
{
	size_t index = (size_t)status;

	return index < sizeof status_names / sizeof *status_names ? status_names[index] : "unknown";
}

bool task_status_parse(const char *text, enum task_status *status)
{
	for (size_t i = 0; i < sizeof status_names / sizeof *status_names; i++) {
		if (strcmp(text, status_names[i]) == 0) {
			*status = (enum task_status)i;
			return true;
		}
	}
	return false;
}

void task_event_type(char type[EVENT_TYPE_BYTES], const char *kind, const char *verb)
{
	if (kind != NULL)
		snprintf(type, EVENT_TYPE_BYTES, "public.%s.%s", kind, verb);
	else
		snprintf(type, EVENT_TYPE_BYTES, "%s", verb);
}
