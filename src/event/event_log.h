/* event_log.h - what happens to tasks, told to the log: public.<kind>.<verb> (spec, "Monitor hooks"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
	const char *kind; /* "image" */
	const char *verb; /* "submit" */
	const char *provider;
	bool dry_run;
	bool execution_allowed;
	const char *job_id; /* or NULL */
	const char *request_id;
	const char *trace;	    /* the client's traceparent, or NULL */
	const char *caller;	    /* the name of the API key it came with, or NULL */
	int64_t estimate_micro_usd; /* -1: not known or not asked */
	const char *mode;	    /* or NULL */
	const char *payload;	    /* JSON text, to be summarised: never written as it is; or NULL */
	size_t payload_length;
};

/* Writes one line: provider, dry_run, execution_allowed, estimate, job id, request id, and what the payload is made of (its top-level
 * names, sizes and counts, no value of it). Any thread. */
void event_log(const struct event *event);
