/* status.c - the host's own health. HTTP threads; nothing here waits. */
#include "api/status.h"

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

void status_healthz(struct host *host, struct http_request *request)
{
	struct buffer out;

	buffer_init(&out, 4096);
	buffer_format(&out, "{\"ok\":true,\"version\":\"%s\",\"uptime_seconds\":%lld}", PROVIDERD_VERSION,
		(long long)((clock_unix_ms() - host->started_ms) / 1000));
	send(request, 200, &out);
}

static void add_problem(struct buffer *out, const char *text, int *count)
{
	if (text == NULL)
		return;
	if ((*count)++ > 0)
		buffer_char(out, ',');
	json_write_text(out, text);
}

void status_readyz(struct host *host, struct http_request *request)
{
	struct catalog_set *set = catalog_acquire(host->catalog);
	bool draining = atomic_load(&host->draining);
	int problems = 0, providers = 0;
	struct buffer out;

	for (size_t i = 0; i < set->count; i++)
		providers += set->entries[i].provider != NULL;
	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_format(&out, "{\"ok\":%s,\"draining\":%s,\"providers\":%d,\"engine_queue\":%zu,\"store_queue\":%zu,\"problems\":[",
		draining ? "false" : "true", draining ? "true" : "false", providers, engine_backlog(host->engine),
		task_store_backlog(host->store));
	add_problem(&out, request->view->config_problem, &problems);
	add_problem(&out, request->view->secrets_problem, &problems);
	for (size_t i = 0; i < set->count; i++)
		add_problem(&out, set->entries[i].error, &problems);
	buffer_text(&out, "]}");
	catalog_release(set);
	send(request, draining ? 503 : 200, &out);
}
