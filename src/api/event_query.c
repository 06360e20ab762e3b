/* event_query.c - reads filters and positions of the log of events. HTTP threads; no state. */
#include "api/event_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/job_query.h"
#include "api/query.h"
#include "api/answer.h"

#define TYPES_BYTES 512

void event_query_own(const struct http_request *request, struct event_filter *filter)
{
	const char *owner = access_owner(request);

	snprintf(filter->caller, sizeof filter->caller, "%s", owner != NULL ? owner : "");
}

bool event_query_filter(struct host *host, struct http_request *request, struct event_filter *filter)
{
	struct error error = { .code = ERROR_NONE };
	char text[TYPES_BYTES];

	*filter = (struct event_filter){ .type_count = 0 };
	event_query_own(request, filter);
	if (http_query(request, "type", text, sizeof text) && event_filter_types(filter, text, &error) != ERROR_NONE) {
		answer_problem(request, 400, "type", error.message);
		return false;
	}
	query_provider(host, request, filter->provider, sizeof filter->provider);
	if (!http_query(request, "job", text, sizeof text) || *text == '\0')
		return true;
	filter->of_job = id_parse(text, &filter->job);
	if (!filter->of_job)
		answer_problem(request, 400, "job", "must be a job id: a UUID, as job_id in a submit's answer");
	return filter->of_job;
}

bool event_query_form(struct http_request *request, enum event_form *form)
{
	bool brief = false;

	if (!job_query_fields(request, &brief))
		return false;
	*form = brief ? EVENT_BRIEF : EVENT_WHOLE;
	return true;
}

bool event_query_since(struct http_request *request, int64_t *since)
{
	const char *header = http_header(request, "Last-Event-ID");

	*since = -1;
	if (header == NULL || *header == '\0')
		return query_number(request, "since", 0, INT64_MAX, since);
	if (header[strspn(header, "0123456789")] != '\0') {
		answer_problem(request, 400, "Last-Event-ID", "must be the id of an event of this host: a number");
		return false;
	}
	*since = strtoll(header, NULL, 10); /* the largest number for one that is too long: the host gave neither */
	return true;
}
