/* serve.c - starts the parts of a host in order, waits for a signal, stops them in reverse.
 *
 * Owns the lock on data/ (one host per home) and the signals. Order of stopping: no new work, drain, HTTP, engine, artifacts, store. */
#include "cli/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "api/catalog_page.h"
#include "api/count_cache.h"
#include "api/provider_call.h"
#include "api/host.h"
#include "api/verdict_json.h"
#include "api/key_turn.h"
#include "api/last_probe.h"
#include "api/metrics.h"
#include "api/router.h"
#include "api/status.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/network.h"
#include "base/test_setting.h"
#include "base/file_watch.h"
#include "base/watchdog.h"
#include "cluster/cluster.h"
#include "database/database.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/places.h"
#include "cli/registry_start.h"
#include "cli/reload_events.h"
#include "cli/shared_settings.h"
#include "directory/directory.h"
#include "webhook_in/webhook_in.h"
#include "script/standstill.h"
#include "event/hub.h"
#include "webhook_out/webhook_out.h"
#include "http/probe.h"
#include "gate/session.h"
#include "mcp/mcp.h"
#include "openai/model_list.h"
#include "openai/openai.h"
#include "openai/orphan.h"
#include "openapi/openapi.h"
#include "studio/studio.h"
#include "event/event_feed.h"
#include "event/host_event.h"

#define DRAIN_MS 5000
#define LOG_WRITTEN_NS 300000000L /* until the log's thread has written what it was given */

struct serving {
	const char *home;
	const char *listen; /* --listen, or NULL: the configuration's */
	char *listening;    /* the address in use */
	bool needs_key;
	char *providers, *lua, *studio, *config, *data, *log_path;
	char *standstills;
	struct pulse *loading; /* of the thread that loads scripts */
	int lock;
	bool restored;
	struct host host;
	struct http_server *http;
	struct probe_listener *probes;
	struct watch *watch;
	struct setting_watch *settings;
	int64_t settings_revision; /* which the cluster's thread told of */
};

static const char serve_usage[] = "usage: providerd serve [--home DIR] [--listen ADDR:PORT] [--restored]\n";

static void find_places(struct serving *serving)
{
	serving->providers = places_find(serving->home, "providers");
	serving->lua = places_find(serving->home, "lua");
	serving->studio = places_find(serving->home, "studio");
	serving->config = file_join(serving->home, "config");
	serving->data = file_join(serving->home, "data");
	serving->standstills = file_join(serving->data, STANDSTILL_FILE);
}

/* One host per home: the lock is held by the open file and goes with the process, however it ends. */
static enum error_code lock_home(struct serving *serving, struct error *error)
{
	char *path;

	if (file_make_directories(serving->data, error) != ERROR_NONE)
		return error->code;
	path = file_join(serving->data, "providerd.lock");
	serving->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	free(path);
	if (serving->lock == -1)
		return error_set(error, ERROR_IO, serving->data, "cannot make the lock file: %s", strerror(errno));
	if (flock(serving->lock, LOCK_EX | LOCK_NB) == -1)
		return error_set(
			error, ERROR_CONFLICT, serving->data, "another host runs on this home: stop it, or use another --home");
	return ERROR_NONE;
}

static enum error_code open_log(struct serving *serving, struct error *error)
{
	const struct gate_view *view = gate_acquire(serving->host.gate);
	const char *file = view->config->log_file;
	enum error_code code;

	if (file != NULL)
		serving->log_path = file_join(serving->home, file);
	code = log_open(serving->log_path, view->config->log_level, view->config->log_format, error);
	gate_release(serving->host.gate, view);
	log_set_cleaner(gate_cleaner(serving->host.gate));
	gate_report(serving->host.gate); /* what was found before there was a log */
	return code;
}

static enum error_code open_store(struct serving *serving, struct error *error)
{
	const struct gate_view *view = gate_acquire(serving->host.gate);
	enum error_code code = registry_start(
		serving->home, view->config->registry_url, view->config->registry_keep_days, &serving->host.store, error);

	if (code == ERROR_NONE)
		task_store_set_cleaner(serving->host.store, gate_cleaner(serving->host.gate));
	gate_release(serving->host.gate, view);
	return code;
}

static enum error_code start_artifacts(struct serving *serving, struct error *error)
{
	return artifacts_start(serving->home, serving->data, serving->host.gate, &serving->host.artifacts, error);
}

