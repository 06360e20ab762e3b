/* task.h - one row of the registry, and its words (design 7). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

enum task_status {
	TASK_QUEUED = 0,
	TASK_RUNNING,
	TASK_DONE,
	TASK_ERROR,
	TASK_CANCELED,
	TASK_UNKNOWN, /* the outcome of a paid submit is not known; maybe billed (design 2.2) */
};

const char *task_status_name(enum task_status status);
bool task_status_parse(const char *text, enum task_status *status);

/* A task as it is stored. Texts are NUL-terminated, JSON texts are complete values; NULL means absent. Who owns them is said where
 * the struct is passed. */
struct task {
	struct id id;
	const char *kind; /* "gpu", "image", "video" */
	const char *provider;
	enum task_status status;
	bool dry_run;
	double progress; /* 0..1 */
	int64_t created_ms;
	int64_t updated_ms;
	const char *vendor_id; /* the vendor's own job id; dry run: mock-<provider>-1 */
	const char *request_id;
	const char *payload;   /* JSON: the normalised request, masked */
	const char *estimates; /* JSON */
	const char *result;    /* JSON: { artifacts, cost, error, warnings }, or NULL */
};
