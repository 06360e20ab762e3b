/* image_stream.h - "stream": true: an answer of server-sent events, begun at once. HTTP threads. */
#pragma once

#include "openai/image_answer.h"
#include "openai/orphan.h"

/* One completed event for each placeholder. As image_answer_dry(). */
void image_stream_dry(struct image_request *images, const json_t *submitted);

/* Comments until the job has ended, then an event for each picture, or an error. What was told is returned. */
enum openai_told image_stream_live(struct image_request *images, struct openai_create *create);
