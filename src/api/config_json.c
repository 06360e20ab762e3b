/* config_json.c - writes the configuration under the keys that it has in its file. HTTP threads; no state. Budgets' sums are GET /api/budget's. */
#include "api/config_json.h"

#include <stdlib.h>

#include "base/json.h"
#include "gate/registry_url.h"

static void member_texts(struct buffer *out, const char *name, char *const *texts)
{
	buffer_format(out, "\"%s\":[", name);
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
		if (i > 0)
			buffer_char(out, ',');
		json_write_text(out, texts[i]);
	}
	buffer_text(out, "],");
}

static void config_write_budget(struct buffer *out, const struct budget *budget)
{
	json_open_object(out, "budget_usd");
	json_member_usd(out, "per_day", budget->per_day_micro_usd);
	json_member_usd(out, "per_month", budget->per_month_micro_usd);
	json_close_object(out);
}

static void config_write_keys(struct buffer *out, const struct config_server *server)
{
	buffer_text(out, "\"api_keys\":[");
	for (size_t i = 0; i < server->api_key_count; i++) {
		const struct config_api_key *key = &server->api_keys[i];
		bool first = true;

		buffer_text(out, i > 0 ? ",{" : "{");
		json_member_text(out, "name", key->name);
		buffer_text(out, "\"may\":[");
		for (unsigned role = 1; role <= ROLE_ALL; role <<= 1) {
			if ((key->may & role) == 0)
				continue;
			buffer_format(out, "%s\"%s\"", first ? "" : ",", config_role_name((enum role)role));
			first = false;
		}
		buffer_format(out, "],\"sees\":\"%s\"}", key->sees_own ? "own" : "all");
	}
	buffer_text(out, "],");
}

static void config_write_server(struct buffer *out, const struct config_server *server)
{
	json_open_object(out, "server");
	json_member_text(out, "listen", server->listen);
	json_member_text(out, "probe_listen", server->probe_listen);
	json_member_integer(out, "threads", server->threads);
	json_member_integer(out, "max_body_bytes", (int64_t)server->max_body_bytes);
	json_member_integer(out, "max_streams", server->max_streams);
	member_texts(out, "allowed_origins", server->allowed_origins);
	member_texts(out, "allowed_hosts", server->allowed_hosts);
	json_member_bool(out, "studio", server->studio);
	config_write_keys(out, server);
	json_close_object(out);
}

static void config_write_live(struct buffer *out, const struct config_live *live)
{
	json_open_object(out, "live");
	json_member_bool(out, "enabled", live->enabled);
	config_write_budget(out, &live->budget);
	json_member_text(out, "public_url", live->public_url);
	json_member_text(out, "upstream", live->upstream);
	json_member_bool(out, "trace", live->trace);
	json_open_object(out, "providers");
	for (size_t i = 0; i < live->provider_count; i++) {
		const struct config_live_provider *provider = &live->providers[i];

		json_open_object(out, provider->id);
		json_member_bool(out, "enabled", provider->enabled);
		config_write_budget(out, &provider->budget);
		json_member_usd(out, "min_reserve_usd", provider->min_reserve_micro_usd);
		json_member_integer(out, "rate_per_minute", provider->rate_per_minute);
		json_member_integer(out, "max_concurrent", provider->max_concurrent);
		json_member_text(out, "base_url", provider->base_url);
		member_texts(out, "hosts", provider->hosts);
		json_close_object(out);
	}
	json_close_object(out);
	json_close_object(out);
}

static void config_write_files(struct buffer *out, const struct config *config)
{
	char *url = registry_url_mask(config->registry_url);

	json_open_object(out, "registry");
	json_member_text(out, "url", url);
	json_member_integer(out, "keep_days", config->registry_keep_days);
	json_member_integer(out, "lease_seconds", config->registry_lease_seconds);
	json_close_object(out);
	json_open_object(out, "artifacts");
	json_member_text(out, "dir", config->artifacts.dir);
	json_member_integer(out, "max_bytes", config->artifacts.max_bytes);
	json_member_text(out, "endpoint", config->artifacts.endpoint);
	json_member_text(out, "region", config->artifacts.region);
	json_member_json(out, "path_style", config_bucket_style(&config->artifacts));
	json_member_text(out, "deliver", config->artifacts.redirects ? "redirect" : "proxy");
	json_member_integer(out, "cache_bytes", config->artifacts.cache_bytes);
	json_close_object(out);
	json_open_object(out, "log");
	json_member_text(out, "file", config->log_file);
	json_member_text(out, "level", log_level_name(config->log_level));
	json_member_text(out, "format", config->log_format);
	json_close_object(out);
	free(url);
}

void config_json_write(struct buffer *out, const struct config *config)
{
	json_open_object(out, "config");
	json_member_text(out, "file", config->path != NULL ? config->file : NULL);
	config_write_server(out, &config->server);
	config_write_live(out, &config->live);
	config_write_files(out, config);
	json_close_object(out);
}