/* What all hosts should have in common. Of one that is alone nobody asks, and libcrypto costs an idle host some megabytes. */
static void digest_config(struct serving *serving, unsigned char digest[32])
{
	const struct gate_view *view = gate_acquire(serving->host.gate);

	memset(digest, 0, 32);
	if (database_is_shared(task_store_place(serving->host.store)) && !config_live_sha256(view->config, digest))
		log_message(LOG_WARN, "host.config", "whether other hosts have the same settings cannot be told");
	gate_release(serving->host.gate, view);
}

static enum error_code open_cluster(struct serving *serving, struct error *error)
{
	const struct gate_view *view = gate_acquire(serving->host.gate);
	struct cluster_options options = {
		.store = serving->host.store, .data = serving->data, .lease_seconds = view->config->registry_lease_seconds
	};

	gate_release(serving->host.gate, view);
	digest_config(serving, options.config_sha256);
	return cluster_open(&options, &serving->host.cluster, error);
}

/* Watchdog's thread: the script will rest, and the process ends. What comes first must not fail for what comes later. */
static void on_standstill(void *context, const struct standstill *standstill)
{
	struct serving *serving = context;
	char text[STANDSTILL_TEXT_BYTES];
	struct error error;

	standstill_write(standstill, text);
	if (standstill->file[0] != '\0' && standstills_add(serving->standstills, standstill, &error) != ERROR_NONE)
		dprintf(STDERR_FILENO, "providerd: %s: %s\n", serving->standstills, error.message);
	log_message(LOG_ERROR, "host.watchdog", "%s", text);
	nanosleep(&(struct timespec){ .tv_nsec = LOG_WRITTEN_NS }, NULL);
}

static enum error_code start_watchdog(struct serving *serving, struct error *error)
{
	enum error_code code = watchdog_start(on_standstill, serving, &serving->host.watchdog, error);

	if (code != ERROR_NONE)
		return code;
	serving->loading = watchdog_pulse(serving->host.watchdog, "loader");
	return instance_watch_start(serving->host.watchdog, &serving->host.instances, error);
}

static enum error_code open_loader(struct serving *serving, struct error *error)
{
	enum error_code code;

	pulse_own(serving->loading);
	code = provider_loader_open(&(struct provider_loader_options){ .providers = serving->providers,
					    .lua = serving->lua,
					    .standstills = serving->standstills,
					    .pulse = serving->loading,
					    .instances = serving->host.instances },
		&serving->host.loader, error);
	pulse_rest(serving->loading);
	return code;
}

static enum error_code open_keys(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;
	struct shared_keys keys = { .cookie = "" };
	enum error_code code = shared_keys_open(host->store, serving->home, serving->data, &keys, error);

	host->webhooks_in = webhooks_in_new(keys.webhook, host->gate, host->engine);
	host->sessions = sessions_new(keys.session, keys.cookie);
	explicit_bzero(&keys, sizeof keys);
	return code;
}

/* Paid requests have left that the registry does not know of. */
static void notice_older(struct serving *serving)
{
	if (!task_store_is_older(serving->host.store))
		return;
	log_message(LOG_WARN, "registry.restored",
		"the registry is an older copy of what it was: as with --restored, its open jobs count as unknown");
	host_event_emit(serving->host.store, "host.registry.restored", NULL);
	serving->restored = true;
}

static enum error_code open_live(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;

	notice_older(serving);
	return live_open(&(struct live_options){ .engine = host->engine,
				 .store = host->store,
				 .cluster = host->cluster,
				 .events = host->events,
				 .gate = host->gate,
				 .loader = host->loader,
				 .artifacts = host->artifacts,
				 .webhooks_in = host->webhooks_in,
				 .models = directory_source(host->directory),
				 .data = serving->data,
				 .restored = serving->restored },
		&host->live, error);
}

static enum error_code open_directory(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;

	return directory_open(&(struct directory_options){ .engine = host->engine,
				      .gate = host->gate,
				      .loader = host->loader,
				      .store = host->store,
				      .data = serving->data },
		&host->directory, error);
}

/* Store thread, or who has heard of another host: both only take note. */
static void on_events(void *context, int64_t newest)
{
	struct host *host = context;

	event_hub_notify(host->events, newest);
	webhooks_out_notify(host->webhooks_out, newest);
}

static enum error_code open_openapi(struct serving *serving, struct error *error)
{
	char *folder = places_find(serving->home, "openapi");

	(void)error; /* a host without it is whole for those who know the paths */
	serving->host.openapi = openapi_read(folder, PROVIDERD_VERSION);
	free(folder);
	return ERROR_NONE;
}

