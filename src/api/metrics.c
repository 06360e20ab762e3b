/* metrics.c - counts answers by route and status, and writes all figures of the host when they are asked for.
 *
 * Owns the counters of answers and reloads; everything else is asked of the part that knows it. Any thread counts, without a lock. Labels
 * are bounded: routes by their patterns, never by what a client sent; providers by the registry and the scripts. No figure tells a secret. */
#include "api/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/hosts.h"
#include "api/router.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/histogram.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/micro_usd.h"
#include "directory/directory.h"
#include "event/hub.h"
#include "webhook_out/webhook_out.h"

#define NO_ROUTE ROUTES_MAX /* refused before a route was found, or there is none */
#define PER_ROUTE (STATUS_COUNT + HISTOGRAM_COUNTERS)

/* Statuses that this host gives; any other counts as the last. */
static const short statuses[] = { 200, 201, 202, 204, 206, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410, 411, 413, 414, 415,
	416, 417, 421, 422, 429, 431, 500, 501, 502, 503, 504, 505, 0 };

#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

struct metrics {
	struct counters *answers; /* for each route its statuses, then its histogram */
	struct counters *reloads; /* for each kind: read, rejected */
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = memory_new(sizeof *metrics);

	metrics->answers = counters_new((ROUTES_MAX + 1) * PER_ROUTE);
	metrics->reloads = counters_new((size_t)RELOADS * 2);
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	counters_free(metrics->answers);
	counters_free(metrics->reloads);
	free(metrics);
}

/* ---- counting ---- */

static size_t status_index(int status)
{
	size_t i = 0;

	while (i < STATUS_COUNT - 1 && statuses[i] != status)
		i++;
	return i;
}

void metrics_answered(void *context, const struct http_request *request, int status, int64_t microseconds)
{
	struct host *host = context;
	struct counters *answers = host->metrics->answers;
	size_t base = (request->route >= 0 ? (size_t)request->route : NO_ROUTE) * PER_ROUTE;

	counters_add(answers, base + status_index(status), 1);
	if (request->streamed)
		return;
	base += STATUS_COUNT;
	counters_add(answers, base + (size_t)histogram_bucket(microseconds), 1);
	counters_add(answers, base + HISTOGRAM_BUCKETS, (uint64_t)microseconds);
}

void metrics_reloaded(struct metrics *metrics, enum reload what, bool rejected)
{
	counters_add(metrics->reloads, (size_t)what * 2 + rejected, 1);
}

/* ---- writing: answers ---- */

static void write_statuses(struct buffer *out, const struct metrics *metrics, int route)
{
	const char *pattern = route_pattern(route), *method = route_method(route);
	size_t base = (route >= 0 ? (size_t)route : NO_ROUTE) * PER_ROUTE;
	char text[8];
	uint64_t count;

	for (size_t i = 0; i < STATUS_COUNT; i++) {
		count = counters_sum(metrics->answers, base + i);
		if (count == 0)
			continue;
		snprintf(text, sizeof text, "%d", statuses[i]);
		metric_count(out, "providerd_http_requests_total", "",
			(struct metric_label[]){ { "route", pattern != NULL ? pattern : "none" },
				{ "method", method != NULL ? method : "any" }, { "status", statuses[i] != 0 ? text : "other" },
				{ NULL, NULL } },
			count);
	}
}

static bool is_same_path(int one, int other)
{
	const char *pattern = route_pattern(one), *compared = route_pattern(other);

	return pattern == compared || (pattern != NULL && compared != NULL && strcmp(pattern, compared) == 0);
}

static void add_times(const struct metrics *metrics, int route, uint64_t values[HISTOGRAM_COUNTERS])
{
	size_t base = (route >= 0 ? (size_t)route : NO_ROUTE) * PER_ROUTE + STATUS_COUNT;

	for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++)
		values[i] += counters_sum(metrics->answers, base + i);
}

