/* event_filter.h - which events someone wants: by type, provider and job. Immutable once it is read; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/limits.h"

struct event_filter {
	char types[LIMIT_EVENT_PATTERNS][LIMIT_EVENT_TYPE_BYTES + 1]; /* patterns in which * stands for any characters */
	int type_count;						      /* 0: all types */
	char provider[64];					      /* its id; "": any */
	char caller[LIMIT_API_KEY_NAME_BYTES + 1]; /* only those of jobs of this API key; "": of all, and the host's */
	bool of_job;				   /* only those of the job `job` */
	struct id job;
};

/* What of an event a filter looks at. */
struct event_subject {
	const char *type;
	const char *provider; /* NULL: an event of the host */
	const char *caller;   /* of the job, or NULL */
	int64_t sequence;     /* of the job's id; 0: an event of the host */
};

/* Reads patterns, separated by commas, with alternatives in braces: "public.{gpu,image}.*,host.*". ERROR_INVALID says what is wrong. */
enum error_code event_filter_types(struct event_filter *filter, const char *text, struct error *error);

bool event_filter_passes(const struct event_filter *filter, const struct event_subject *subject);