/* Sessions stand for API keys; the public URL leads to whoever has it, so what is shown there is signed; so is what an agent's client brings back. */
static bool signs_anything(const struct config *config)
{
	return config->server.api_key_count > 0 || config->live.public_url != NULL || config->mcp.approval == APPROVAL_CLIENT;
}

static enum error_code open_studio(struct serving *serving, struct error *error)
{
	const struct gate_view *view = gate_acquire(serving->host.gate);

	(void)error; /* a page that cannot be shown is told, and stops no host */
	sessions_want(serving->host.sessions, signs_anything(view->config));
	serving->host.studio = studio_new(serving->studio);
	studio_reload(serving->host.studio, view->config->server.studio);
	gate_release(serving->host.gate, view);
	return ERROR_NONE;
}

/* ---- among other hosts ---- */

static void follow(void *cluster, bool some)
{
	cluster_follow(cluster, some);
}

static int64_t number_of_host(void *cluster)
{
	return cluster_host(cluster);
}

static bool may_send(void *cluster)
{
	return cluster_trusts(cluster, false);
}

/* Cluster's thread. */
static void on_news(void *context, int64_t newest, int64_t settings)
{
	struct host *host = context;

	(void)settings;
	task_store_hear(host->store, newest);
}

static void on_dropped(void *context)
{
	struct host *host = context;

	webhooks_out_look(host->webhooks_out);
}

/* Nothing was written yet, so nobody misses a number. */
static enum error_code open_events(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;
	struct event_hub_options options = { .read = event_feed_read,
		.context = host->store,
		.follow = follow,
		.follow_context = host->cluster,
		.newest = task_store_newest_event(host->store) };
	const struct webhooks_out_host among = { number_of_host, may_send, host->cluster };
	const struct cluster_listener listener = { .context = host, .on_pulse = on_news, .on_dropped = on_dropped };
	enum error_code code = event_hub_open(&options, &host->events, error);

	if (code == ERROR_NONE)
		code = webhooks_out_open(
			host->gate, host->store, cluster_is_shared(host->cluster) ? &among : NULL, &host->webhooks_out, error);
	if (code == ERROR_NONE) {
		task_store_on_events(host->store, on_events, host);
		cluster_listen(host->cluster, &listener);
	}
	return code;
}

/* Loader thread: files changed. */
static void reload(void *context)
{
	struct serving *serving = context;
	struct host *host = &serving->host;
	struct in_force before = in_force_take(host->gate, host->loader), after;
	unsigned char digest[32];
	const struct gate_view *view;

	gate_reload(host->gate);
	view = gate_acquire(host->gate);
	log_set_level(view->config->log_level);
	task_store_set_keep_days(serving->host.store, view->config->registry_keep_days);
	webhooks_out_notify(serving->host.webhooks_out, 0);
	artifacts_set_keep_days(serving->host.artifacts, view->config->registry_keep_days);
	studio_reload(host->studio, view->config->server.studio);
	sessions_want(host->sessions, signs_anything(view->config));
	gate_release(serving->host.gate, view);
	digest_config(serving, digest);
	cluster_configure(host->cluster, digest);
	provider_loader_reload(serving->host.loader);
	after = in_force_take(host->gate, host->loader);
	directory_reload(host->directory);
	malloc_trim(0); /* all files were read to be compared: that is gone */
	reload_events_emit(host, &before, &after);
	in_force_release(host->gate, &before);
	in_force_release(host->gate, &after);
	live_wake(serving->host.live);
}

/* Cluster's thread. Webhooks that were changed have a revision among the settings, too. */
static void on_settings(void *context, int64_t newest_event, int64_t settings)
{
	struct serving *serving = context;

	(void)newest_event;
	if (settings == serving->settings_revision)
		return;
	serving->settings_revision = settings;
	setting_watch_look(serving->settings); /* takes note, as does the next */
	webhooks_out_look(serving->host.webhooks_out);
}

static enum error_code follow_settings(struct serving *serving, struct error *error)
{
	enum error_code code = shared_settings_follow(&serving->host, &serving->settings, error);

	if (code == ERROR_NONE)
		cluster_listen(serving->host.cluster, &(struct cluster_listener){ .context = serving, .on_pulse = on_settings });
	return code;
}

static enum error_code start_watch(struct serving *serving, struct error *error)
{
	const struct watch_directory directories[] = { { .path = serving->providers, .folders = 1 },
		{ .path = serving->lua, .folders = 1 }, { .path = serving->studio, .folders = LIMIT_STUDIO_DEPTH },
		{ .path = serving->config }, { .path = serving->home }, { 0 } };