/* A path that takes several methods is several routes, and one series: it is written with the first of them. Routes that were not asked for
 * yet have no lines. */
static void write_times(struct buffer *out, const struct metrics *metrics, int route)
{
	const char *pattern = route_pattern(route);
	struct metric_label label = { "route", pattern != NULL ? pattern : "none" };
	uint64_t values[HISTOGRAM_COUNTERS] = { 0 }, count = 0;

	for (int other = -1; other < route; other++)
		if (is_same_path(other, route))
			return;
	for (int other = route; other == route || route_pattern(other) != NULL; other++)
		if (is_same_path(other, route))
			add_times(metrics, other, values);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		count += values[i];
	if (count > 0)
		histogram_write(out, "providerd_http_request_duration_seconds", &label, values);
}

static void write_answers(struct buffer *out, const struct metrics *metrics)
{
	metric_family(out, "providerd_http_requests_total", "counter", "Requests answered, by route and status.");
	for (int route = -1; route < 0 || route_pattern(route) != NULL; route++)
		write_statuses(out, metrics, route);
	metric_family(out, "providerd_http_request_duration_seconds", "histogram",
		"Time from a request's head to the end of its answer; streams are left out.");
	for (int route = -1; route < 0 || route_pattern(route) != NULL; route++)
		write_times(out, metrics, route);
}

static void write_reloads(struct buffer *out, const struct metrics *metrics)
{
	static const char *const names[RELOADS] = { "script", "config", "secrets" };

	metric_family(
		out, "providerd_reloads_total", "counter", "Files read anew since the start, and those that were rejected.");
	for (size_t i = 0; i < RELOADS * 2; i++)
		metric_count(out, "providerd_reloads_total", "",
			(struct metric_label[]){
				{ "file", names[i / 2] }, { "result", i % 2 == 0 ? "ok" : "rejected" }, { NULL, NULL } },
			counters_sum(metrics->reloads, i));
}

/* ---- writing: the parts ---- */

static void write_gauge(struct buffer *out, const char *name, const char *help, double value)
{
	metric_family(out, name, "gauge", help);
	metric_value(out, name, "", NULL, value);
}

static void write_task_count(void *out, const char *kind, const char *provider, enum task_status status, uint64_t count)
{
	metric_count(out, "providerd_tasks_total", "",
		(struct metric_label[]){
			{ "kind", kind }, { "provider", provider }, { "status", task_status_name(status) }, { NULL, NULL } },
		count);
}

static void write_registry(struct buffer *out, struct host *host)
{
	struct live_counts live = live_counts(host->live);
	const struct {
		const char *state;
		size_t count;
	} states[] = { { "queued", live.queued }, { "sending", live.sending }, { "sent", live.sent },
		{ "unknown", live.unknown } };

	metric_family(out, "providerd_tasks_total", "counter", "Tasks that reached a status since the start.");
	task_store_counts(host->store, write_task_count, out);
	metric_family(out, "providerd_live_jobs", "gauge", "Live jobs that have not ended, by how far they have come.");
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		metric_count(out, "providerd_live_jobs", "",
			(struct metric_label[]){ { "state", states[i].state }, { NULL, NULL } }, states[i].count);
	write_gauge(out, "providerd_store_queue", "Writes waiting for the store.", (double)task_store_backlog(host->store));
	write_gauge(out, "providerd_event_newest", "Number of the newest event.", (double)task_store_newest_event(host->store));
	write_gauge(out, "providerd_event_streams", "Event streams that are open.", event_hub_subscriptions(host->events));
}

