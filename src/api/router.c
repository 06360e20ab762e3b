/* router.c - from path and method to a handler. HTTP threads.
 *
 * A route is a pattern of segments in which * takes any one; a path answers the methods of its
 * routes, all others get 405 with Allow. It also says which role it needs and whose jobs it shows (access.h). */
#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/artifacts.h"
#include "api/budget.h"
#include "api/catalog_page.h"
#include "api/events.h"
#include "api/webhooks_out.h"
#include "api/host.h"
#include "api/jobs.h"
#include "api/live_job.h"
#include "api/metrics.h"
#include "api/providers.h"
#include "api/router.h"
#include "api/status.h"
#include "api/webhooks_in.h"

#define SEGMENT_BYTES 128

struct target {
	struct host *host;
	struct http_request *request;
	const char *kind;	  /* of the route, or NULL */
	char name[SEGMENT_BYTES]; /* what * took, or "" */
	char part[SEGMENT_BYTES]; /* what a second * took, or "" */
};

/* One without a role or scope does not compile (-Wmissing-field-initializers). ROLE_NOBODYS: probes, and vendors' deliveries, which have a token in
 * their path. */
struct route {
	const char *method;
	const char *pattern;
	const char *kind;
	void (*answer)(struct target *target);
	enum role may;
	enum scope scope;
};

static void catalog(struct target *target)
{
	catalog_page_handle(target->host, target->request, target->kind);
}

static void health(struct target *target)
{
	providers_handle(target->host, target->request, target->kind, VERB_HEALTH, target->name);
}

static void submit(struct target *target)
{
	providers_handle(target->host, target->request, target->kind, VERB_SUBMIT, target->name);
}

static void poll(struct target *target)
{
	providers_handle(target->host, target->request, target->kind, VERB_POLL, target->name);
}

static void generate(struct target *target)
{
	providers_handle(target->host, target->request, target->kind, VERB_GENERATE, NULL);
}

static void list_jobs(struct target *target)
{
	jobs_list(target->host, target->request, false);
}

static void all_jobs(struct target *target)
{
	jobs_list(target->host, target->request, true);
}

static void job_status(struct target *target)
{
	jobs_status(target->host, target->request, target->name);
}

static void job_logs(struct target *target)
{
	jobs_logs(target->host, target->request, target->name);
}

static void job_cancel(struct target *target)
{
	jobs_cancel(target->host, target->request, target->name);
}

static void job_artifact(struct target *target)
{
	artifacts_handle(target->host, target->request, target->name, target->part);
}

static void job_resolve(struct target *target)
{
	live_job_resolve(target->host, target->request, target->name);
}

static void budget(struct target *target)
{
	budget_handle(target->host, target->request);
}

static void live_state(struct target *target)
{
	live_state_handle(target->host, target->request);
}

static void live_stop(struct target *target)
{
	live_switch_handle(target->host, target->request, true);
}

static void live_start(struct target *target)
{
	live_switch_handle(target->host, target->request, false);
}

static void job_events(struct target *target)
{
	events_of_job(target->host, target->request, target->name);
}

static void stream(struct target *target)
{
	events_stream(target->host, target->request);
}

static void history(struct target *target)
{
	events_history(target->host, target->request);
}

static void hooks(struct target *target)
{
	events_webhooks(target->host, target->request);
}

static void webhook_list(struct target *target)
{
	webhooks_out_list_handle(target->host, target->request);
}

static void webhook_add(struct target *target)
{
	webhooks_out_add_handle(target->host, target->request);
}

static void webhook_remove(struct target *target)
{
	webhooks_out_remove_handle(target->host, target->request, *target->name != '\0' ? target->name : NULL);
}

static void webhook_show(struct target *target)
{
	webhooks_out_show_handle(target->host, target->request, target->name);
}

static void webhook_replay(struct target *target)
{
	webhooks_out_replay_handle(target->host, target->request, target->name);
}

static void webhook_rotate(struct target *target)
{
	webhooks_out_rotate_handle(target->host, target->request, target->name);
}

static void webhook_test(struct target *target)
{
	webhooks_out_test_handle(target->host, target->request);
}

static void webhook(struct target *target)
{
	webhooks_in_receive(target->host, target->request, target->name, target->part);
}

static void healthz(struct target *target)
{
	status_healthz(target->host, target->request);
}

static void readyz(struct target *target)
{
	status_readyz(target->host, target->request);
}

static void metrics(struct target *target)
{
	metrics_handle(target->host, target->request);
}

