/* job_counts.c - counts jobs, if nobody did so lately. HTTP threads, read-only connections. */
#include "api/job_counts.h"

#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/count_cache.h"
#include "api/job_query.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

#define DAY_MS 86400000LL

/* ---- counting ---- */

struct took {
	const char *provider;
	int64_t ms;
};

struct tally {
	int64_t all[TASK_STATUSES];
	struct task_count *providers; /* `kind` is not used */
	size_t provider_count;
	struct took *took; /* LIMIT_COUNT_DURATIONS at most */
	size_t took_count;
};

static void tally_add(void *context, const struct task_count *count)
{
	struct tally *tally = context;
	struct task_count *provider = NULL;

	for (size_t i = 0; i < tally->provider_count && provider == NULL; i++)
		if (strcmp(tally->providers[i].provider, count->provider) == 0)
			provider = &tally->providers[i];
	if (provider == NULL) {
		provider = &tally->providers[tally->provider_count++];
		*provider = (struct task_count){ .provider = count->provider };
	}
	for (int status = 0; status < TASK_STATUSES; status++) {
		tally->all[status] += count->counts[status];
		provider->counts[status] += count->counts[status];
	}
}

static void tally_took(void *context, const char *provider, int64_t took_ms)
{
	struct tally *tally = context;

	if (tally->took_count < LIMIT_COUNT_DURATIONS)
		tally->took[tally->took_count++] = (struct took){ .provider = provider, .ms = took_ms };
}

static int compare_took(const void *a, const void *b)
{
	const struct took *one = a, *other = b;
	int order = strcmp(one->provider, other->provider);

	return order != 0 ? order : (one->ms > other->ms) - (one->ms < other->ms);
}

/* Of sorted times; -1: there is none. */
static int64_t median_ms(const struct tally *tally, const char *provider)
{
	size_t first = 0, count = 0;

	while (first < tally->took_count && strcmp(tally->took[first].provider, provider) != 0)
		first++;
	while (first + count < tally->took_count && strcmp(tally->took[first + count].provider, provider) == 0)
		count++;
	return count > 0 ? tally->took[first + (count - 1) / 2].ms : -1;
}

static void write_counts(struct buffer *out, const int64_t counts[TASK_STATUSES])
{
	for (int status = 0; status < TASK_STATUSES; status++)
		buffer_format(out, "%c\"%s\":%lld", status == 0 ? '{' : ',', task_status_name((enum task_status)status),
			(long long)counts[status]);
}

static void write_counted_providers(struct buffer *out, struct tally *tally)
{
	const char *separator = "";
	int64_t median;

	qsort(tally->took, tally->took_count, sizeof *tally->took, compare_took);
	buffer_text(out, ",\"providers\":{");
	for (size_t i = 0; i < tally->provider_count; i++) {
		static const int64_t none[TASK_STATUSES];

		if (memcmp(tally->providers[i].counts, none, sizeof none) == 0)
			continue;
		buffer_text(out, separator);
		json_write_text(out, tally->providers[i].provider);
		buffer_char(out, ':');
		write_counts(out, tally->providers[i].counts);
		median = median_ms(tally, tally->providers[i].provider);
		buffer_text(out, ",\"median_seconds\":");
		if (median >= 0)
			json_write_double(out, (double)median / 1000);
		else
			buffer_text(out, "null");
		buffer_char(out, '}');
		separator = ",";
	}
	buffer_char(out, '}');
}

static enum error_code count_jobs(
	struct host *host, const struct task_filter *filter, bool by_provider, struct buffer *out, struct error *error)
{
	struct tally tally = { .provider_count = 0 };
	enum error_code code;

	tally.providers = memory_new_array(LIMIT_STORE_SOURCES, sizeof *tally.providers);
	tally.took = memory_new_array(LIMIT_COUNT_DURATIONS, sizeof *tally.took);
	code = task_store_count(host->store, filter, tally_add, &tally, error);
	if (code == ERROR_NONE && by_provider && filter->dryness != TASKS_DRY)
		code = task_store_durations(
			host->store, filter, clock_unix_ms() - DAY_MS, LIMIT_COUNT_DURATIONS, tally_took, &tally, error);
	if (code == ERROR_NONE) {
		buffer_text(out, "{\"ok\":true,\"counts\":");
		write_counts(out, tally.all);
		buffer_char(out, '}');
		if (by_provider)
			write_counted_providers(out, &tally);
		buffer_char(out, '}');
	}
	free(tally.providers);
	free(tally.took);
	return code;
}

/* ---- the answer ---- */

static bool read_grouping(struct http_request *request, bool *by_provider)
{
	char text[16];

	if (!http_query(request, "by", text, sizeof text) || *text == '\0')
		return true;
	*by_provider = strcmp(text, "provider") == 0;
	if (!*by_provider)
		answer_problem(request, 400, "by", "must be provider, or be left out");
	return *by_provider;
}

/* What is asked for, in one text. */
static void name_query(const struct task_filter *filter, bool by_provider, struct buffer *name)
{
	buffer_format(name, "%lld %lld %d %d %s %s", (long long)filter->since_ms, (long long)filter->until_ms,
		(int)filter->dryness, by_provider, filter->sources.kind != NULL ? filter->sources.kind : "-",
		filter->caller != NULL ? filter->caller : "");
	for (size_t i = 0; i < filter->sources.provider_count; i++)
		buffer_format(name, "\n%s", filter->sources.providers[i]);
}

static void send_counts(struct http_request *request, const char *text)
{
	http_send(request, &(struct http_reply){ .status = 200, .body = text, .body_length = strlen(text) });
}

static void count_and_send(
	struct host *host, struct http_request *request, const struct task_filter *filter, bool by_provider, const char *query)
{
	int64_t began_ns = clock_thread_cpu_ns(), newest_event = task_store_newest_event(host->store);
	struct buffer out;
	struct error error;
	enum error_code code;

	buffer_init(&out, LIMIT_PAGE_BYTES);
	code = count_jobs(host, filter, by_provider, &out, &error);
	if (code == ERROR_NONE && out.failed)
		code = error_memory(&error);
	count_cache_put(
		host->job_counts, query, code == ERROR_NONE ? out.data : NULL, clock_thread_cpu_ns() - began_ns, newest_event);
	if (code == ERROR_NONE)
		send_counts(request, out.data);
	else
		answer_problem(request, 503, NULL, error.message);
	buffer_free(&out);
}

void job_counts_handle(struct host *host, struct http_request *request)
{
	struct job_query query = { .filter = { .statuses = 0 } };
	bool by_provider = false;
	struct buffer name;
	char *text;

	if (!job_query_read(host, request, &query) || !job_query_dryness(request, &query.filter) ||
		!read_grouping(request, &by_provider))
		return;
	buffer_init(&name, LIMIT_PAGE_BYTES);
	name_query(&query.filter, by_provider, &name);
	text = count_cache_get(host->job_counts, name.data, task_store_newest_event(host->store));
	if (text != NULL)
		send_counts(request, text);
	else
		count_and_send(host, request, &query.filter, by_provider, name.data);
	free(text);
	buffer_free(&name);
}