static void write_upstream(struct buffer *out, const struct engine_figures *figures)
{
	static const char *const names[UPSTREAM_OUTCOMES] = { "2xx", "3xx", "4xx", "5xx", "failed" };
	int count = atomic_load_explicit(&figures->upstream_count, memory_order_acquire);
	uint64_t values[HISTOGRAM_COUNTERS];

	metric_family(
		out, "providerd_upstream_requests_total", "counter", "Requests sent to vendors, by how they were answered.");
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < UPSTREAM_OUTCOMES; k++)
			metric_count(out, "providerd_upstream_requests_total", "",
				(struct metric_label[]){
					{ "provider", figures->upstream[i].provider }, { "outcome", names[k] }, { NULL, NULL } },
				atomic_load_explicit(&figures->upstream[i].outcomes[k], memory_order_relaxed));
	metric_family(out, "providerd_upstream_duration_seconds", "histogram", "Time until a vendor had answered.");
	for (int i = 0; i < count; i++) {
		for (size_t k = 0; k < HISTOGRAM_COUNTERS; k++)
			values[k] = atomic_load_explicit(&figures->upstream[i].times[k], memory_order_relaxed);
		histogram_write(out, "providerd_upstream_duration_seconds",
			&(struct metric_label){ "provider", figures->upstream[i].provider }, values);
	}
}

static void write_engine(struct buffer *out, struct host *host)
{
	const struct engine_figures *figures = engine_figures(host->engine);

	write_gauge(out, "providerd_calls_waiting", "Calls waiting for an instance of their script.",
		(double)instance_watch_waiting(host->instances));
	write_gauge(out, "providerd_engine_queue", "Calls waiting for the engine.", (double)engine_backlog(host->engine));
	write_gauge(out, "providerd_engine_lag_seconds", "How long the newest call had waited for the engine.",
		(double)atomic_load_explicit(&figures->lag_us, memory_order_relaxed) / 1e6);
	metric_family(out, "providerd_engine_wait_seconds", "summary", "Time that calls waited for the engine.");
	metric_value(out, "providerd_engine_wait_seconds", "_sum", NULL,
		(double)atomic_load_explicit(&figures->waited_us, memory_order_relaxed) / 1e6);
	metric_count(out, "providerd_engine_wait_seconds", "_count", NULL,
		atomic_load_explicit(&figures->calls, memory_order_relaxed));
	write_upstream(out, figures);
}

/* ---- writing: scripts and money ---- */

static void write_script_memory(struct buffer *out, const struct provider *provider)
{
	metric_count(out, "providerd_script_memory_bytes", "",
		(struct metric_label[]){ { "provider", provider->manifest.id }, { NULL, NULL } },
		atomic_load_explicit(&provider->memory_used, memory_order_relaxed));
}

static void write_script_instances(struct buffer *out, const struct provider *provider)
{
	metric_count(out, "providerd_script_instances", "",
		(struct metric_label[]){ { "provider", provider->manifest.id }, { NULL, NULL } },
		(uint64_t)atomic_load_explicit(&provider->instances, memory_order_relaxed));
}

static void write_script_stops(struct buffer *out, const struct provider *provider)
{
	metric_count(out, "providerd_script_stops_total", "",
		(struct metric_label[]){ { "provider", provider->manifest.id }, { NULL, NULL } },
		(uint64_t)atomic_load_explicit(&provider->stops, memory_order_relaxed));
}

static void write_each(
	struct buffer *out, const struct provider_set *set, void (*write)(struct buffer *out, const struct provider *provider))
{
	for (size_t i = 0; i < set->count; i++)
		if (set->entries[i].provider != NULL)
			write(out, set->entries[i].provider);
}

static void write_scripts(struct buffer *out, struct host *host)
{
	struct provider_set *set = provider_loader_acquire(host->loader);

	metric_family(out, "providerd_script_instances", "gauge", "Instances of a script: so many of its calls can run at once.");
	write_each(out, set, write_script_instances);
	metric_family(out, "providerd_script_memory_bytes", "gauge", "Memory of a script's instances after their last calls.");
	write_each(out, set, write_script_memory);
	metric_family(out, "providerd_script_stops_total", "counter",
		"Calls of a script that were stopped for going over a limit, since it was loaded.");
	write_each(out, set, write_script_stops);
	provider_set_release(set);
}

