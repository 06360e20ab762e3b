/* resource_uri.h - how resources of this host are named: providerd://jobs/ID, and providerd://jobs/ID/artifacts/N (api/artifact_entry.h). Pure. */
#pragma once

#include <stdbool.h>

#include "base/id.h"

#define RESOURCE_JOB_BYTES 64

/* providerd://jobs/ID, to the last byte. False: it is none. */
bool resource_job_parse(const char *uri, struct id *job);
void resource_job_format(const struct id *job, char uri[RESOURCE_JOB_BYTES]);
