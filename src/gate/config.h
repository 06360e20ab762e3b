/* config.h - config/comfyvn.json as the host understands it. Immutable once read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

struct budget {
	int64_t per_day_micro_usd;
	int64_t per_month_micro_usd;
};

struct config_features {
	bool enable_public_gpu;
	bool enable_public_image_providers;
	bool enable_public_video_providers;
	bool enable_public_image_video; /* legacy umbrella: image and video, never gpu */
};

/* What an API key may do; a route needs one of them. Bits. */
enum role {
	ROLE_NOBODYS = 0, /* no key is asked for */
	ROLE_READ = 1,	  /* every GET, health */
	ROLE_SUBMIT = 2,  /* submit, generate, poll, cancel */
	ROLE_LIVE = 4,	  /* "dry_run": false */
	ROLE_OPERATE = 8, /* resolve, stop and start, webhooks and their secrets */
};

#define ROLE_ALL (ROLE_READ | ROLE_SUBMIT | ROLE_LIVE | ROLE_OPERATE)

/* "read", ... */
const char *config_role_name(enum role role);

struct config_api_key {
	char *name;
	unsigned may;  /* bits of enum role */
	bool sees_own; /* only the jobs that came with it */
	unsigned char sha256[32];
	struct budget budget;
	bool has_budget;
};

struct config_server {
	char *listen;	    /* "127.0.0.1:8001" */
	char *probe_listen; /* the same for probes only, or NULL */
	int threads;
	size_t max_body_bytes;
	int max_streams;
	bool studio; /* the page at / */
	struct config_api_key *api_keys;
	size_t api_key_count;
	char **allowed_origins; /* NULL-terminated */
	char **allowed_hosts;	/* NULL-terminated */
};

/* What a script that did not come with the host may have read for it. Each NULL, or NULL-terminated. */
struct config_consent {
	char **env;	/* environment variables */
	char **secrets; /* sections of the secrets file beside its id's own */
};

struct config_live_provider {
	char *id;
	bool enabled;
	struct budget budget;
	int64_t min_reserve_micro_usd; /* no job reserves less, but one that its script says is free */
	int rate_per_minute;
	int max_concurrent;
	char *base_url; /* or NULL */
	char **hosts; /* NULL, or NULL-terminated: hosts that strangers can have names on and that get the credential all the same */
	struct config_consent credentials;
};

struct config_live {
	bool enabled;
	struct budget budget;
	char *public_url; /* or NULL */
	char *upstream;	  /* or NULL */
	bool trace;	  /* a client's traceparent goes on to vendors */
	struct config_live_provider *providers;
	size_t provider_count;
};

struct config_directory_provider {
	char *id;
	bool enabled;
};

/* What vendors are asked about their models. It spends nothing, so it needs neither a live switch nor a budget. */
struct config_directory {
	bool enabled;
	int refresh_hours; /* after which a list is asked for again */
	struct config_directory_provider *providers;
	size_t provider_count;
};

/* The door for programs that were made for OpenAI's API. */
struct config_openai_model {
	char *name;   /* as they call it: "sora-2" */
	char *target; /* what it is here: "runway/gen4.5" */
};

struct config_openai {
	struct config_openai_model *models;
	size_t model_count;
	bool dry_run_is_error; /* instead of a placeholder */
	int wait_seconds;      /* that an image is waited for, at most */
};

/* Outgoing webhooks. */
struct config_hooks {
	bool enabled;
	bool allow_loopback; /* plain HTTP to this machine */
};

/* Who says yes to a job that costs more than mcp.approve_above_usd. */
enum config_approval {
	APPROVAL_OPERATOR = 0, /* somebody with a key that may operate */
	APPROVAL_CLIENT,       /* also the client's own user, where the client can ask */
};

/* The tools of /mcp. */
struct config_mcp {
	bool enabled;
	bool live;	      /* its tools may spend */
	struct budget budget; /* what they may spend, all keys together */
	int64_t approve_above_micro_usd;
	enum config_approval approval;
	bool resource_links; /* in results, beside the URLs */
};

