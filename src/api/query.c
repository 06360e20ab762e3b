/* query.c - reads parameters of a query. HTTP threads; no state. */
#include "api/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"

bool query_job_id(struct http_request *request, const char *text, struct id *id)
{
	if (id_parse(text, id))
		return true;
	answer_problem(request, 404, NULL, "there is no such job: a job id is a UUID, as job_id in a submit's answer");
	return false;
}

bool query_read_number(const struct http_request *request, const char *name, int64_t lowest, int64_t highest, int64_t *value,
	char detail[QUERY_DETAIL_BYTES])
{
	char text[40], *end;
	int64_t number;

	if (!http_query(request, name, text, sizeof text) || *text == '\0')
		return true;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && number >= lowest && number <= highest) {
		*value = number;
		return true;
	}
	snprintf(detail, QUERY_DETAIL_BYTES, "must be a whole number from %lld to %lld", (long long)lowest, (long long)highest);
	return false;
}

bool query_number(struct http_request *request, const char *name, int64_t lowest, int64_t highest, int64_t *value)
{
	char detail[QUERY_DETAIL_BYTES];

	if (query_read_number(request, name, lowest, highest, value, detail))
		return true;
	answer_problem(request, 400, name, detail);
	return false;
}

void query_provider(struct host *host, struct http_request *request, char *id, size_t size)
{
	struct provider_set *set;
	struct provider *provider;

	id[0] = '\0';
	if (!http_query(request, "provider", id, size) || *id == '\0')
		return;
	set = provider_loader_acquire(host->loader);
	provider = provider_set_find(set, NULL, id);
	if (provider != NULL)
		snprintf(id, size, "%s", provider->manifest.id);
	provider_set_release(set);
}
