/* ended_reads.h - what jobs tell that other hosts have brought to their end, for what a host remembers of jobs. */
#pragma once

#include "registry/store.h"

struct ended_job {
	const char *kind, *provider;
	int64_t took_ms; /* at its vendor */
	bool observed;	 /* it tells what such a job costs: */
	struct store_observation observation;
};

/* Calls `visit` for each live job that has ended well after the event *after and is not `host`'s, oldest first; not for all, if there are many. *after moves
 * on to the last event that was looked at. Nothing where the registry is one host's alone. Errors as task_store_list(). Any thread. */
enum error_code task_store_ended_elsewhere(struct task_store *store, int64_t host, int64_t *after,
	void (*visit)(void *context, const struct ended_job *job), void *context, struct error *error);