static void write_spans(struct buffer *out, const char *name, const char *provider, int64_t day, int64_t month)
{
	struct metric_label labels[] = { { "period", "day" }, { provider != NULL ? "provider" : NULL, provider },
		{ NULL, NULL } };

	metric_value(out, name, "", labels, micro_usd_dollars(day));
	labels[0].value = "month";
	metric_value(out, name, "", labels, micro_usd_dollars(month));
}

/* A family for the host, one for its providers: sums over one of them count nothing twice. */
static void write_money(struct buffer *out, const struct budget_sheet *sheet, const struct config_live *live)
{
	struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_HOST, "");

	metric_family(out, "providerd_budget_limit_usd", "gauge", "What may be spent in the running day and month (UTC).");
	write_spans(out, "providerd_budget_limit_usd", NULL, live->budget.per_day_micro_usd, live->budget.per_month_micro_usd);
	metric_family(out, "providerd_budget_spent_usd", "gauge", "Spent on live jobs in the running day and month.");
	write_spans(out, "providerd_budget_spent_usd", NULL, sums.day_spent, sums.month_spent);
	metric_family(out, "providerd_budget_reserved_usd", "gauge", "Reserved for live jobs that are not settled.");
	write_spans(out, "providerd_budget_reserved_usd", NULL, sums.day_reserved, sums.month_reserved);
	metric_family(out, "providerd_provider_spent_usd", "gauge", "The same as providerd_budget_spent_usd, by provider.");
	for (size_t i = 0; i < live->provider_count; i++) {
		sums = budget_sheet_sums(sheet, BUDGET_PROVIDER, live->providers[i].id);
		write_spans(out, "providerd_provider_spent_usd", live->providers[i].id, sums.day_spent, sums.month_spent);
	}
	metric_family(out, "providerd_provider_reserved_usd", "gauge", "The same as providerd_budget_reserved_usd, by provider.");
	for (size_t i = 0; i < live->provider_count; i++) {
		sums = budget_sheet_sums(sheet, BUDGET_PROVIDER, live->providers[i].id);
		write_spans(
			out, "providerd_provider_reserved_usd", live->providers[i].id, sums.day_reserved, sums.month_reserved);
	}
}

/* What the tools of /mcp spend, which is in the host's sums too. */
static void write_mcp_money(struct buffer *out, const struct budget_sheet *sheet, const struct config_mcp *mcp)
{
	struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_MCP, "");

	metric_family(
		out, "providerd_mcp_limit_usd", "gauge", "What the tools of /mcp may spend in the running day and month (UTC).");
	write_spans(out, "providerd_mcp_limit_usd", NULL, mcp->budget.per_day_micro_usd, mcp->budget.per_month_micro_usd);
	metric_family(out, "providerd_mcp_spent_usd", "gauge", "What they spent.");
	write_spans(out, "providerd_mcp_spent_usd", NULL, sums.day_spent, sums.month_spent);
	metric_family(out, "providerd_mcp_reserved_usd", "gauge", "Reserved for their jobs that are not settled.");
	write_spans(out, "providerd_mcp_reserved_usd", NULL, sums.day_reserved, sums.month_reserved);
}

static void write_exceeded(struct buffer *out, struct host *host, const struct config_live *live)
{
	metric_family(out, "providerd_budget_exceeded_total", "counter",
		"Jobs that cost more than was reserved for them, since the start.");
	for (size_t i = 0; i < live->provider_count; i++)
		metric_count(out, "providerd_budget_exceeded_total", "",
			(struct metric_label[]){ { "provider", live->providers[i].id }, { NULL, NULL } },
			live_exceeded(host->live, live->providers[i].id).jobs);
	metric_family(out, "providerd_budget_exceeded_usd_total", "counter", "What they cost beyond it.");
	for (size_t i = 0; i < live->provider_count; i++)
		metric_value(out, "providerd_budget_exceeded_usd_total", "",
			(struct metric_label[]){ { "provider", live->providers[i].id }, { NULL, NULL } },
			micro_usd_dollars(live_exceeded(host->live, live->providers[i].id).micro_usd));
}

