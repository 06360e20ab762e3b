/* status.c - the host's own health. HTTP threads, and the one of probes; nothing here waits. */
#include "api/status.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

static void send(struct http_request *request, int status, struct buffer *out)
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
	send(request, write_health(host, &out), &out);
}

static void add_problem(struct buffer *out, const char *text, int *count)
{
	if (text == NULL)
		return;
	if ((*count)++ > 0)
		buffer_char(out, ',');
	json_write_text(out, text);
}

static int write_readiness(struct host *host, const struct gate_view *view, struct buffer *out)
{
	struct catalog_set *set = catalog_acquire(host->catalog);
	bool draining = atomic_load(&host->draining);
	int problems = 0, providers = 0;

	for (size_t i = 0; i < set->count; i++)
		providers += set->entries[i].provider != NULL;
	buffer_format(out, "{\"ok\":%s,\"draining\":%s,\"providers\":%d,\"engine_queue\":%zu,\"store_queue\":%zu,\"problems\":[",
		draining ? "false" : "true", draining ? "true" : "false", providers, engine_backlog(host->engine),
		task_store_backlog(host->store));
	add_problem(out, view->config_problem, &problems);
	add_problem(out, view->secrets_problem, &problems);
	for (size_t i = 0; i < set->count; i++)
		add_problem(out, set->entries[i].error, &problems);
	buffer_text(out, "]}");
	catalog_release(set);
	return draining ? 503 : 200;
}

void status_readyz(struct host *host, struct http_request *request)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	send(request, write_readiness(host, request->view, &out), &out);
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
