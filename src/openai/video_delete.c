/* video_delete.c - takes a video away: its files, then its place in lists. The job's row stays, with what it cost.
 *
 * The files go first: after a crash in between the video is there without them, and may be deleted again, while a file of a video that is gone would
 * stay for its days. HTTP threads; blocks on the disk. */
#include "openai/video.h"

#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "openai/job_outcome.h"
#include "openai/problem.h"
#include "openai/video_answer.h"
#include "openai/video_row.h"

struct deletion {
	struct host *host;
	struct openai_outcome outcome;
};

static void deletion_note(void *context, const struct task *task)
{
	struct deletion *deletion = context;

	openai_outcome_of_task(deletion->host, task, &deletion->outcome);
}

/* 400, since 409 would be sent three times. */
static void send_open(struct http_request *request, const struct openai_outcome *outcome)
{
	if (outcome->stage == OPENAI_OPEN)
		openai_refuse(request, "video_in_progress", "video_id",
			"The video is in progress. Cancel it first: POST /api/jobs/%s/cancel.", outcome->job_id);
	else
		openai_refuse(request, "outcome_unknown", "video_id",
			"Nobody knows yet whether this video was made and billed: the operator has to say so before it can be "
			"deleted "
			"(POST /api/jobs/%s/resolve).",
			outcome->job_id);
}

static enum error_code remove_files(struct deletion *deletion, struct error *error)
{
	const char *digests[LIMIT_ARTIFACTS];
	const json_t *entry;
	size_t i, count = 0;

	json_array_foreach(deletion->outcome.artifacts, i, entry) {
		const char *digest = json_text(entry, "sha256");

		if (digest != NULL && count < LIMIT_ARTIFACTS)
			digests[count++] = digest;
	}
	if (count == 0)
		return ERROR_NONE;
	return artifacts_remove(deletion->host->artifacts, deletion->outcome.job_id, digests, count, error);
}

static void log_deletion(const struct http_request *request, const struct openai_outcome *outcome)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "video.deleted");
	log_text(&line, "job_id", outcome->job_id);
	log_text(&line, "provider", outcome->provider);
	if (request->api_key != NULL)
		log_text(&line, "api_key", request->api_key->name);
	log_text(&line, "request_id", request->request_id);
	log_end(&line);
}

static void send_deleted(struct http_request *request, const struct id *id)
{
	char text[VIDEO_ID_BYTES];
	struct buffer out;

	video_id_format(id, text);
	buffer_init(&out, LIMIT_REPLY_ONE_WRITE_BYTES);
	buffer_format(&out, "{\"id\":\"%s\",\"object\":\"video.deleted\",\"deleted\":true}", text);
	video_answer_send(request, &out, NULL);
	buffer_free(&out);
}

static void delete_video(struct deletion *deletion, struct http_request *request, const char *text, const struct id *id)
{
	struct error error;
	enum error_code code = remove_files(deletion, &error);

	if (code == ERROR_NONE)
		code = task_store_remove_outputs(deletion->host->store, id, &error);
	if (code == ERROR_NONE) {
		log_deletion(request, &deletion->outcome);
		send_deleted(request, id);
	} else {
		video_row_send_missing(request, text, &error);
	}
}

void openai_videos_delete(struct host *host, struct http_request *request, const char *text)
{
	struct deletion deletion = { .host = host };
	enum task_status status;
	struct id id;

	if (!video_row_find(host, request, text, &id, deletion_note, &deletion))
		return;
	status = deletion.outcome.job_status;
	if (status == TASK_DONE || status == TASK_ERROR || status == TASK_CANCELED)
		delete_video(&deletion, request, text, &id);
	else
		send_open(request, &deletion.outcome);
	openai_outcome_close(&deletion.outcome);
}
