/* resource_uri.c - the name of a job. */
#include "mcp/resource_uri.h"

#include <stdio.h>
#include <string.h>

#include "api/artifact_entry.h"

#define JOBS ARTIFACT_SCHEME "jobs/"

bool resource_job_parse(const char *uri, struct id *job)
{
	return strncmp(uri, JOBS, sizeof JOBS - 1) == 0 && id_parse(uri + sizeof JOBS - 1, job);
}

void resource_job_format(const struct id *job, char uri[RESOURCE_JOB_BYTES])
{
	char id[ID_TEXT_BYTES];

	id_format(job, id);
	snprintf(uri, RESOURCE_JOB_BYTES, JOBS "%s", id);
}
