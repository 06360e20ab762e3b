/* config.c - config/comfyvn.json: its keys, their ranges and defaults.
 *
 * Runs at start and on the loader thread; what it returns never changes again. Refuses unknown keys, wrong types, values out of
 * range, plain HTTP beyond loopback, and an address beyond loopback without API keys. The tables below, config/comfyvn.json and
 * config/comfyvn.schema.json say the same: change them together. */
#include "gate/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "gate/address.h"
#include "gate/config_parts.h"
#include "gate/config_read.h"
#include "gate/fields.h"
#include "gate/registry_url.h"

const char *const config_names[2] = { "config/comfyvn.json", "comfyvn.json" };

/* ---- the texts that only some values fit ---- */

static const char *refuse_log_format(const char *text)
{
	return strcmp(text, "logfmt") == 0 || strcmp(text, "json") == 0 ? NULL : "expected \"logfmt\" or \"json\"";
}

static enum error_code read_log_level(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	(void)field;
	if (json_text_value(value) == NULL)
		return field_fail_type(reader, "text", value);
	if (!log_level_parse(json_string_value(value), (enum log_level *)to))
		return field_fail(reader, "expected \"debug\", \"info\", \"warn\" or \"error\"");
	return ERROR_NONE;
}

const struct field config_budget_fields[] = {
	{ .key = "per_day", .read = field_usd, .offset = offsetof(struct budget, per_day_micro_usd), .maximum = CONFIG_USD_MAX },
	{ .key = "per_month",
		.read = field_usd,
		.offset = offsetof(struct budget, per_month_micro_usd),
		.maximum = CONFIG_USD_MAX },
	{ .key = NULL },
};

/* ---- the tables ---- */

static const struct field feature_fields[] = {
	{ .key = "enable_public_gpu", .read = field_bool, .offset = offsetof(struct config_features, enable_public_gpu) },
	{ .key = "enable_public_image_providers",
		.read = field_bool,
		.offset = offsetof(struct config_features, enable_public_image_providers) },
	{ .key = "enable_public_video_providers",
		.read = field_bool,
		.offset = offsetof(struct config_features, enable_public_video_providers) },
	{ .key = "enable_public_image_video",
		.read = field_bool,
		.offset = offsetof(struct config_features, enable_public_image_video) },
	{ .key = NULL },
};

#define IN_SERVER(member) .offset = offsetof(struct config_server, member)

static const struct field server_fields[] = {
	{ .key = "listen", .read = field_text, IN_SERVER(listen), .refuse = address_refuse_listen },
	{ .key = "probe_listen", .read = field_text, IN_SERVER(probe_listen), .nullable = true, .refuse = address_refuse_listen },
	{ .key = "threads", .read = field_int, IN_SERVER(threads), .minimum = 4, .maximum = 4096 },
	{ .key = "max_body_bytes",
		.read = field_size,
		IN_SERVER(max_body_bytes),
		.minimum = 1024,
		.maximum = LIMIT_BODY_BYTES_MAX },
	{ .key = "max_streams", .read = field_int, IN_SERVER(max_streams), .minimum = 0, .maximum = 4095 },
	{ .key = "studio", .read = field_bool, IN_SERVER(studio) },
	{ .key = "api_keys", .read = config_read_api_keys },
	{ .key = "allowed_origins", .read = field_text_list, IN_SERVER(allowed_origins), .refuse = address_refuse_origin },
	{ .key = "allowed_hosts", .read = field_text_list, IN_SERVER(allowed_hosts), .refuse = address_refuse_host },
	{ .key = NULL },
};

#define IN_LIVE(member) .offset = offsetof(struct config_live, member)

static const struct field live_fields[] = {
	{ .key = "enabled", .read = field_bool, IN_LIVE(enabled) },
	{ .key = "budget_usd", .read = field_object, IN_LIVE(budget), .fields = config_budget_fields },
	{ .key = "public_url", .read = field_text, IN_LIVE(public_url), .nullable = true, .refuse = address_refuse_url },
	{ .key = "upstream", .read = field_text, IN_LIVE(upstream), .nullable = true, .refuse = address_refuse_url },
	{ .key = "trace", .read = field_bool, IN_LIVE(trace) },
	{ .key = "providers", .read = config_read_providers },
	{ .key = NULL },
};