static const struct route routes[] = {
	{ "GET", "/api/providers/gpu/public/catalog", "gpu", catalog, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/health", "gpu", health, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/submit", "gpu", submit, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/poll", "gpu", poll, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/image/catalog", "image", catalog, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/health", "image", health, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/submit", "image", submit, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/poll", "image", poll, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/image/generate", "image", generate, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/video/catalog", "video", catalog, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/health", "video", health, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/submit", "video", submit, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/poll", "video", poll, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/video/generate", "video", generate, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/jobs/list", NULL, list_jobs, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/jobs/all", NULL, all_jobs, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/jobs/status/*", NULL, job_status, ROLE_READ, SCOPE_JOB },
	{ "GET", "/api/jobs/logs/*", NULL, job_logs, ROLE_READ, SCOPE_JOB },
	{ "POST", "/api/jobs/*/cancel", NULL, job_cancel, ROLE_SUBMIT, SCOPE_JOB },
	{ "GET", "/api/jobs/*/artifacts/*", NULL, job_artifact, ROLE_READ, SCOPE_JOB },
	{ "POST", "/api/jobs/*/resolve", NULL, job_resolve, ROLE_OPERATE, SCOPE_JOB },
	{ "GET", "/api/budget", NULL, budget, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/live", NULL, live_state, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/live/stop", NULL, live_stop, ROLE_OPERATE, SCOPE_HOST },
	{ "POST", "/api/live/start", NULL, live_start, ROLE_OPERATE, SCOPE_HOST },
	{ "GET", "/api/jobs/*/events", NULL, job_events, ROLE_READ, SCOPE_JOB },
	{ "GET", "/api/events", NULL, stream, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/events/history", NULL, history, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks", NULL, hooks, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/history", NULL, history, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/stream", NULL, stream, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/webhooks", NULL, webhook_list, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks", NULL, webhook_add, ROLE_OPERATE, SCOPE_ALL },
	{ "DELETE", "/api/modder/hooks/webhooks", NULL, webhook_remove, ROLE_OPERATE, SCOPE_ALL },
	{ "GET", "/api/modder/hooks/webhooks/*", NULL, webhook_show, ROLE_OPERATE, SCOPE_ALL },
	{ "DELETE", "/api/modder/hooks/webhooks/*", NULL, webhook_remove, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks/*/replay", NULL, webhook_replay, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks/*/rotate", NULL, webhook_rotate, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/test", NULL, webhook_test, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/webhooks/*/*", NULL, webhook, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/healthz", NULL, healthz, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/readyz", NULL, readyz, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/metrics", NULL, metrics, ROLE_READ, SCOPE_ALL },
};

#define ROUTES ((int)(sizeof routes / sizeof *routes))
_Static_assert(sizeof routes / sizeof *routes <= ROUTES_MAX, "the counters have room for each route");

const char *route_pattern(int route)
{
	return route >= 0 && route < ROUTES ? routes[route].pattern : NULL;
}

const char *route_method(int route)
{
	return route >= 0 && route < ROUTES ? routes[route].method : NULL;
}

/* Compares segment by segment; what * took goes to target->name, then to target->part. A slash at the end of the path does not matter. */
static bool route_matches(const char *pattern, const char *path, struct target *target)
{
	char *name = target->name;
	size_t length;

	target->name[0] = target->part[0] = '\0';
	while (*pattern != '\0') {
		if (*pattern != '*') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		length = strcspn(path, "/");
		if (length == 0 || length >= SEGMENT_BYTES)
			return false;
		memcpy(name, path, length);
		name[length] = '\0';
		name = target->part;
		path += length;
		pattern++;
	}
	return *path == '\0' || (path[0] == '/' && path[1] == '\0');
}

/* Older tools look for the registry under /jobs/. */
static const char *canonical_path(const char *path, char *space, size_t size)
{
	if (strncmp(path, "/jobs/", 6) != 0)
		return path;
	snprintf(space, size, "/api%s", path);
	return space;
}

static bool method_fits(const char *method, const char *wanted)
{
	return strcmp(method, wanted) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

#define ALLOWED_BYTES 48

static void allow(char allowed[ALLOWED_BYTES], const char *method)
{
	size_t length = strlen(allowed);

	snprintf(allowed + length, ALLOWED_BYTES - length, "%s%s%s", length > 0 ? ", " : "", method,
		strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static void send_wrong_method(struct http_request *request, const char *allowed)
{
	char headers[ALLOWED_BYTES + 16], detail[ALLOWED_BYTES + 48];

	snprintf(headers, sizeof headers, "Allow: %s\r\n", allowed);
	snprintf(detail, sizeof detail, "this path answers %s only", allowed);
	http_send_problem(request, &(struct http_problem){ .status = 405, .detail = detail, .headers = headers });
}

/* False: a problem was sent. */
static bool may_go_on(const struct route *route, struct target *target)
{
	return access_allows(target->request, route->may) &&
	       access_shows(target->host, target->request, route->scope, target->name);
}

void api_handle(void *host, struct http_request *request)
{
	struct target target = { .host = host, .request = request };
	char space[512];
	const char *path = canonical_path(request->path, space, sizeof space);
	char allowed[ALLOWED_BYTES] = "";

	for (int i = 0; i < ROUTES; i++) {
		if (!route_matches(routes[i].pattern, path, &target))
			continue;
		if (method_fits(request->method, routes[i].method)) {
			target.kind = routes[i].kind;
			request->route = i;
			if (may_go_on(&routes[i], &target))
				routes[i].answer(&target);
			return;
		}
		allow(allowed, routes[i].method);
	}
	if (*allowed != '\0')
		send_wrong_method(request, allowed);
	else
		http_send_problem(request, &(struct http_problem){ .status = 404,
						   .detail = "there is nothing at this path; docs/api.md lists the paths" });
}
