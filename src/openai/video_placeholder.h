/* video_placeholder.h - the film that stands in for the video of a dry run, of the size and length that were asked for. It is made anew for each answer, and is
 * always the same. HTTP threads. */
#pragma once

#include <jansson.h>

#include "http/http.h"
#include "openai/video_words.h"

/* What a row has to say of it; nothing of the task is borrowed. */
struct video_placeholder {
	char job_id[ID_TEXT_BYTES], model[VIDEO_MODEL_BYTES];
	int width, height;
	double seconds;
	int64_t created_ms;
	json_t *payload, *estimates; /* held */
};

/* To be closed; all zero needs not be. */
void video_placeholder_note(struct video_placeholder *placeholder, const struct task *task);
void video_placeholder_close(struct video_placeholder *placeholder);

/* Answers with it: all of it, or the range that was asked for. */
void video_placeholder_send(struct http_request *request, const struct video_placeholder *placeholder);
