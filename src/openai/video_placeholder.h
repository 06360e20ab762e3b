/* video_placeholder.h - the film that stands in for the video of a dry run, of the size and length that were asked for, marked in its picture and in its
 * file. It is made anew for each answer, and is always the same. HTTP threads. */
#pragma once

#include "http/http.h"
#include "openai/video_words.h"

#define VIDEO_PRICE_BYTES 48

/* What a row has to say of it; nothing of the task is borrowed. */
struct video_placeholder {
	char job_id[ID_TEXT_BYTES], model[VIDEO_MODEL_BYTES], price[VIDEO_PRICE_BYTES];
	char seed[65]; /* a digest of what would be made */
	int width, height;
	double seconds;
	int64_t created_ms;
};

void video_placeholder_note(struct video_placeholder *placeholder, const struct task *task);

/* Answers with it: all of it, or the range that was asked for. */
void video_placeholder_send(struct http_request *request, const struct video_placeholder *placeholder);
