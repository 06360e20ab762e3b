/* reload_events.c - compares what was in force with what is. Loader thread; no state.
 *
 * The loader publishes new versions and logs them; this file finds out what differs, so that neither gate/ nor script/ needs to know of the
 * log of events. No value of a secret is read here. */
#include "cli/reload_events.h"

#include <string.h>

#include "api/file_problem_json.h"
#include "api/metrics.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "event/host_event.h"

struct in_force in_force_take(struct gate *gate, struct provider_loader *loader)
{
	return (struct in_force){ .view = gate_acquire(gate), .set = provider_loader_acquire(loader) };
}

void in_force_release(struct gate *gate, struct in_force *in_force)
{
	gate_release(gate, in_force->view);
	provider_set_release(in_force->set);
}

/* An object of texts: names and values by turns, up to a NULL name. */
static void emit_host_event(struct host *host, const char *type, const char *const *members)
{
	struct buffer out;

	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	for (; members[0] != NULL; members += 2) {
		buffer_text(&out, out.length == 0 ? "{\"" : ",\"");
		buffer_text(&out, members[0]);
		buffer_text(&out, "\":");
		json_write_text(&out, members[1]);
	}
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(host->store, type, out.data);
	buffer_free(&out);
}

static bool is_new(const struct file_problem *before, const struct file_problem *after)
{
	return after != NULL && (before == NULL || strcmp(before->text, after->text) != 0);
}

/* A file is not taken as it is: `file`, of whom, why in one text, and where, which may be in a helper's file. */
static void emit_rejected(struct host *host, const char *type, const char *file, const struct file_problem *problem)
{
	struct buffer out;

	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_char(&out, '{');
	json_member_text(&out, "file", file);
	json_member_text(&out, "reason", problem->text);
	if (problem->line > 0)
		buffer_format(&out, "\"line\":%d,", problem->line);
	else
		buffer_text(&out, "\"line\":null,");
	json_member_text(&out, "message", problem->message);
	buffer_text(&out, "\"error_at\":");
	file_problem_write_place(&out, problem);
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(host->store, type, out.data);
	buffer_free(&out);
}

/* ---- configuration and secrets ---- */

static void add_flag(struct buffer *out, const char *name, bool before, bool after)
{
	if (before == after)
		return;
	if (out->length > 0)
		buffer_char(out, ',');
	buffer_format(out, "\"%s\":", name);
	json_write_bool(out, after);
}

/* The file, and the switches that changed with their new values. */
static void emit_config(struct host *host, const struct config *before, const struct config *after)
{
	const struct config_features *old = &before->features, *new = &after->features;
	struct buffer changed, out;

	buffer_init(&changed, LIMIT_HOST_EVENT_BYTES / 2);
	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	add_flag(&changed, "features.enable_public_gpu", old->enable_public_gpu, new->enable_public_gpu);
	add_flag(&changed, "features.enable_public_image_providers", old->enable_public_image_providers,
		new->enable_public_image_providers);
	add_flag(&changed, "features.enable_public_video_providers", old->enable_public_video_providers,
		new->enable_public_video_providers);
	add_flag(&changed, "features.enable_public_image_video", old->enable_public_image_video, new->enable_public_image_video);
	add_flag(&changed, "live.enabled", before->live.enabled, after->live.enabled);
	buffer_format(&out, "{\"file\":\"%s\",\"changed\":{%s}}", after->file, changed.length > 0 ? changed.data : "");
	if (!changed.failed && !out.failed)
		host_event_emit(host->store, "host.config.reloaded", out.data);
	buffer_free(&changed);
	buffer_free(&out);
}

static void emit_files(struct host *host, const struct gate_view *before, const struct gate_view *after)
{
	if (before->config != after->config) {
		metrics_reloaded(host->metrics, RELOAD_CONFIG, false);
		emit_config(host, before->config, after->config);
	}
	if (before->secrets != after->secrets) {
		metrics_reloaded(host->metrics, RELOAD_SECRETS, false);
		host_event_emit(host->store, "host.secrets.reloaded", NULL);
	}
	if (is_new(before->config_problem, after->config_problem)) {
		metrics_reloaded(host->metrics, RELOAD_CONFIG, true);
		emit_rejected(host, "host.config.rejected", after->config_problem->file, after->config_problem);
	}
	if (is_new(before->secrets_problem, after->secrets_problem)) {
		metrics_reloaded(host->metrics, RELOAD_SECRETS, true);
		emit_rejected(host, "host.secrets.rejected", after->secrets_problem->file, after->secrets_problem);
	}
}

/* ---- scripts ---- */

static void emit_script(struct host *host, const struct provider_entry *before, const struct provider_entry *after)
{
	const struct provider *old = before != NULL ? before->provider : NULL, *new = after->provider;

	if (new != NULL && (old == NULL || old->generation != new->generation)) {
		metrics_reloaded(host->metrics, RELOAD_SCRIPT, false);
		emit_host_event(host, "host.script.loaded",
			(const char *[]){ "file", after->file, "provider", new->manifest.id, "kind", new->manifest.kind, NULL });
	}
	if (is_new(before != NULL ? before->problem : NULL, after->problem)) {
		metrics_reloaded(host->metrics, RELOAD_SCRIPT, true);
		emit_rejected(host, "host.script.rejected", after->file, after->problem);
	}
}

static void emit_scripts(struct host *host, const struct provider_set *before, const struct provider_set *after)
{
	if (before == after)
		return;
	for (size_t i = 0; i < after->count; i++)
		emit_script(host, provider_set_entry(before, after->entries[i].file), &after->entries[i]);
	for (size_t i = 0; i < before->count; i++)
		if (provider_set_entry(after, before->entries[i].file) == NULL)
			emit_host_event(host, "host.script.removed", (const char *[]){ "file", before->entries[i].file, NULL });
}

void reload_events_emit(struct host *host, const struct in_force *before, const struct in_force *after)
{
	emit_files(host, before->view, after->view);
	emit_scripts(host, before->set, after->set);
}
