/* hosts.c - writes down who uses the registry. HTTP threads, and the one of probes; memory only: what the cluster's thread saw last. */
#include "api/hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/histogram.h"
#include "base/json.h"
#include "base/metric_text.h"
#include "cluster/cluster.h"

#define CLOCK_PROBLEM_MS 1000

static int64_t open_jobs(const struct live_counts *counts)
{
	return (int64_t)(counts->queued + counts->sending + counts->sent + counts->unknown);
}

/* Of a registry that is not shared nobody counts by owner: all are this host's. */
static int64_t jobs_of(struct host *host, const struct cluster_host_view *view)
{
	struct live_counts counts;

	if (cluster_is_shared(host->cluster))
		return view->jobs;
	counts = live_counts(host->live);
	return open_jobs(&counts);
}

/* ---- the report ---- */

struct reporting {
	struct buffer *out;
	struct host *host;
	int count;
};

static void report_one(void *context, const struct cluster_host_view *view)
{
	struct reporting *reporting = context;
	struct buffer *out = reporting->out;

	buffer_text(out, reporting->count++ > 0 ? ",{" : "{");
	json_member_text(out, "name", view->row->name);
	json_member_integer(out, "slot", view->row->slot);
	json_member_bool(out, "self", view->is_self);
	json_member_text(out, "version", view->row->program);
	json_member_time(out, "started_at", view->row->started_ms);
	json_member_integer(out, "beat_age_ms", view->beat_age_ms);
	json_member_integer(out, "lease_seconds", view->row->lease_ms / 1000);
	json_member_integer(out, "jobs", jobs_of(reporting->host, view));
	json_member_bool(out, "config_differs", view->differs);
	json_close_object(out);
	if (!out->failed)
		out->length--; /* the comma behind it */
}

void hosts_report(struct buffer *out, struct host *host)
{
	struct cluster_figures figures = cluster_figures(host->cluster);
	struct reporting reporting = { .out = out, .host = host };

	json_open_object(out, "registry");
	json_member_bool(out, "shared", cluster_is_shared(host->cluster));
	json_member_integer(out, "clock_ahead_ms", figures.clock_ms);
	json_member_integer(out, "declared_dead", figures.declared);
	json_member_integer(out, "fenced", figures.dropped);
	json_member_integer(out, "beat_failures", figures.beat_failures);
	json_close_object(out);
	buffer_text(out, "\"hosts\":[");
	cluster_hosts(host->cluster, report_one, &reporting);
	buffer_text(out, "],");
}

/* ---- figures ---- */

/* A family's lines stand together, so each is a walk. */
struct figure {
	struct buffer *out;
	struct host *host;
	const char *name;
	double (*of)(struct host *host, const struct cluster_host_view *view);
};

static double beat_of(struct host *host, const struct cluster_host_view *view)
{
	(void)host;
	return (double)view->beat_age_ms / 1000;
}

static double job_count_of(struct host *host, const struct cluster_host_view *view)
{
	return (double)jobs_of(host, view);
}

static void write_one(void *context, const struct cluster_host_view *view)
{
	const struct figure *figure = context;
	char slot[16];

	snprintf(slot, sizeof slot, "%d", view->row->slot);
	metric_value(figure->out, figure->name, "",
		(struct metric_label[]){ { "host", view->row->name }, { "slot", slot }, { NULL, NULL } },
		figure->of(figure->host, view));
}

static void write_each(struct buffer *out, struct host *host, const char *name, const char *help,
	double (*of)(struct host *host, const struct cluster_host_view *view))
{
	struct figure figure = { .out = out, .host = host, .name = name, .of = of };

	metric_family(out, name, "gauge", help);
	cluster_hosts(host->cluster, write_one, &figure);
}

static void write_number(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
	metric_family(out, name, type, help);
	metric_value(out, name, "", NULL, value);
}

static void write_times(struct buffer *out, struct host *host)
{
	uint64_t values[HISTOGRAM_COUNTERS];

	task_store_commit_times(host->store, values);
	metric_family(out, "providerd_registry_commit_seconds", "histogram",
		"Time that a group of writes took, with what it waited for others that write.");
	histogram_write(out, "providerd_registry_commit_seconds", NULL, values);
}

void hosts_write_metrics(struct buffer *out, struct host *host)
{
	struct cluster_figures figures = cluster_figures(host->cluster);
	char problem[512];

	write_number(
		out, "providerd_hosts", "gauge", "Hosts that use the registry, this one too, and are not dead.", figures.hosts);
	write_number(out, "providerd_hosts_differing", "gauge", "Those whose configuration of live jobs is not this host's.",
		figures.differing);
	write_each(
		out, host, "providerd_host_beat_age_seconds", "Since a host's last sign of life, as this one saw it.", beat_of);
	write_each(out, host, "providerd_host_jobs", "Open live jobs of a host.", job_count_of);
	write_number(out, "providerd_hosts_declared_dead_total", "counter", "Hosts that this one declared dead.",
		(double)figures.declared);
	write_number(out, "providerd_host_fenced_total", "counter",
		"How often this host was declared dead by another, and began anew.", (double)figures.dropped);
	write_number(out, "providerd_host_beat_failures_total", "counter", "Signs of life that could not be given.",
		(double)figures.beat_failures);
	write_number(out, "providerd_registry_up", "gauge", "1: the registry can be written.",
		task_store_problem(host->store, problem, sizeof problem) ? 0 : 1);
	write_number(out, "providerd_registry_pulse_seconds", "gauge",
		"How long the registry took to say what is new, the last time.", (double)figures.pulse_us / 1e6);
	write_number(out, "providerd_registry_clock_seconds", "gauge", "How far the registry's clock is ahead of this machine's.",
		(double)figures.clock_ms / 1000);
	write_times(out, host);
}

/* ---- what is wrong ---- */

void hosts_list_problems(struct host *host, void (*add)(void *context, const char *text), void *context)
{
	struct cluster_figures figures = cluster_figures(host->cluster);
	char text[256];

	if (figures.differing > 0) {
		snprintf(text, sizeof text,
			"%d of the hosts that use this registry %s other settings in `live` or `features`: give all the same "
			"file",
			figures.differing, figures.differing == 1 ? "has" : "have");
		add(context, text);
	}
	if (llabs(figures.clock_ms) < CLOCK_PROBLEM_MS)
		return;
	snprintf(text, sizeof text, "this machine's clock is %.1f s %s the registry's: set both by NTP",
		(double)llabs(figures.clock_ms) / 1000, figures.clock_ms > 0 ? "behind" : "ahead of");
	add(context, text);
}
