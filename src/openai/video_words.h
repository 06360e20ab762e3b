/* video_words.h - what a video is called and measured by: in the words that its client has asked with, or if the job came by another door, in those that its
 * row comes to. Any thread; nothing is made a tree, for a list has a hundred of them. */
#pragma once

#include "base/json_span.h"
#include "registry/task.h"

#define VIDEO_MODEL_BYTES 512

/* Texts as JSON has them, with their quotes; empty: there is none. They lie in the task, or in this struct: it must not be moved. */
struct video_words {
	struct json_span model, size, seconds;
	struct json_span prompt, user;
	int width, height; /* 0: not known */
	double length;	   /* seconds; 0: not known */
	char model_text[VIDEO_MODEL_BYTES];
	char size_text[32], seconds_text[32];
};

void video_words_of(const struct task *task, struct video_words *words);
