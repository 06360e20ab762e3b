/* openai.c - the routes of OpenAI's API, as far as this host answers them. HTTP threads. */
#include "openai/openai.h"

#include <string.h>

#include "http/http.h"
#include "openai/images.h"
#include "openai/model_list.h"
#include "openai/placeholder.h"
#include "openai/problem.h"
#include "openai/video.h"

/* Of an API that is known, in parts that no provider here has: 400, since clients repeat a 501. */
static void refuse_operation(struct http_request *request, const char *what)
{
	openai_refuse(request, "unsupported_operation", NULL, "%s is not offered by this host's providers. %s", what,
		strcmp(what, "Variation of an image") == 0 ? "Use an edit." : "Create a new video instead.");
}

static void refuse_variation(struct host *host, struct http_request *request)
{
	(void)host;
	refuse_operation(request, "Variation of an image");
}

static void refuse_videos(struct host *host, struct http_request *request)
{
	(void)host;
	refuse_operation(request, "This operation on videos");
}

static void refuse_video(struct host *host, struct http_request *request, const char *id)
{
	(void)id;
	refuse_videos(host, request);
}

/* The router finds them below /live too (door.h). */
static const struct route openai_routes[] = {
	{ "GET", "/v1/models", NULL, { .plain = openai_models_list }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/v1/models/**", NULL, { .named = openai_models_retrieve }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/v1/images/generations", NULL, { .plain = openai_images_generate }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/v1/images/edits", NULL, { .plain = openai_images_edit }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/v1/images/placeholders/*/*", NULL, { .parted = openai_placeholder_handle }, ROLE_READ, SCOPE_JOB },
	{ "POST", "/v1/images/variations", NULL, { .plain = refuse_variation }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/v1/videos", NULL, { .plain = openai_videos_create }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/v1/videos", NULL, { .plain = openai_videos_list }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/v1/videos/*", NULL, { .named = openai_videos_retrieve }, ROLE_READ, SCOPE_HOST },
	{ "GET", "/v1/videos/*/content", NULL, { .named = openai_videos_content }, ROLE_READ, SCOPE_HOST },
	{ "DELETE", "/v1/videos/*", NULL, { .named = openai_videos_delete }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/v1/videos/edits", NULL, { .plain = refuse_videos }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/v1/videos/extensions", NULL, { .plain = refuse_videos }, ROLE_SUBMIT, SCOPE_HOST },
	{ "POST", "/v1/videos/characters", NULL, { .plain = refuse_videos }, ROLE_SUBMIT, SCOPE_HOST },
	{ "GET", "/v1/videos/characters/*", NULL, { .named = refuse_video }, ROLE_READ, SCOPE_HOST },
	{ "POST", "/v1/videos/*/remix", NULL, { .named = refuse_video }, ROLE_SUBMIT, SCOPE_HOST },
};

static bool openai_owns(const char *path)
{
	return strncmp(path, "/v1/", 4) == 0 || strcmp(path, "/v1") == 0 || strncmp(path, "/live/v1/", 9) == 0 ||
	       strcmp(path, "/live/v1") == 0;
}

const struct door openai_door = {
	.routes = openai_routes,
	.route_count = sizeof openai_routes / sizeof *openai_routes,
	.owns = openai_owns,
	.tell = openai_tell_problem,
};