#define CONFIG_BUCKET_SCHEME "s3://"

/* How a bucket is named in its URLs. */
enum config_bucket_style {
	BUCKET_STYLE_UNSAID = 0, /* as the endpoint usually has it */
	BUCKET_STYLE_PATH,	 /* https://endpoint/bucket/... */
	BUCKET_STYLE_HOST,	 /* https://bucket.endpoint/... */
};

/* Where the copies of what jobs made are kept. */
struct config_artifacts {
	char *dir; /* a folder, or "s3://bucket/prefix" */
	int64_t max_bytes;
	/* Of a bucket: */
	char *endpoint; /* or NULL: AWS's for the region */
	char *region;	/* or NULL: AWS_REGION, AWS_DEFAULT_REGION, us-east-1 */
	enum config_bucket_style style;
	bool redirects; /* clients are sent to the bucket by a URL that is good for a while; else its files pass through the host */
	int64_t cache_bytes; /* of its files that the host keeps, to answer with */
};

struct config {
	char *path;	  /* the file it came from, or NULL: defaults */
	const char *file; /* its name as said to people: "config/comfyvn.json" (also for defaults) or "comfyvn.json"; a literal */
	struct config_features features;
	struct config_server server;
	struct config_live live;
	struct config_directory directory;
	struct config_hooks hooks;
	struct config_openai openai;
	struct config_mcp mcp;
	char *registry_url;
	int registry_keep_days;
	int registry_lease_seconds; /* a host that gives no sign for so long counts as dead */
	struct config_artifacts artifacts;
	char *log_file; /* or NULL: stderr only */
	enum log_level log_level;
	char *log_format;
};

/* Reads config/comfyvn.json under `home`, else comfyvn.json; with neither, the defaults (everything off). Unknown keys, wrong
 * types and bad values are ERROR_INVALID with the field's path, and for an unknown key the nearest known one. The message is complete:
 * it begins with the file's name and names the field. */
enum error_code config_read(const char *home, struct config **config, struct error *error);
void config_free(struct config *config);

/* A digest of what hosts that share a registry should have in common: the feature flags, all of `live`, what /mcp may spend. Loads libcrypto. False: it is not
 * there, or there is no memory. */
bool config_live_sha256(const struct config *config, unsigned char digest[32]);

/* The live switches of a provider (by id, in any letter case), or NULL when the file does not name it. */
const struct config_live_provider *config_live_provider(const struct config *config, const char *id);

/* Does live.providers.ID.hosts name this host ("name", or "name:port" where the port is not the usual one)? */
bool config_lists_host(const struct config *config, const char *id, const char *host, size_t length);

/* May this provider's vendor (by id, in any letter case) be asked about its models? Only with both switches: directory.enabled and its own. */
bool config_asks_directory(const struct config *config, const char *id);

/* What openai.models has for a name, or NULL. */
const char *config_openai_model(const struct config *config, const char *name);

/* Is artifacts.dir a bucket? */
bool config_keeps_in_bucket(const struct config *config);

/* artifacts.path_style as JSON has it: "true", "false", NULL: unsaid. */
const char *config_bucket_style(const struct config_artifacts *artifacts);

/* A feature flag by its name ("enable_public_gpu"), as it stands in the file. *known tells whether there is such a flag. */
bool config_feature(const struct config *config, const char *name, bool *known);

/* Why no webhook may go to this URL, or NULL: https anywhere, plain http to loopback where hooks.allow_loopback is on; no user name, no
 * fragment. The name is not resolved: private addresses are refused when a connection is made. */
const char *config_refuse_hook_url(const struct config *config, const char *url);

/* Does ADDR:PORT accept connections from this machine only? False also for what is not well-formed. */
bool config_listen_is_loopback(const char *listen);

/* May the host listen there? Refuses what is not ADDR:PORT (IPv4 or localhost), and an address beyond loopback without API keys. For
 * whoever overrides server.listen. */
enum error_code config_check_listen(const char *listen, size_t api_key_count, struct error *error);
