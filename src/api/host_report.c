/* host_report.c - tells how the host stands. HTTP threads; memory only: what is quoted of files was read when they were loaded. No value of a secret and
 * no hash of an API key is written. */
#include "api/host_report.h"

#include <string.h>

#include "api/access.h"
#include "api/answer.h"
#include "api/config_json.h"
#include "api/file_problem_json.h"
#include "api/hosts.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "gate/session.h"
#include "script/script_problem.h"
#include "studio/studio.h"

/* ---- what everybody may see ---- */

static void report_features(struct buffer *out, const struct config_features *features)
{
	json_open_object(out, "features");
	json_member_bool(out, "enable_public_gpu", features->enable_public_gpu);
	json_member_bool(out, "enable_public_image_providers", features->enable_public_image_providers);
	json_member_bool(out, "enable_public_video_providers", features->enable_public_video_providers);
	json_member_bool(out, "enable_public_image_video", features->enable_public_image_video);
	json_close_object(out);
}

static void report_switches(struct buffer *out, const struct host *host, const struct config *config)
{
	json_open_object(out, "live");
	json_member_bool(out, "enabled", config->live.enabled);
	json_member_bool(out, "stopped", live_is_stopped(host->live));
	json_member_bool(out, "detoured", config->live.upstream != NULL);
	json_open_object(out, "providers");
	for (size_t i = 0; i < config->live.provider_count; i++)
		json_member_bool(out, config->live.providers[i].id, config->live.providers[i].enabled);
	json_close_object(out);
	json_close_object(out);
	json_open_object(out, "hooks");
	json_member_bool(out, "enabled", config->hooks.enabled);
	json_member_bool(out, "allow_loopback", config->hooks.allow_loopback);
	json_close_object(out);
	json_open_object(out, "mcp");
	json_member_bool(out, "enabled", config->mcp.enabled);
	json_member_bool(out, "live", config->mcp.live);
	json_member_usd(out, "approve_above_usd", config->mcp.approve_above_micro_usd);
	json_member_text(out, "approval", config->mcp.approval == APPROVAL_CLIENT ? "client" : "operator");
	json_close_object(out);
	json_open_object(out, "directory");
	json_member_bool(out, "enabled", config->directory.enabled);
	json_member_integer(out, "refresh_hours", config->directory.refresh_hours);
	json_open_object(out, "providers");
	for (size_t i = 0; i < config->directory.provider_count; i++)
		json_member_bool(out, config->directory.providers[i].id, config->directory.providers[i].enabled);
	json_close_object(out);
	json_close_object(out);
}

static int64_t streams_allowed(const struct host *host, const struct config *config)
{
	return config->server.max_streams < host->most_streams ? config->server.max_streams : host->most_streams;
}

static void report_limits(struct buffer *out, const struct host *host, const struct config *config)
{
	json_open_object(out, "limits");
	json_member_integer(out, "max_body_bytes", (int64_t)config->server.max_body_bytes);
	json_member_integer(out, "max_streams", streams_allowed(host, config));
	json_member_integer(out, "keep_days", config->registry_keep_days);
	json_member_integer(out, "threads", config->server.threads);
	json_close_object(out);
}

static void report_host(struct buffer *out, const struct host *host)
{
	int64_t now_ms = clock_unix_ms();

	json_member_text(out, "version", PROVIDERD_VERSION);
	json_member_time(out, "started_at", host->started_ms);
	json_member_integer(out, "uptime_seconds", (now_ms - host->started_ms) / 1000);
	json_member_bool(out, "draining", atomic_load(&host->draining));
	json_open_object(out, "queues");
	json_member_integer(out, "engine", (int64_t)engine_backlog(host->engine));
	json_member_integer(out, "store", (int64_t)task_store_backlog(host->store));
	json_close_object(out);
}

/* ---- problems of files ---- */

struct problem_list {
	struct buffer *out;
	bool quote; /* who asks may see lines of the files */
	size_t count;
};

static void list_problem(struct problem_list *list, const struct file_problem *problem)
{
	if (problem == NULL)
		return;
	if (list->count++ > 0)
		buffer_char(list->out, ',');
	file_problem_write(list->out, problem, list->quote);
}

static bool is_same_problem(const struct file_problem *a, const struct file_problem *b)
{
	return a != NULL && a->line == b->line && strcmp(a->file, b->file) == 0 && strcmp(a->message, b->message) == 0;
}

/* A helper that is broken is one problem, however many scripts require it. */
static bool was_listed(const struct provider_set *set, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same_problem(set->entries[i].problem, set->entries[index].problem))
			return true;
	return false;
}

static void list_rest(struct problem_list *list, const struct provider_entry *entry)
{
	struct file_problem *problem;
	char why[256];

	if (entry->provider == NULL || !provider_rests(entry->provider))
		return;
	provider_rest_reason(entry->provider, why, sizeof why);
	problem = script_problem_new(why, entry->file);
	list_problem(list, problem);
	file_problem_release(problem);
}

static void list_page_problems(struct problem_list *list, struct host *host)
{
	struct file_problem *problem;

	for (size_t i = 0; (problem = studio_problem(host->studio, i)) != NULL; i++) {
		list_problem(list, problem);
		file_problem_release(problem);
	}
}

static void report_problems(struct buffer *out, struct host *host, const struct gate_view *view, bool quote)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	struct problem_list list = { .out = out, .quote = quote };

	buffer_text(out, "\"problems\":[");
	list_problem(&list, view->config_problem);
	list_problem(&list, view->secrets_problem);
	for (size_t i = 0; i < set->count; i++) {
		if (set->entries[i].problem != NULL && !was_listed(set, i))
			list_problem(&list, set->entries[i].problem);
		list_rest(&list, &set->entries[i]);
	}
	list_page_problems(&list, host);
	buffer_text(out, "],");
	provider_set_release(set);
}

void host_report_handle(struct host *host, struct http_request *request)
{
	const struct config *config = request->view->config;
	bool operates = access_has(request, ROLE_OPERATE);
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,");
	report_host(&out, host);
	report_features(&out, &config->features);
	report_switches(&out, host, config);
	report_limits(&out, host, config);
	hosts_report(&out, host);
	report_problems(&out, host, request->view, operates);
	if (operates)
		config_json_write(&out, config);
	else
		buffer_text(&out, "\"config\":null,");
	if (!out.failed)
		out.length--;
	buffer_char(&out, '}');
	answer_json(request, 200, NULL, &out);
	buffer_free(&out);
}
