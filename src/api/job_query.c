/* job_query.c - reads parameters that choose jobs. HTTP threads; no state. */
#include "api/job_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/access.h"
#include "api/answer.h"

#define WORD_BYTES 64
#define LIST_BYTES (LIMIT_LIST_PROVIDERS * WORD_BYTES)

static bool refuse_parameter(struct http_request *request, const char *name, const char *detail)
{
	answer_problem(request, 400, name, detail);
	return false;
}

/* The next word of a list that commas separate; *list moves on behind it. False: it is none, or too long. */
static bool next_word(const char **list, char word[WORD_BYTES])
{
	size_t length = strcspn(*list, ",");

	if (length == 0 || length >= WORD_BYTES)
		return false;
	memcpy(word, *list, length);
	word[length] = '\0';
	*list += length;
	return **list == '\0' || *++*list != '\0';
}

/* ---- words ---- */

bool job_query_statuses(struct http_request *request, struct task_filter *filter)
{
	char text[8 * TASK_STATUSES * 4], word[WORD_BYTES];
	const char *rest = text;
	enum task_status status;

	if (!http_query(request, "status", text, sizeof text))
		return true;
	while (*rest != '\0') {
		bool read = next_word(&rest, word);

		if (read && strcmp(word, "open") == 0)
			filter->statuses |= 1U << TASK_QUEUED | 1U << TASK_RUNNING;
		else if (read && task_status_parse(word, &status))
			filter->statuses |= 1U << status;
		else
			return refuse_parameter(request, "status",
				"must be queued, running, done, error, canceled, unknown, or open (queued and running), or some "
				"of "
				"them, separated by commas");
	}
	return true;
}

/* "image" or "public.image.submit". */
static bool read_kind(struct http_request *request, struct task_filter *filter)
{
	char text[40], whole[40];

	if (!http_query(request, "kind", text, sizeof text) || *text == '\0')
		return true;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		snprintf(whole, sizeof whole, "public.%s.submit", kind_list[i].name);
		if (strcmp(text, kind_list[i].name) != 0 && strcmp(text, whole) != 0)
			continue;
		filter->sources.kind = kind_list[i].name;
		return true;
	}
	return refuse_parameter(request, "kind", "must be gpu, image or video (or public.<kind>.submit)");
}

/* An alias is as good as an id, and a provider that is gone may still have rows. */
static void query_add_provider(struct provider_set *set, const char *name, struct job_query *query)
{
	struct provider *provider = provider_set_find(set, NULL, name);
	size_t at = query->filter.sources.provider_count++;

	snprintf(query->ids[at], sizeof query->ids[at], "%s", provider != NULL ? provider->manifest.id : name);
	query->providers[at] = query->ids[at];
	query->filter.sources.providers = query->providers;
}

static bool read_providers(struct host *host, struct http_request *request, struct job_query *query)
{
	char text[LIST_BYTES], word[WORD_BYTES], detail[96];
	struct provider_set *set;
	const char *rest = text;
	bool fits = true;

	if (!http_query(request, "provider", text, sizeof text) || *text == '\0')
		return true;
	set = provider_loader_acquire(host->loader);
	while (*rest != '\0' && fits) {
		fits = next_word(&rest, word) && query->filter.sources.provider_count < LIMIT_LIST_PROVIDERS;
		if (fits)
			query_add_provider(set, word, query);
	}
	provider_set_release(set);
	snprintf(detail, sizeof detail, "must be the id of a provider, or up to %d of them, separated by commas",
		LIMIT_LIST_PROVIDERS);
	return fits || refuse_parameter(request, "provider", detail);
}

bool job_query_dryness(struct http_request *request, struct task_filter *filter)
{
	char text[8];

	if (!http_query(request, "dry_run", text, sizeof text) || *text == '\0')
		return true;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse_parameter(request, "dry_run", "must be true or false");
	filter->dryness = text[0] == 't' ? TASKS_DRY : TASKS_LIVE;
	return true;
}

bool job_query_search(struct http_request *request, struct job_query *query)
{
	char text[2 * LIMIT_SEARCH_BYTES]; /* room for blanks around */
	const char *problem;

	if (!http_query(request, "q", text, sizeof text) || *text == '\0')
		return true;
	problem = strlen(text) + 1 == sizeof text ? "is too long" : task_search_read(&query->search, text);
	if (problem != NULL)
		return refuse_parameter(request, "q", problem);
	query->filter.search = query->search.count > 0 ? &query->search : NULL;
	return true;
}

bool job_query_fields(struct http_request *request, bool *brief)
{
	char text[8];

	if (!http_query(request, "fields", text, sizeof text) || *text == '\0')
		return true;
	*brief = strcmp(text, "brief") == 0;
	return *brief || refuse_parameter(request, "fields", "must be brief, or be left out");
}

/* ---- times ---- */

/* ".608" is 608 milliseconds; further digits do not count. Returns what follows. */
static const char *read_fraction(const char *text, int64_t *milliseconds)
{
	int64_t unit = 100;

	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*milliseconds += (*text - '0') * unit;
	return text;
}

/* Milliseconds since 1970, or 2026-11-23T12:00:00Z (also a date alone). */
static bool read_time(struct http_request *request, const char *name, int64_t *ms)
{
	struct tm parts = { 0 };
	char text[40], *end;
	const char *rest;
	int64_t fraction = 0;

	if (!http_query(request, name, text, sizeof text) || *text == '\0')
		return true;
	errno = 0;
	*ms = strtoll(text, &end, 10);
	if (errno == 0 && *end == '\0' && *ms >= 0)
		return true;
	rest = strptime(text, "%Y-%m-%d", &parts);
	if (rest != NULL && *rest == 'T')
		rest = strptime(rest, "T%H:%M:%S", &parts);
	if (rest != NULL && *rest == '.')
		rest = read_fraction(rest, &fraction);
	if (rest != NULL && *rest == 'Z')
		rest++;
	if (rest == NULL || *rest != '\0')
		return refuse_parameter(request, name, "must be a time: 2026-11-23T12:00:00Z, or milliseconds since 1970");
	*ms = (int64_t)timegm(&parts) * 1000 + fraction;
	return true;
}

/* ---- all ---- */

bool job_query_read(struct host *host, struct http_request *request, struct job_query *query)
{
	struct task_filter *filter = &query->filter;
	int64_t until = -1;

	if (!read_kind(request, filter) || !read_providers(host, request, query) ||
		!read_time(request, "since", &filter->since_ms) || !read_time(request, "until", &until))
		return false;
	if (until == 0)
		until = 1; /* 0 is "any", and there is nothing before 1970 */
	filter->until_ms = until > 0 ? until : 0;
	filter->caller = access_owner(request);
	return true;
}
