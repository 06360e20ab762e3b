/* status.c - the host's own health. HTTP threads, and the one of probes; nothing here waits. */
#include "api/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "api/hosts.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "directory/directory.h"
#include "gate/session.h"
#include "studio/studio.h"

static void send_status(struct http_request *request, int status, struct buffer *out)
{
	http_send(request, &(struct http_reply){ .status = status,
				   .body = out->data != NULL ? out->data : "{}",
				   .body_length = out->data != NULL ? out->length : 2,
				   .headers = status == 503 ? "Retry-After: 5\r\n" : NULL });
	buffer_free(out);
}

static int write_health(const struct host *host, struct buffer *out)
{
	buffer_format(out, "{\"ok\":true,\"version\":\"%s\",\"uptime_seconds\":%lld}", PROVIDERD_VERSION,
		(long long)((clock_unix_ms() - host->started_ms) / 1000));
	return 200;
}

void status_healthz(struct host *host, struct http_request *request)
{
	struct buffer out;

	buffer_init(&out, 4096);
	send_status(request, write_health(host, &out), &out);
}

static void add_problem(struct buffer *out, const char *text, int *count)
{
	if ((*count)++ > 0)
		buffer_char(out, ',');
	json_write_text(out, text);
}

static void add_file_problem(struct buffer *out, const struct file_problem *problem, int *count)
{
	if (problem != NULL)
		add_problem(out, problem->text, count);
}

/* The disk of data/: with too little left the next job may be the one that cannot be written. */
static bool disk_problem(const struct host *host, char *text, size_t size)
{
	int64_t least = test_setting(TEST_DISK_FREE_BYTES, LIMIT_DISK_FREE_BYTES), left;
	struct statvfs disk;

	if (statvfs(host->data, &disk) != 0) {
		snprintf(text, size, "the disk of data/ cannot be looked at: %s", strerror(errno));
		return true;
	}
	left = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	if (left >= least)
		return false;
	snprintf(text, size, "the disk of data/ has %lld MiB left: at least %lld are wanted", (long long)(left >> 20),
		(long long)(least >> 20));
	return true;
}

/* Lists what keeps the host from doing its work. False: there is something. */
static bool is_able(struct host *host, struct buffer *problems, int *count)
{
	char text[512];
	bool able = true;

	if (watchdog_problem(host->watchdog, text, sizeof text)) {
		add_problem(problems, text, count);
		able = false;
	}
	if (task_store_problem(host->store, text, sizeof text)) {
		add_problem(problems, text, count);
		able = false;
	}
	if (disk_problem(host, text, sizeof text)) {
		add_problem(problems, text, count);
		able = false;
	}
	return able;
}

/* Files that are broken, and scripts that rest until they are changed: the rest of the host serves. */
static void list_files(const struct gate_view *view, const struct provider_set *set, struct buffer *problems, int *count)
{
	char why[256];

	add_file_problem(problems, view->config_problem, count);
	add_file_problem(problems, view->secrets_problem, count);
	for (size_t i = 0; i < set->count; i++) {
		add_file_problem(problems, set->entries[i].problem, count);
		if (set->entries[i].provider != NULL && set->entries[i].provider->stood_still) {
			provider_rest_reason(set->entries[i].provider, why, sizeof why);
			add_problem(problems, why, count);
		}
	}
}

/* Vendors whose models cannot be read for days: what was read is served all the same. */
static void list_directory(struct host *host, struct buffer *problems, int *count)
{
	char text[320];

	for (size_t i = 0; directory_problem(host->directory, i, text, sizeof text); i++)
		add_problem(problems, text, count);
}

/* A bucket that is away: jobs go on, and what they make waits on this machine. */
static void list_bucket(struct host *host, struct buffer *problems, int *count)
{
	struct artifacts_state state;
	char text[640];

	artifacts_tell(host->artifacts, &state);
	if (state.problem[0] != '\0') {
		snprintf(text, sizeof text, "artifacts: %s", state.problem);
		add_problem(problems, text, count);
	}
	if (state.problem[0] != '\0' && state.waiting > 0) {
		snprintf(
			text, sizeof text, "artifacts: %lld files wait on this machine for the bucket", (long long)state.waiting);
		add_problem(problems, text, count);
	}
}

static void list_studio(struct host *host, struct buffer *problems, int *count)
{
	struct file_problem *problem;

	for (size_t i = 0; (problem = studio_problem(host->studio, i)) != NULL; i++) {
		add_file_problem(problems, problem, count);
		file_problem_release(problem);
	}
}

struct listing {
	struct buffer *problems;
	int *count;
};

static void list_host_problem(void *context, const char *text)
{
	const struct listing *listing = context;

	add_problem(listing->problems, text, listing->count);
}

static int write_readiness(struct host *host, const struct gate_view *view, struct buffer *out)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	bool draining = atomic_load(&host->draining), able;
	int count = 0, providers = 0;
	struct buffer problems;

	for (size_t i = 0; i < set->count; i++)
		providers += set->entries[i].provider != NULL;
	buffer_init(&problems, LIMIT_REPLY_BYTES);
	able = is_able(host, &problems, &count) && !draining;
	list_files(view, set, &problems, &count);
	list_directory(host, &problems, &count);
	list_bucket(host, &problems, &count);
	hosts_list_problems(host, list_host_problem, &(struct listing){ .problems = &problems, .count = &count });
	list_studio(host, &problems, &count);
	provider_set_release(set);
	buffer_format(out,
		"{\"ok\":%s,\"draining\":%s,\"providers\":%d,\"calls_waiting\":%zu,\"engine_queue\":%zu,"
		"\"store_queue\":%zu,\"problems\":[",
		able ? "true" : "false", draining ? "true" : "false", providers, instance_watch_waiting(host->instances),
		engine_backlog(host->engine), task_store_backlog(host->store));
	if (count > 0)
		buffer_append(out, problems.data, problems.length);
	out->failed |= problems.failed;
	buffer_text(out, "]}");
	buffer_free(&problems);
	return able ? 200 : 503;
}

void status_readyz(struct host *host, struct http_request *request)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	send_status(request, write_readiness(host, request->view, &out), &out);
}

int status_probe(void *context, const char *path, struct buffer *body)
{
	struct host *host = context;
	const struct gate_view *view;
	int status;

	if (strcmp(path, "/healthz") == 0)
		return write_health(host, body);
	if (strcmp(path, "/readyz") != 0)
		return 0;
	view = gate_acquire(host->gate);
	status = write_readiness(host, view, body);
	gate_release(host->gate, view);
	return status;
}