static const struct field hooks_fields[] = {
	{ .key = "enabled", .read = field_bool, .offset = offsetof(struct config_hooks, enabled) },
	{ .key = "allow_loopback", .read = field_bool, .offset = offsetof(struct config_hooks, allow_loopback) },
	{ .key = NULL },
};

#define IN_CONFIG(member) .offset = offsetof(struct config, member)

static const struct field registry_fields[] = {
	{ .key = "url", .read = field_text, IN_CONFIG(registry_url), .refuse = registry_url_refuse },
	{ .key = "keep_days", .read = field_int, IN_CONFIG(registry_keep_days), .minimum = 1, .maximum = 36500 },
	{ .key = "lease_seconds", .read = field_int, IN_CONFIG(registry_lease_seconds), .minimum = 3, .maximum = 120 },
	{ .key = NULL },
};

static const struct field log_fields[] = {
	{ .key = "file", .read = field_text, IN_CONFIG(log_file), .nullable = true },
	{ .key = "level", .read = read_log_level, IN_CONFIG(log_level) },
	{ .key = "format", .read = field_text, IN_CONFIG(log_format), .refuse = refuse_log_format },
	{ .key = NULL },
};

static const struct field config_fields[] = {
	{ .key = "features", .read = field_object, IN_CONFIG(features), .fields = feature_fields },
	{ .key = "server", .read = field_object, IN_CONFIG(server), .fields = server_fields },
	{ .key = "live", .read = field_object, IN_CONFIG(live), .fields = live_fields },
	{ .key = "directory", .read = field_object, IN_CONFIG(directory), .fields = config_directory_fields },
	{ .key = "hooks", .read = field_object, IN_CONFIG(hooks), .fields = hooks_fields },
	{ .key = "openai", .read = field_object, IN_CONFIG(openai), .fields = config_openai_fields },
	{ .key = "mcp", .read = field_object, IN_CONFIG(mcp), .fields = config_mcp_fields },
	{ .key = "registry", .read = field_object, .fields = registry_fields },
	{ .key = "artifacts", .read = field_object, IN_CONFIG(artifacts), .fields = config_artifacts_fields },
	{ .key = "log", .read = field_object, .fields = log_fields },
	{ .key = "$schema", .read = field_ignored }, /* editors look for it */
	{ .key = NULL },
};

/* ---- the whole ---- */

bool config_listen_is_loopback(const char *listen)
{
	return address_listen_is_loopback(listen);
}

const char *config_refuse_hook_url(const struct config *config, const char *url)
{
	const char *refusal = address_refuse_target(url);

	if (refusal == NULL && strncmp(url, "http://", 7) == 0 && !config->hooks.allow_loopback)
		refusal = "must begin with https://; plain http goes to this machine only, and only when hooks.allow_loopback is "
			  "on";
	return refusal;
}

enum error_code config_check_listen(const char *listen, size_t api_key_count, struct error *error)
{
	const char *refusal = address_refuse_listen(listen);

	if (refusal == NULL && api_key_count == 0 && !address_listen_is_loopback(listen))
		refusal = "listening beyond loopback needs at least one entry in server.api_keys, otherwise anybody on the "
			  "network could "
			  "submit jobs";
	return refusal != NULL ? error_set(error, ERROR_INVALID, "server.listen", "%s", refusal) : ERROR_NONE;
}

/* What no single key can tell. */
static enum error_code check_together(struct field_reader *reader, struct config_server *server, bool streams_given)
{
	struct error problem;