	return watch_start(directories, reload, serving, serving->loading, &serving->watch, error);
}

/* Beside the REST API. */
static void open_doors(void)
{
	router_open(&openai_door);
	router_open(&mcp_door);
}

static enum error_code start_http(struct serving *serving, struct error *error)
{
	const struct gate_view *view = gate_acquire(serving->host.gate);
	const struct config_server *server = &view->config->server;
	struct http_options options = {
		.listen = serving->listen != NULL ? serving->listen : server->listen,
		.threads = server->threads,
		.gate = serving->host.gate,
		.sessions = serving->host.sessions,
		.handle = api_handle,
		.answered = metrics_answered,
		.tell = api_tell,
		.context = &serving->host,
	};
	enum error_code code;

	serving->host.most_streams = server->threads * 3 / 4;
	serving->host.most_waiting = (size_t)server->threads / 2;
	if (server->max_streams > serving->host.most_streams)
		log_message(LOG_INFO, "server.max_streams", "%d streams are allowed, but %d of %d threads at most serve streams",
			server->max_streams, serving->host.most_streams, server->threads);
	open_doors();
	code = config_check_listen(options.listen, server->api_key_count, error);
	if (code == ERROR_NONE)
		code = http_start(&options, &serving->http, error);
	if (code == ERROR_NONE && server->probe_listen != NULL)
		code = probe_start(server->probe_listen, status_probe, &serving->host, &serving->probes, error);
	if (code == ERROR_NONE) {
		serving->listening = memory_copy_text(options.listen);
		network_listen_on(http_port(serving->http), serving->probes != NULL ? probe_port(serving->probes) : 0);
		gate_listens_on(serving->host.gate, options.listen);
	}
	serving->needs_key = server->api_key_count > 0;
	gate_release(serving->host.gate, view);
	return code;
}

static enum error_code open_gate(struct serving *serving, struct error *error)
{
	return gate_open(serving->home, &serving->host.gate, error);
}

static enum error_code start_engine(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;

	return engine_start(watchdog_pulse(host->watchdog, "engine"), &host->engine, error);
}

/* Each needs those before it; stop_parts() takes them in reverse. */
static enum error_code (*const starts[])(struct serving *serving, struct error *error) = { open_gate, lock_home, open_log,
	start_watchdog, open_store, open_cluster, open_events, open_loader, start_artifacts, start_engine, open_directory,
	open_keys, open_live, open_studio, open_openapi, follow_settings, start_http, start_watch };

static enum error_code start_parts(struct serving *serving, struct error *error)
{
	struct host *host = &serving->host;
	enum error_code code = ERROR_NONE;

	find_places(serving);
	host->started_ms = clock_unix_ms();
	host->data = serving->data;
	host->verdict_jsons = verdict_json_cache_new();
	host->catalog_pages = catalog_page_cache_new();
	host->job_counts = count_cache_new();
	host->last_probes = last_probes_new();
	host->spare_calls = spare_calls_new();
	host->turns = key_turns_new();
	host->metrics = metrics_new();
	host->openai_models = openai_model_lists_new();
	host->orphans = orphans_new();
	for (size_t i = 0; i < sizeof starts / sizeof *starts && code == ERROR_NONE; i++)
		code = starts[i](serving, error);
	return code;
}

/* What calls share and no thread of its own uses: after all threads have ended. */
static void free_tables(struct host *host)
{
	verdict_json_cache_free(host->verdict_jsons);
	catalog_page_cache_free(host->catalog_pages);
	count_cache_free(host->job_counts);
	last_probes_free(host->last_probes);
	spare_calls_free(host->spare_calls);
	key_turns_free(host->turns);
	metrics_free(host->metrics);
	openai_model_lists_free(host->openai_models);
	orphans_free(host->orphans);
}

static void leave_home(struct serving *serving)
{
	if (serving->lock != -1)
		close(serving->lock);
	free(serving->listening);
	free(serving->providers);
	free(serving->lua);
	free(serving->studio);
	free(serving->config);
	free(serving->data);
	free(serving->standstills);
	free(serving->log_path);
}

