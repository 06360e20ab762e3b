/* video_row.c - finds the row. A video that is not seen, or was deleted, is answered as one that never was. */
#include "openai/video_row.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/access.h"
#include "openai/problem.h"

bool video_id_parse(const char *text, struct id *id)
{
	size_t prefix = strlen(VIDEO_ID_PREFIX);

	return id_parse(strncasecmp(text, VIDEO_ID_PREFIX, prefix) == 0 ? text + prefix : text, id);
}

void video_id_format(const struct id *id, char text[VIDEO_ID_BYTES])
{
	memcpy(text, VIDEO_ID_PREFIX, sizeof VIDEO_ID_PREFIX);
	id_format(id, text + strlen(VIDEO_ID_PREFIX));
}

bool video_row_shows(const struct http_request *request, const struct task *task)
{
	return strcmp(task->kind, "video") == 0 && task->removed_ms == 0 && access_sees(request, task);
}

struct finding {
	const struct http_request *request;
	void (*visit)(void *context, const struct task *task);
	void *context;
	bool found;
};

static void look_at_row(void *context, const struct task *task)
{
	struct finding *finding = context;

	finding->found = video_row_shows(finding->request, task);
	if (finding->found)
		finding->visit(finding->context, task);
}

void video_row_send_missing(struct http_request *request, const char *text, const struct error *error)
{
	char quoted[OPENAI_QUOTE_BYTES], message[OPENAI_QUOTE_BYTES + 96];

	if (error->code == ERROR_NOT_FOUND) {
		snprintf(message, sizeof message, "There is no video '%s'. GET /v1/videos lists those that there are.",
			openai_quote(request, text, quoted));
		openai_send_error(
			request, &(struct openai_error){
					 .status = 404, .code = "video_not_found", .param = "video_id", .message = message });
	} else {
		openai_send_error(request, &(struct openai_error){ .status = 503,
						   .code = "overloaded",
						   .message = error->message,
						   .should_retry = -1,
						   .retry_after_ms = 1000 });
	}
}

bool video_row_find(struct host *host, struct http_request *request, const char *text, struct id *id,
	void (*visit)(void *context, const struct task *task), void *context)
{
	struct finding finding = { .request = request, .visit = visit, .context = context };
	struct error error = { .code = ERROR_NOT_FOUND };

	if (video_id_parse(text, id))
		task_store_get(host->store, id, look_at_row, &finding, &error);
	if (!finding.found && error.code == ERROR_NONE)
		error.code = ERROR_NOT_FOUND;
	if (!finding.found)
		video_row_send_missing(request, text, &error);
	return finding.found;
}