/* Of a registry that cannot be read now these series are left out: old figures would look like new ones. */
static void write_budgets(struct buffer *out, struct host *host, const struct config *config)
{
	struct budget_sheet *sheet;
	struct error error;

	if (task_store_budgets(host->store, budget_today(), &sheet, &error) == ERROR_NONE) {
		write_money(out, sheet, &config->live);
		write_mcp_money(out, sheet, &config->mcp);
		budget_sheet_release(sheet);
	}
	metric_family(out, "providerd_registry_budget_differences_total", "counter",
		"Sums of budgets that were not those of the ledger, and were put right.");
	metric_count(out, "providerd_registry_budget_differences_total", "", NULL, task_store_budget_differences(host->store));
}

/* ---- writing: the directory ---- */

#define DIRECTORY_SERIES LIMIT_PROVIDERS

static double directory_age(const struct directory_figures *figures)
{
	return figures->as_of_ms != 0 ? (double)(clock_unix_ms() - figures->as_of_ms) / 1000 : 0;
}

static void write_directory_gauge(struct buffer *out, const char *name, const char *help, const struct directory_figures *figures,
	size_t count, double (*value)(const struct directory_figures *figures))
{
	metric_family(out, name, "gauge", help);
	for (size_t i = 0; i < count; i++)
		if (figures[i].on)
			metric_value(out, name, "",
				(struct metric_label[]){ { "provider", figures[i].provider }, { NULL, NULL } },
				value(&figures[i]));
}

static double directory_models(const struct directory_figures *figures)
{
	return (double)figures->models;
}

static double directory_described(const struct directory_figures *figures)
{
	return (double)figures->described;
}

static double directory_bytes(const struct directory_figures *figures)
{
	return (double)figures->bytes;
}

static double directory_failing(const struct directory_figures *figures)
{
	return figures->failing_since_ms != 0 ? (double)(clock_unix_ms() - figures->failing_since_ms) / 1000 : 0;
}

static void write_directory_counter(struct buffer *out, const char *name, const char *help,
	const struct directory_figures *figures, size_t count, size_t offset)
{
	metric_family(out, name, "counter", help);
	for (size_t i = 0; i < count; i++)
		metric_count(out, name, "", (struct metric_label[]){ { "provider", figures[i].provider }, { NULL, NULL } },
			*(const uint64_t *)(const void *)((const char *)&figures[i] + offset));
}

static void write_directories(struct buffer *out, struct host *host)
{
	struct directory_figures *figures = memory_new_array(DIRECTORY_SERIES, sizeof *figures);
	size_t count = directory_figures(host->directory, figures, DIRECTORY_SERIES);

	write_directory_gauge(out, "providerd_directory_models", "Models of a provider that the directory knows.", figures, count,
		directory_models);
	write_directory_gauge(out, "providerd_directory_described", "Those of them whose inputs it knows.", figures, count,
		directory_described);
	write_directory_gauge(
		out, "providerd_directory_bytes", "Memory of what it knows of a provider.", figures, count, directory_bytes);
	write_directory_gauge(out, "providerd_directory_age_seconds", "Since the provider's list was read last; 0: it never was.",
		figures, count, directory_age);
	write_directory_gauge(out, "providerd_directory_failing_seconds",
		"Since when the provider's list cannot be read; 0: it can.", figures, count, directory_failing);
	write_directory_counter(out, "providerd_directory_requests_total",
		"Requests that the directory sent to a provider's vendor.", figures, count,
		offsetof(struct directory_figures, requests));
	write_directory_counter(out, "providerd_directory_failures_total", "What it asked for and did not get.", figures, count,
		offsetof(struct directory_figures, failures));
	free(figures);
}

