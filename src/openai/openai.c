/* openai.c - the routes of OpenAI's API, as far as this host answers them. HTTP threads. */
#include "openai/openai.h"

#include <string.h>

#include "base/json.h"
#include "http/http.h"

static bool openai_owns(const char *path)
{
	return strncmp(path, "/v1/", 4) == 0 || strncmp(path, "/live/v1/", 9) == 0;
}

/* { "error": { "message", "type", "param", "code" } }, and a problem's path is the parameter. */
static void openai_tell(struct http_request *request, const struct http_problem *problem)
{
	struct buffer out;

	buffer_init(&out, 65536);
	buffer_text(&out, "{\"error\":{");
	json_member_text(&out, "message", problem->detail);
	json_member_text(&out, "type", problem->status < 500 ? "invalid_request_error" : "server_error");
	json_member_text(&out, "param", problem->path);
	buffer_text(&out, "\"code\":null}}");
	http_send(request,
		&(struct http_reply){
			.status = problem->status, .headers = problem->headers, .body = out.data, .body_length = out.length });
	buffer_free(&out);
}

const struct door openai_door = { .owns = openai_owns, .tell = openai_tell };
