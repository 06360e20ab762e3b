/* video_content.c - the file of a video: what the vendor has made, or in its place for a dry run what is made here, and marked. HTTP threads; blocks on the
 * disk. */
#include "openai/video.h"

#include <stdio.h>
#include <string.h>

#include "api/artifact_entry.h"
#include "api/artifacts.h"
#include "openai/job_outcome.h"
#include "openai/problem.h"
#include "openai/video_placeholder.h"
#include "openai/video_row.h"

struct content {
	struct host *host;
	struct openai_outcome outcome; /* to be closed once it is filled in */
	struct video_placeholder placeholder;
};

static void content_note(void *context, const struct task *task)
{
	struct content *content = context;

	openai_outcome_of_task(content->host, task, &content->outcome);
	if (task->dry_run)
		video_placeholder_note(&content->placeholder, task);
}

/* False: an error was sent. */
static bool wants_video(struct http_request *request)
{
	char variant[24], quoted[OPENAI_QUOTE_BYTES];

	if (!http_query(request, "variant", variant, sizeof variant) || *variant == '\0' || strcmp(variant, "video") == 0)
		return true;
	if (strcmp(variant, "thumbnail") == 0 || strcmp(variant, "spritesheet") == 0)
		openai_refuse(request, "unsupported_operation", "variant",
			"variant: no %s is made of a video here; the video itself is variant=video, which need not be said",
			variant);
	else
		openai_refuse(request, "invalid_value", "variant", "variant: must be video, not '%s'",
			openai_quote(request, variant, quoted));
	return false;
}

static void send_not_ready(struct http_request *request)
{
	openai_send_error(request, &(struct openai_error){ .status = 404,
					   .code = "video_not_ready",
					   .message = "Video is not ready yet, use GET /v1/videos/{video_id} to check status.",
					   .should_retry = 0 });
}

/* A picture of an error is no video: who saves what comes must not save one. */
static void send_failed(struct http_request *request, const struct openai_outcome *outcome)
{
	json_t *providerd = openai_outcome_providerd(outcome);

	openai_send_error(request, &(struct openai_error){ .status = 400,
					   .type = outcome->type,
					   .code = outcome->code,
					   .message = outcome->message,
					   .should_retry = 0,
					   .providerd = providerd });
	json_decref(providerd);
}

static void send_gone(struct http_request *request, const struct openai_outcome *outcome, const char *why)
{
	json_t *providerd = openai_outcome_providerd(outcome);

	openai_send_error(request, &(struct openai_error){ .status = 410,
					   .code = "video_gone",
					   .param = "video_id",
					   .message = why,
					   .should_retry = 0,
					   .providerd = providerd });
	json_decref(providerd);
}

/* The first video, else the first output that there is: a vendor may not say what its file is. */
static const json_t *choose_artifact(const json_t *artifacts)
{
	const json_t *entry, *first = NULL;
	size_t i;

	json_array_foreach(artifacts, i, entry) {
		if (openai_artifact_is(entry, "video/"))
			return entry;
		if (first == NULL && openai_artifact_is(entry, ""))
			first = entry;
	}
	return first != NULL ? first : json_array_get(artifacts, 0);
}

static void send_made(struct host *host, struct http_request *request, const struct openai_outcome *outcome)
{
	const json_t *entry = choose_artifact(outcome->artifacts);
	struct error error;

	if (entry == NULL) {
		send_gone(request, outcome, "The provider said that it is done, and named no file.");
		return;
	}
	switch (artifacts_send_kept(host, request, entry, &error)) {
	case ERROR_NONE: break;
	case ERROR_NOT_FOUND: send_gone(request, outcome, error.message); break;
	default: error.code = ERROR_BUSY; video_row_send_missing(request, "", &error);
	}
}

static void send_content(struct host *host, struct http_request *request, const struct content *content)
{
	switch (content->outcome.stage) {
	case OPENAI_OPEN: send_not_ready(request); break;
	case OPENAI_FAILED: send_failed(request, &content->outcome); break;
	case OPENAI_DONE:
		if (content->outcome.dry_run)
			video_placeholder_send(request, &content->placeholder);
		else
			send_made(host, request, &content->outcome);
		break;
	}
}

void openai_videos_content(struct host *host, struct http_request *request, const char *text)
{
	struct content content = { .host = host };
	struct id id;

	if (!wants_video(request) || !video_row_find(host, request, text, &id, content_note, &content))
		return;
	send_content(host, request, &content);
	openai_outcome_close(&content.outcome);
	video_placeholder_close(&content.placeholder);
}