static void stop_parts(struct serving *serving)
{
	struct host *host = &serving->host;

	watchdog_end_at(host->watchdog, clock_monotonic_ns() + test_setting(TEST_STOP_MS, LIMIT_STOP_MS) * 1000000);
	atomic_store(&host->draining, true);
	live_leave(host->live);
	directory_leave(host->directory);
	watch_stop(serving->watch);
	event_hub_stop(host->events); /* ends the streams, so that HTTP can drain */
	if (serving->http != NULL)
		http_stop(serving->http, DRAIN_MS);
	probe_stop(serving->probes);
	engine_stop(host->engine);
	artifacts_stop(host->artifacts);
	webhooks_out_stop(host->webhooks_out);
	live_give_away(host->live);
	cluster_stop(host->cluster);
	setting_watch_stop(serving->settings); /* of which the cluster's thread knows */
	if (host->store != NULL)
		task_store_close(host->store);
	webhooks_out_free(host->webhooks_out);
	live_close(host->live);
	cluster_free(host->cluster);
	directory_close(host->directory);
	event_hub_free(host->events);
	engine_free(host->engine);
	webhooks_in_free(host->webhooks_in);
	studio_free(host->studio);
	openapi_free(host->openapi);
	sessions_free(host->sessions);
	free_tables(host);
	provider_loader_close(host->loader);
	instance_watch_stop(host->instances);
	log_set_cleaner((struct cleaner){ .clean = NULL });
	if (host->gate != NULL)
		gate_close(host->gate);
	watchdog_stop(host->watchdog);
	log_close();
	leave_home(serving);
}

static void print_welcome(struct serving *serving)
{
	struct provider_set *set = provider_loader_acquire(serving->host.loader);
	const char *listen = serving->listening;
	const char *near = strncmp(listen, "0.0.0.0:", 8) == 0 ? "127.0.0.1" : listen;
	int port = http_port(serving->http);
	size_t loaded = 0;

	for (size_t i = 0; i < set->count; i++)
		loaded += set->entries[i].provider != NULL;
	printf("providerd %s listens on http://%.*s:%d\n", PROVIDERD_VERSION, (int)strcspn(listen, ":"), listen, port);
	if (serving->probes != NULL)
		printf("probes are answered on port %d too\n", probe_port(serving->probes));
	printf("%zu of %zu providers loaded from %s\n", loaded, set->count, serving->providers);
	for (size_t i = 0; i < set->count; i++)
		if (set->entries[i].problem != NULL)
			printf("  %s\n", set->entries[i].problem->text);
	if (studio_is_there(serving->host.studio))
		printf("Studio: http://%.*s:%d/\n", (int)strcspn(near, ":"), near, port);
	printf("try: curl -s -X POST http://%.*s:%d/api/providers/image/fal/submit -H 'Content-Type: application/json' "
	       "-d '{\"prompt\":\"a lighthouse\"}'%s\n",
		(int)strcspn(near, ":"), near, port, serving->needs_key ? " -H 'X-API-Key: YOUR KEY'" : "");
	fflush(stdout);
	provider_set_release(set);
}

/* The signals are blocked in every thread and taken here, in order. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file beyond the system's limit is an error of the write, not the end of the host */
}

static void await_signal(struct serving *serving, const sigset_t *signals)
{
	int received;

	while (sigwait(signals, &received) == 0) {
		if (received != SIGHUP)
			return;
		log_reopen();
		log_message(LOG_INFO, "log.reopened", "%s", serving->log_path != NULL ? serving->log_path : "stderr");
	}
}

int serve(int argc, char **argv)
{
	struct serving serving = { .home = ".", .lock = -1 };
	struct error error = { 0 };
	sigset_t signals;
	const struct argument list[] = { { .name = "--home", .value = &serving.home },
		{ .name = "--listen", .value = &serving.listen }, { .name = "--restored", .flag = &serving.restored },
		{ .name = NULL } };
	const struct command command = { .name = "serve", .usage = serve_usage, .arguments = list };
	int result;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	block_signals(&signals);
	test_settings_read();
	if (start_parts(&serving, &error) != ERROR_NONE) {
		bool named = error.path[0] == '\0' || strstr(error.message, error.path) != NULL;

		fprintf(stderr, "providerd: %s%s%s\n", named ? "" : error.path, named ? "" : ": ", error.message);
		result = EXIT_PROBLEM;
	} else {
		log_message(LOG_INFO, "host.started", "version %s, port %d", PROVIDERD_VERSION, http_port(serving.http));
		print_welcome(&serving);
		await_signal(&serving, &signals);
		log_message(LOG_INFO, "host.stopping", "draining");
	}
	stop_parts(&serving);
	return result;
}