	if (config_check_listen(server->listen, server->api_key_count, &problem) != ERROR_NONE) {
		field_enter(reader, problem.path);
		return field_fail(reader, "%s", problem.message);
	}
	if (server->max_streams < server->threads)
		return ERROR_NONE;
	if (streams_given) {
		field_enter(reader, "server.max_streams");
		return field_fail(
			reader, "must be smaller than server.threads (%d): each stream holds a thread", server->threads);
	}
	server->max_streams = server->threads / 2;
	return ERROR_NONE;
}

static void make_defaults(struct config *config)
{
	config->server = (struct config_server){ .listen = memory_copy_text("127.0.0.1:8001"),
		.threads = 512,
		.max_body_bytes = LIMIT_BODY_BYTES_DEFAULT,
		.max_streams = 64,
		.studio = true,
		.allowed_origins = memory_new(sizeof(char *)),
		.allowed_hosts = memory_new(sizeof(char *)) };
	config->directory.refresh_hours = 24;
	config->openai.wait_seconds = 270;
	config->mcp.enabled = config->mcp.resource_links = true;
	config->registry_url = memory_copy_text("sqlite:data/registry.db");
	config->registry_keep_days = 30;
	config->registry_lease_seconds = 15;
	config->artifacts = (struct config_artifacts){
		.dir = memory_copy_text("data/artifacts"), .max_bytes = INT64_C(2) << 30, .cache_bytes = INT64_C(1) << 30
	};
	config->log_file = memory_copy_text("logs/server.log");
	config->log_level = LOG_INFO;
	config->log_format = memory_copy_text("logfmt");
}

static enum error_code overlay(const struct document *document, struct config *config, struct error *error)
{
	struct field_reader reader = { .file = document->name, .error = error };
	enum error_code code;
	json_t *object;

	config->path = memory_copy_text(document->path);
	object = document_parse(document, false, error);
	if (object == NULL)
		return error->code;
	code = fields_read(&reader, config_fields, object, config);
	if (code == ERROR_NONE)
		code = check_together(
			&reader, &config->server, json_object_get(json_object_get(object, "server"), "max_streams") != NULL);
	json_decref(object);
	return code;
}

enum error_code config_from_document(const struct document *document, struct config **config, struct error *error)
{
	struct error problem = { .code = ERROR_NONE };
	struct config *made = memory_new(sizeof *made);
	enum error_code code = ERROR_NONE;

	made->file = document->name;
	make_defaults(made);
	if (document->path != NULL)
		code = overlay(document, made, &problem);
	if (code == ERROR_NONE) {
		*config = made;
		return ERROR_NONE;
	}
	config_free(made);
	if (error != NULL)
		*error = problem;
	return code;
}

enum error_code config_read(const char *home, struct config **config, struct error *error)
{
	struct document document;
	enum error_code code = document_read(home, config_names, false, &document, error);

	if (code == ERROR_NONE)
		code = config_from_document(&document, config, error);
	document_free(&document);
	return code;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->server.api_key_count; i++)
		free(config->server.api_keys[i].name);
	free(config->server.api_keys);
	field_list_free(config->server.allowed_origins);
	field_list_free(config->server.allowed_hosts);
	free(config->server.listen);
	free(config->server.probe_listen);
	for (size_t i = 0; i < config->live.provider_count; i++) {
		free(config->live.providers[i].id);
		free(config->live.providers[i].base_url);
		field_list_free(config->live.providers[i].hosts);
		field_list_free(config->live.providers[i].credentials.env);
		field_list_free(config->live.providers[i].credentials.secrets);
	}
	free(config->live.providers);
	free(config->live.public_url);
	free(config->live.upstream);
	config_directory_free(&config->directory);
	config_openai_free(&config->openai);
	free(config->registry_url);
	config_artifacts_free(&config->artifacts);
	free(config->log_file);
	free(config->log_format);
	free(config->path);
	free(config);
}

bool config_feature(const struct config *config, const char *name, bool *known)
{
	for (const struct field *field = feature_fields; field->key != NULL; field++) {
		if (strcmp(field->key, name) == 0) {
			*known = true;
			return *(const bool *)((const char *)&config->features + field->offset);
		}
	}
	*known = false;
	return false;
}
