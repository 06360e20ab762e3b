/* router.c - from path and method to a handler. HTTP threads.
 *
 * A route is a pattern of segments in which * takes any one, and ** all that follow; a path answers the methods of its
 * routes, all others get 405 with Allow. It also says which role it needs and whose jobs it shows (access.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/approvals.h"
#include "api/door.h"
#include "api/artifact_list.h"
#include "api/artifacts.h"
#include "api/budget.h"
#include "api/catalog_page.h"
#include "api/events.h"
#include "api/webhooks_out.h"
#include "api/host.h"
#include "api/job_counts.h"
#include "api/host_report.h"
#include "api/jobs.h"
#include "api/live_job.h"
#include "api/live_switch.h"
#include "api/logs.h"
#include "api/metrics.h"
#include "api/model_refresh.h"
#include "api/openapi_page.h"
#include "api/providers.h"
#include "api/router.h"
#include "api/login.h"
#include "api/studio_page.h"
#include "api/status.h"
#include "api/webhooks_in.h"

#define SEGMENT_BYTES 128

struct target {
	struct host *host;
	struct http_request *request;
	char name[SEGMENT_BYTES]; /* what * took, or "" */
	char part[SEGMENT_BYTES]; /* what a second * took, or "" */
};

static const struct route routes[] = {
	{ "GET", "/api/providers/gpu/public/catalog", "gpu", { .provider = catalog_page_handle }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/health", "gpu", { .provider = providers_health }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/submit", "gpu", { .provider = providers_submit }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/preview", "gpu", { .provider = providers_preview }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/gpu/public/*/inputs", "gpu", { .provider = providers_inputs }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/providers/gpu/public/*/models", "gpu", { .provider = providers_models }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/gpu/public/*/poll", "gpu", { .provider = providers_poll }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/image/catalog", "image", { .provider = catalog_page_handle }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/health", "image", { .provider = providers_health }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/submit", "image", { .provider = providers_submit }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/image/generate/preview", "image", { .provider = providers_preview }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/preview", "image", { .provider = providers_preview }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/image/*/inputs", "image", { .provider = providers_inputs }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/providers/image/*/models", "image", { .provider = providers_models }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/image/*/poll", "image", { .provider = providers_poll }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/image/generate", "image", { .provider = providers_generate }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/video/catalog", "video", { .provider = catalog_page_handle }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/health", "video", { .provider = providers_health }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/submit", "video", { .provider = providers_submit }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/video/generate/preview", "video", { .provider = providers_preview }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/preview", "video", { .provider = providers_preview }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/providers/video/*/inputs", "video", { .provider = providers_inputs }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/providers/video/*/models", "video", { .provider = providers_models }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/providers/video/*/poll", "video", { .provider = providers_poll }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/api/providers/video/generate", "video", { .provider = providers_generate }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/api/jobs/list", NULL, { .plain = jobs_list }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/jobs/all", NULL, { .plain = jobs_list_all }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/jobs/counts", NULL, { .plain = job_counts_handle }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/jobs/status/*", NULL, { .named = jobs_status }, ROLE_READ, SCOPE_JOB },
	{ "GET", "/api/jobs/logs/*", NULL, { .named = jobs_logs }, ROLE_READ, SCOPE_JOB },
	{ "POST", "/api/jobs/*/cancel", NULL, { .named = jobs_cancel }, ROLE_SUBMIT, SCOPE_JOB },
	{ "GET", "/api/jobs/*/artifacts/*", NULL, { .parted = artifacts_handle }, ROLE_READ, SCOPE_JOB },
	{ "GET", "/api/artifacts", NULL, { .plain = artifact_list_handle }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/api/jobs/*/resolve", NULL, { .named = live_job_resolve }, ROLE_OPERATE, SCOPE_JOB },
	{ "POST", "/api/directory/refresh", NULL, { .plain = model_refresh_handle }, ROLE_OPERATE, SCOPE_HOST },
	{ "GET", "/api/budget", NULL, { .plain = budget_handle }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/live", NULL, { .plain = live_state_handle }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/approvals", NULL, { .plain = approvals_list_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/approvals/*", NULL, { .named = approvals_give_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "DELETE", "/api/approvals/*", NULL, { .named = approvals_refuse_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/live/stop", NULL, { .plain = live_stop_handle }, ROLE_OPERATE, SCOPE_HOST },
	{ "POST", "/api/live/start", NULL, { .plain = live_start_handle }, ROLE_OPERATE, SCOPE_HOST },
	{ "GET", "/api/jobs/*/events", NULL, { .named = events_of_job }, ROLE_READ, SCOPE_JOB },
	{ "GET", "/api/events", NULL, { .plain = events_stream }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/events/history", NULL, { .plain = events_history }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks", NULL, { .plain = events_webhooks }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/history", NULL, { .plain = events_history }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/stream", NULL, { .plain = events_stream }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/api/modder/hooks/webhooks", NULL, { .plain = webhooks_out_list_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks", NULL, { .plain = webhooks_out_add_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "DELETE", "/api/modder/hooks/webhooks", NULL, { .named = webhooks_out_remove_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "GET", "/api/modder/hooks/webhooks/*", NULL, { .named = webhooks_out_show_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "DELETE", "/api/modder/hooks/webhooks/*", NULL, { .named = webhooks_out_remove_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "GET", "/api/modder/hooks/webhooks/*/deliveries", NULL, { .named = webhooks_out_deliveries_handle }, ROLE_OPERATE,
		SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks/*/replay", NULL, { .named = webhooks_out_replay_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/webhooks/*/rotate", NULL, { .named = webhooks_out_rotate_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/modder/hooks/test", NULL, { .plain = webhooks_out_test_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "POST", "/api/webhooks/*/*", NULL, { .parted = webhooks_in_receive }, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/api/logs", NULL, { .plain = logs_handle }, ROLE_OPERATE, SCOPE_ALL },
	{ "GET", "/api/host", NULL, { .plain = host_report_handle }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/healthz", NULL, { .plain = status_healthz }, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/readyz", NULL, { .plain = status_readyz }, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/metrics", NULL, { .plain = metrics_handle }, ROLE_READ, SCOPE_ALL },
	{ "GET", "/api/session", NULL, { .plain = login_show_handle }, ROLE_NOBODYS, SCOPE_HOST },
	{ "POST", "/api/session", NULL, { .plain = login_begin_handle }, ROLE_NOBODYS, SCOPE_HOST },
	{ "DELETE", "/api/session", NULL, { .plain = login_end_handle }, ROLE_NOBODYS, SCOPE_HOST },
	{ "DELETE", "/api/sessions", NULL, { .plain = login_end_all_handle }, ROLE_OPERATE, SCOPE_HOST },
	{ "GET", "/", NULL, { .plain = studio_page_index }, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/ui/**", NULL, { .named = studio_page_file }, ROLE_NOBODYS, SCOPE_HOST },
	{ "GET", "/openapi.json", NULL, { .plain = openapi_page_handle }, ROLE_NOBODYS, SCOPE_HOST },
};

static const struct door rest = { .routes = routes, .route_count = sizeof routes / sizeof *routes };

/* The REST API, then those of router_open(); set before the first request. */
static const struct door *doors[DOORS_MAX] = { &rest };
static int door_count = 1, route_total = sizeof routes / sizeof *routes;

/* By a route's number: how many bytes its pattern begins with that the one before it in its door begins with, too, up to the first *. What is known of them
 * for one is known for the other. */
static unsigned char shared_bytes[ROUTES_MAX];

static size_t literal_bytes(const char *pattern, const char *text)
{
	size_t length = 0;

	while (pattern[length] != '\0' && pattern[length] != '*' && pattern[length] == text[length])
		length++;
	return length;
}

static void compare_routes(const struct door *door, int first)
{
	for (int i = 1; i < door->route_count; i++)
		shared_bytes[first + i] = (unsigned char)literal_bytes(door->routes[i - 1].pattern, door->routes[i].pattern);
}

void router_open(const struct door *door)
{
	if (door_count == DOORS_MAX || route_total + door->route_count > ROUTES_MAX)
		abort(); /* the constants are too small: the first start of a build shows it */
	if (door_count == 1)
		compare_routes(&rest, 0);
	compare_routes(door, route_total);
	doors[door_count++] = door;
	route_total += door->route_count;
}

/* By its number among all, or NULL. */
static const struct route *find_route(int number)
{
	for (int i = 0; i < door_count && number >= 0; number -= doors[i++]->route_count)
		if (number < doors[i]->route_count)
			return &doors[i]->routes[number];
	return NULL;
}

const char *route_pattern(int route)
{
	const struct route *found = find_route(route);

	return found != NULL ? found->pattern : NULL;
}

const char *route_method(int route)
{
	const struct route *found = find_route(route);

	return found != NULL ? found->method : NULL;
}

/* ** takes the rest of the path, slashes and all. */
static bool take_rest(const char *path, struct target *target)
{
	size_t length = strlen(path);

	if (length == 0 || length >= SEGMENT_BYTES)
		return false;
	memcpy(target->name, path, length + 1);
	return true;
}

/* Compares what follows the literal beginning of a pattern, segment by segment; what * took goes to target->name, then to target->part. A slash at the end of
 * the path does not matter. */
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
		if (pattern[1] == '*')
			return take_rest(path, target);
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

/* Older tools look for the registry under /jobs/. Below /live stands what stands below /, for programs that can only be told a base URL: the door that owns
 * it looks at the request's own path. */
static const char *canonical_path(const char *path, char *space, size_t size)
{
	if (strncmp(path, "/live/v1", 8) == 0)
		return path + 5;
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

static void answer_target(const struct route *route, struct target *target)
{
	const struct handler *answer = &route->answer;

	if (answer->plain != NULL)
		answer->plain(target->host, target->request);
	else if (answer->named != NULL)
		answer->named(target->host, target->request, target->name);
	else if (answer->parted != NULL)
		answer->parted(target->host, target->request, target->name, target->part);
	else
		answer->provider(target->host, target->request, route->kind, target->name);
}

/* Answers by the route of this door that fits, or notes which methods would do. */
static bool answer_at(const struct door *door, int first, const char *path, struct target *target, char allowed[ALLOWED_BYTES])
{
	size_t fitting = SIZE_MAX; /* bytes of the pattern that was looked at last, behind which is one that does not */

	for (int i = 0; i < door->route_count; i++) {
		const struct route *route = &door->routes[i];
		size_t literal = shared_bytes[first + i];

		if (literal > fitting)
			continue;
		literal += literal_bytes(route->pattern + literal, path + literal);
		fitting = route->pattern[literal] == '*' || route->pattern[literal] == '\0' ? SIZE_MAX : literal;
		if (fitting < SIZE_MAX || !route_matches(route->pattern + literal, path + literal, target))
			continue;
		if (method_fits(target->request->method, route->method)) {
			target->request->route = first + i;
			if (may_go_on(route, target))
				answer_target(route, target);
			return true;
		}
		allow(allowed, route->method);
	}
	return false;
}

void api_handle(void *host, struct http_request *request)
{
	struct target target = { .host = host, .request = request };
	char space[512];
	const char *path = canonical_path(request->path, space, sizeof space);
	char allowed[ALLOWED_BYTES] = "";

	for (int i = 0, first = 0; i < door_count; first += doors[i++]->route_count)
		if (answer_at(doors[i], first, path, &target, allowed))
			return;
	if (*allowed != '\0')
		send_wrong_method(request, allowed);
	else
		http_send_problem(
			request, &(struct http_problem){ .status = 404,
					 .detail = "there is nothing at this path; GET /openapi.json lists the paths" });
}

bool api_tell(void *host, struct http_request *request, const char *path, const struct http_problem *problem)
{
	(void)host;
	for (int i = 0; i < door_count; i++) {
		if (doors[i]->owns == NULL || !doors[i]->owns(path))
			continue;
		doors[i]->tell(request, problem);
		return true;
	}
	return false;
}
