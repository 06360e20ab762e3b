/* studio_page.c - the page's files, unless server.studio is off. HTTP threads. */
#include "api/studio_page.h"

#include <stdio.h>

#include "api/answer.h"
#include "base/limits.h"
#include "studio/studio.h"

static void send_page_file(struct host *host, struct http_request *request, const char *name)
{
	const struct config *config = request->view->config;
	char detail[96];

	snprintf(detail, sizeof detail, "Studio is off: server.studio in %s", config->file);
	if (!config->server.studio)
		answer_problem(request, 404, NULL, detail);
	else if (!studio_send(host->studio, request, name))
		answer_problem(request, 404, NULL,
			*name == '\0' ? "Studio's files were not found: GET /readyz says what is missing"
				      : "Studio has no such file");
}

void studio_page_index(struct host *host, struct http_request *request)
{
	send_page_file(host, request, "");
}

void studio_page_file(struct host *host, struct http_request *request, const char *name)
{
	char path[LIMIT_STUDIO_NAME_BYTES + sizeof "ui/"];

	snprintf(path, sizeof path, "ui/%s", name);
	send_page_file(host, request, path);
}
