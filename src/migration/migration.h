/* migration.h - moves a registry from one database to another, whole: every row of every table, numbers kept, checked at the end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct migration_options {
	const char *home;			       /* relative files of URLs begin here; it must not be in use */
	const char *from, *to;			       /* as registry.url */
	void (*tell)(void *context, const char *text); /* how far it has come: a line for people */
	void *context;
};

struct migration_result {
	int64_t rows;
	int tables;
	int64_t cleaned; /* texts that were no UTF-8, whose bytes are U+FFFD now */
	int64_t open_jobs;
	bool begun; /* something was written: the same call goes on where this one stopped */
};

/* Blocks as long as it takes. What was moved stays when it is cut off, and the target is no registry that a host starts on until all is there and checked.
 * ERROR_INVALID, ERROR_NOT_FOUND: one of the two is not what it should be; ERROR_CONFLICT: a host runs, the target is in use, or the two differ at the end;
 * ERROR_BUSY, ERROR_IO: the databases' fault. Of the source nothing is changed, but that it is brought to the newest schema, and, where it has open jobs, takes
 * itself for an older copy from then on: who starts a host on it sends none of them again. */
enum error_code migration_run(const struct migration_options *options, struct migration_result *result, struct error *error);