static void write_door(struct buffer *out, struct host *host)
{
	write_answers(out, host->metrics);
	write_gauge(out, "providerd_http_bodies_bytes", "Memory of large requests that are being read or worked on.",
		(double)http_bodies_bytes());
}

/* Nothing of a folder: there is nothing to count. */
static void write_bucket(struct buffer *out, struct host *host)
{
	struct artifacts_state state;

	artifacts_tell(host->artifacts, &state);
	if (!state.bucket)
		return;
	write_gauge(out, "providerd_bucket_up", "Does the bucket of artifacts do what it is asked?", state.problem[0] == '\0');
	write_gauge(out, "providerd_bucket_waiting_files", "Files that this host keeps until the bucket takes them.",
		(double)state.waiting);
	write_gauge(out, "providerd_bucket_cache_bytes", "Files of the bucket that this host keeps to answer with.",
		(double)state.cached_bytes);
	metric_family(out, "providerd_bucket_uploads_total", "counter", "Files for the bucket, by what came of them.");
	metric_count(out, "providerd_bucket_uploads_total", "", (struct metric_label[]){ { "result", "kept" }, { NULL, NULL } },
		state.uploads);
	metric_count(out, "providerd_bucket_uploads_total", "", (struct metric_label[]){ { "result", "failed" }, { NULL, NULL } },
		state.upload_failures);
	metric_family(out, "providerd_bucket_requests_total", "counter", "Requests to the bucket, by what came of them.");
	metric_count(out, "providerd_bucket_requests_total", "", (struct metric_label[]){ { "result", "ok" }, { NULL, NULL } },
		state.requests - state.failures);
	metric_count(out, "providerd_bucket_requests_total", "",
		(struct metric_label[]){ { "result", "failed" }, { NULL, NULL } }, state.failures);
	metric_family(out, "providerd_bucket_bytes_total", "counter", "Bytes of files to the bucket and from it.");
	metric_count(out, "providerd_bucket_bytes_total", "", (struct metric_label[]){ { "direction", "sent" }, { NULL, NULL } },
		state.bytes_sent);
	metric_count(out, "providerd_bucket_bytes_total", "",
		(struct metric_label[]){ { "direction", "received" }, { NULL, NULL } }, state.bytes_received);
}

static void write_process(struct buffer *out, const struct host *host)
{
	metric_family(out, "providerd_build_info", "gauge", "Always 1; the version is a label.");
	metric_count(
		out, "providerd_build_info", "", (struct metric_label[]){ { "version", PROVIDERD_VERSION }, { NULL, NULL } }, 1);
	write_gauge(out, "process_start_time_seconds", "When the host was started, in seconds since 1970.",
		(double)host->started_ms / 1000);
}

void metrics_handle(struct host *host, struct http_request *request)
{
	int waiting, parked;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	write_process(&out, host);
	write_door(&out, host);
	write_registry(&out, host);
	hosts_write_metrics(&out, host);
	write_engine(&out, host);
	write_bucket(&out, host);
	write_scripts(&out, host);
	write_reloads(&out, host->metrics);
	write_budgets(&out, host, request->view->config);
	write_directories(&out, host);
	write_exceeded(&out, host, &request->view->config->live);
	metric_family(&out, "providerd_log_lines_dropped_total", "counter", "Lines of the log that could not be written.");
	metric_value(&out, "providerd_log_lines_dropped_total", "", NULL, (double)log_dropped());
	webhooks_out_backlog(host->webhooks_out, &waiting, &parked);
	write_gauge(&out, "providerd_webhook_backlog", "Deliveries to registered webhooks that are waiting.", waiting);
	write_gauge(&out, "providerd_webhook_parked", "Deliveries that were given up, until somebody asks for a replay.", parked);
	if (out.failed)
		answer_problem(request, 503, NULL, "out of memory");
	else
		http_send(request,
			&(struct http_reply){
				.status = 200, .content_type = METRIC_TEXT_TYPE, .body = out.data, .body_length = out.length });
	buffer_free(&out);
}
